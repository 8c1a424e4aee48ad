"""The plan: which products a catalog of some size and seed has, and their titles, before any is drawn."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from tools.demo_catalog.lines import ACCESSORIES, APPAREL, FOOTWEAR, Line
from tools.demo_catalog.palette import Shade, accents_of, shades_of
from tools.demo_catalog.product import DemoProduct, Design

if TYPE_CHECKING:
    from collections.abc import Sequence


# How many of a hundred products are of each type; in a small catalog, those with most come first.
_SHARES = {
    "Tshirts": 8.6,
    "Casual Shoes": 7.2,
    "Jeans": 5.8,
    "Dresses": 6.6,
    "Shirts": 7.4,
    "Handbags": 5.4,
    "Watches": 5.4,
    "Sunglasses": 4.6,
    "Trousers": 6.2,
    "Tops": 4.4,
    "Heels": 3.8,
    "Jackets": 5.4,
    "Sweaters": 4.4,
    "Sweatshirts": 4.0,
    "Formal Shoes": 4.4,
    "Skirts": 3.6,
    "Shorts": 3.0,
    "Blazers": 3.0,
    "Backpacks": 2.6,
    "Flats": 2.4,
    "Caps": 2.4,
    "Scarves": 2.2,
    "Belts": 1.9,
}
_Choice = TypeVar("_Choice")
_CATEGORIES = (("Apparel", APPAREL), ("Footwear", FOOTWEAR), ("Accessories", ACCESSORIES))
_GROUP_SIZES = (1, 1, 2, 2, 3, 4)
_FIRST_ID = 10001
_TRIES = 60
_OFF_CENTS = (0, 0, 0, 5, 5)


def plan(*, count: int, rng: np.random.Generator) -> tuple[DemoProduct, ...]:
    """The products of a catalog.

    Args:
        count: How many, from 1.
        rng: Decides everything.
    """
    if count < 1:
        raise ValueError(f"a catalog has at least 1 product, not {count}")
    styles = [each for kind, number in _counts(count).items() for each in _styles_of(kind, number, rng)]
    order = rng.permutation(len(styles))
    groups: dict[int, str] = {}
    products = []
    for number, index in enumerate(order):
        style = styles[index]
        group = groups.setdefault(style.design.seed, f"G{len(groups) + 1:04d}")
        products.append(_product(f"{_FIRST_ID + number}", group, style))
    return tuple(products)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    """A design in one color, with what all colors of it share."""

    design: Design
    shade: Shade
    title: str
    brand: str
    material: str
    category: str
    season: str
    usage: str
    price_cents: int


@dataclass(slots=True)
class _Taken:
    """What a type has so far."""

    designs: set[tuple[object, ...]] = field(default_factory=set)
    colors: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)


def _counts(count: int) -> dict[str, int]:
    """How many of each type: by their shares, what is left over to the largest remainders."""
    total = sum(_SHARES.values())
    exact = {kind: count * share / total for kind, share in _SHARES.items()}
    counts = {kind: int(share) for kind, share in exact.items()}
    if count >= len(counts):
        counts = {kind: max(1, each) for kind, each in counts.items()}
    while sum(counts.values()) > count:
        fullest = max(counts, key=lambda kind: counts[kind] - exact[kind])
        counts[fullest] -= 1
    ranked = sorted(exact, key=lambda kind: counts[kind] - exact[kind])
    for kind in ranked[: count - sum(counts.values())]:
        counts[kind] += 1
    return counts


def _styles_of(kind: str, count: int, rng: np.random.Generator) -> list[_Style]:
    category, lines = next(
        (name, [line for line in lines if line.article_type == kind])
        for name, lines in _CATEGORIES
        if any(line.article_type == kind for line in lines)
    )
    taken = _Taken()
    styles: list[_Style] = []
    while len(styles) < count:
        fewest = min(taken.lines[line.noun] for line in lines)
        line = _one([line for line in lines if taken.lines[line.noun] == fewest], rng)
        size = min(_one(_GROUP_SIZES, rng), count - len(styles))
        colored = _new_design(line, category, size, taken, rng)
        taken.lines[line.noun] += len(colored)
        styles += colored
    return styles


def _new_design(line: Line, category: str, size: int, taken: _Taken, rng: np.random.Generator) -> list[_Style]:
    """A design that is not there yet, in some colors."""
    for _ in range(_TRIES):
        motif = _one(line.motifs, rng)
        fabric, material = _one(line.cloths, rng)
        design = Design(
            article_type=line.article_type,
            gender=_one(line.genders, rng),
            style=line.style,
            sleeve=_one(line.sleeves, rng),
            length=_one(line.lengths, rng),
            neck=_one(line.necks, rng),
            pattern=pattern_of(motif, fabric),
            motif="" if motif in ("denim", "graphic") else motif,
            fabric=fabric,
            seed=int(rng.integers(1, 2**31)),
        )
        key = (line.noun, design.gender, design.sleeve, design.length, design.neck, motif, fabric)
        if key not in taken.designs:
            break
    taken.designs.add(key)
    usage = _one(line.usages, rng)
    low, high = line.price
    shared = {
        "title": title_of(line, design, material=material, usage=usage, rng=rng),
        "brand": _one(BRANDS, rng),
        "season": _one(line.seasons, rng),
    }
    price_cents = int(rng.integers(low, high + 1)) * 100 - int(rng.choice(_OFF_CENTS))
    return [
        _Style(
            design=design,
            shade=shade,
            material=material,
            category=category,
            usage=usage,
            price_cents=price_cents,
            **shared,
        )
        for shade in _shades(line, size, taken, rng)
    ]


def _shades(line: Line, size: int, taken: _Taken, rng: np.random.Generator) -> list[Shade]:
    """Shades of different colors, rather such as the type does not have yet."""
    offered = [shade for name in line.colors for shade in shades_of(name)]
    chosen: list[Shade] = []
    while len(chosen) < size:
        left = [shade for shade in offered if all(shade.color != each.color for each in chosen)]
        if not left:
            break
        weights = np.array([1 / (1 + taken.colors[shade.color]) ** 1.5 for shade in left])
        shade = left[int(rng.choice(len(left), p=weights / weights.sum()))]
        taken.colors[shade.color] += 1
        chosen.append(shade)
    return chosen


def _product(product_id: str, group: str, style: _Style) -> DemoProduct:
    return DemoProduct(
        id=product_id,
        title=f"{style.title} in {style.shade.name}",
        brand=style.brand,
        design=style.design,
        shade=style.shade,
        accents=accents_of(style.design, style.shade),
        material=style.material,
        master_category=style.category,
        season=style.season,
        usage=style.usage,
        price_cents=style.price_cents,
        item_group_id=group,
    )


def _one(choices: Sequence[_Choice], rng: np.random.Generator) -> _Choice:
    return choices[int(rng.integers(len(choices)))]


BRANDS = (
    "Alder & Finch",
    "Norrvik",
    "Ortel Row",
    "Lumenary",
    "Castelune",
    "Brumeline",
    "Harrowby Lane",
    "Tessalo",
    "Kestrel North",
    "Ondelle",
    "Pine & Velor",
    "Solvenne",
)

# What the catalog calls a pattern, and how a title says it.
PATTERNS: dict[str, tuple[str, str]] = {
    "": ("Solid", ""),
    "argyle": ("Argyle", "Argyle"),
    "breton": ("Striped", "Striped"),
    "brush marks": ("Printed", "Brushstroke"),
    "colorblock": ("Colorblock", "Colorblock"),
    "denim": ("Denim", ""),
    "diagonal stripes": ("Striped", "Diagonal-Stripe"),
    "flowers": ("Floral", "Floral"),
    "gingham": ("Checked", "Gingham"),
    "glen check": ("Checked", "Glen-Check"),
    "graphic": ("Graphic", "Graphic"),
    "houndstooth": ("Checked", "Houndstooth"),
    "leaves": ("Floral", "Botanical"),
    "pin dots": ("Polka Dots", "Pin-Dot"),
    "pinstripes": ("Striped", "Pinstripe"),
    "polka dots": ("Polka Dots", "Polka-Dot"),
    "tartan": ("Checked", "Tartan"),
    "trio stripes": ("Striped", "Tri-Stripe"),
    "vertical stripes": ("Striped", "Striped"),
    "wide stripes": ("Striped", "Rugby-Stripe"),
    "windowpane": ("Checked", "Windowpane"),
}
KNITTED = frozenset({"knit", "fine knit", "cable"})

_PATTERN_FIRST = 0.7  # of the titles say the pattern before anything else
_MOODS = {
    "Casual": ("Relaxed", "Everyday", "Weekend", "Easy", "Essential", "Soft"),
    "Formal": ("Classic", "Tailored", "Refined", "Modern"),
    "Party": ("Evening", "Elegant", "After-Dark", "Statement"),
    "Sports": ("Active", "Light", "Training", "Trail"),
}


def pattern_of(motif: str, fabric: str) -> str:
    """What the catalog calls a pattern; plain knitwear is knit."""
    return "Knit" if not motif and fabric in KNITTED else PATTERNS[motif][0]


def title_of(line: Line, design: Design, *, material: str, usage: str, rng: np.random.Generator) -> str:
    """A title without its color, such as ``Striped Cotton Shirt``."""
    said = PATTERNS[design.motif][1] or ("Cable-Knit" if design.fabric == "cable" else "")
    stuff = "" if material in line.noun or material.rsplit(maxsplit=1)[-1] in line.noun else material
    moods = [mood for mood in _MOODS[usage] if mood not in line.noun]
    mood = str(rng.choice(moods))
    words = [said or mood, stuff, line.noun] if rng.random() < _PATTERN_FIRST else [mood, said or stuff, line.noun]
    return " ".join(word for word in words if word)
