"""Words of the demo's shop: invented brands, patterns, and titles."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from tools.demo_catalog.lines import Line
    from tools.demo_catalog.product import Design

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
