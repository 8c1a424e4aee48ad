"""What can be worn together: slots of a look, who and what occasion a product is for, and colors.

Source of the color rules: J. Itten, "The Art of Color" (1961); of the angles: D. Cohen-Or et al., "Color
Harmonization" (SIGGRAPH 2006), the templates i, V, I and the triad.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from sartor.errors import UnknownSlot

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from sartor.types import Matrix, Vector

    Flags = npt.NDArray[np.bool_]


class Slot(StrEnum):
    """A part of a look that one product fills."""

    TOP = "top"
    BOTTOM = "bottom"
    ONE_PIECE = "one piece"
    OUTERWEAR = "outerwear"
    SHOES = "shoes"
    BAG = "bag"
    WATCH = "watch"
    EYEWEAR = "eyewear"
    JEWELRY = "jewelry"
    BELT = "belt"
    HEADWEAR = "headwear"


DEFAULT_SLOTS = (Slot.TOP, Slot.BOTTOM, Slot.SHOES, Slot.BAG, Slot.WATCH, Slot.EYEWEAR)

# What completes clothes, the most important first.
_WITH_CLOTHES = (Slot.SHOES, Slot.BAG, Slot.WATCH, Slot.EYEWEAR, Slot.JEWELRY, Slot.BELT, Slot.HEADWEAR)
# Words of kinds, in the singular; the longest that a kind ends with decides, since the last noun names the thing.
# Kinds that belong to no look, such as perfume or nightwear, are listed so that a shorter word does not take them.
_KIND_WORDS: dict[Slot | None, str] = {
    Slot.TOP: (
        "top, tshirt, t-shirt, tee, shirt, polo, blouse, tunic, kurta, kurti, sweater, sweatshirt, "
        "hoodie, pullover, jumper, cardigan, tank, longsleeve, knitwear, topwear, undershirt"
    ),
    Slot.BOTTOM: (
        "bottom, jean, trouser, pant, short, skirt, legging, capri, jegging, chino, track pant, cargo, "
        "culotte, salwar, churidar, patiala, bottomwear, rain trouser, jogger"
    ),
    Slot.ONE_PIECE: (
        "dress, jumpsuit, saree, sari, gown, romper, playsuit, dungaree, overall, kurta set, lehenga choli"
    ),
    Slot.OUTERWEAR: "jacket, blazer, coat, outwear, outerwear, parka, waistcoat, shrug, trench, gilet",
    Slot.SHOES: (
        "shoe, sneaker, boot, bootie, sandal, heel, flat, loafer, pump, flip flop, slipper, footwear, "
        "trainer, mule, oxford, moccasin, ballerina, espadrille"
    ),
    Slot.BAG: "bag, handbag, backpack, clutch, tote, rucksack, purse",
    Slot.WATCH: "watch, smartwatch",
    Slot.EYEWEAR: "sunglass, eyewear, glass, spectacle",
    Slot.JEWELRY: (
        "jewelry, jewellery, earring, necklace, pendant, bracelet, bangle, ring, jewellery set, necklace and chain"
    ),
    Slot.BELT: "belt",
    Slot.HEADWEAR: "cap, hat, headwear, beanie, headband",
    None: (
        "night dress, nightdress, bath robe, lounge pant, lounge short, lounge tshirt, lounge top, swim "
        "short, innerwear vest, shoe accessory, shoe lace, hair accessory, gift set, trolley bag, "
        "sleeping bag, boxer short, key ring, night shirt, coat hanger"
    ),
}

# Words that mean the same, as catalogs and the Merchant feed write them.
_GENDERS = {
    "men": {"men", "man", "male", "mens", "men's"},
    "women": {"women", "woman", "female", "womens", "women's", "ladies"},
    "boys": {"boys", "boy"},
    "girls": {"girls", "girl"},
    "unisex": {"unisex"},
    "kids": {"kids", "children", "unisex kids", "kids-unisex"},
}
_ADULTS, _CHILDREN = {"men", "women"}, {"boys", "girls"}
_STAND_INS = {  # for usages that a shop has too little of
    "casual": {"smart casual", "travel"},
    "smart casual": {"casual", "formal"},
    "formal": {"smart casual"},
    "ethnic": {"party"},
    "party": {"smart casual", "ethnic"},
    "travel": {"casual"},
}
_SPORTS = "sports"
_CARRIED = {Slot.BAG, Slot.WATCH, Slot.EYEWEAR, Slot.JEWELRY, Slot.BELT, Slot.HEADWEAR}
_SEASONS = ({"spring", "summer"}, {"fall", "autumn", "winter"})

_NEUTRAL_CHROMA = 0.045  # OKLab; below it a color is black, white, gray, beige or so dark that no hue is seen
_DARK, _DARK_CHROMA = 0.35, 0.13  # navy and dark brown pass for neutrals
_TONE_DEG, _ANALOGOUS_DEG = 18, 50
_COMPLEMENT_DEG, _TRIAD_DEG = 30, 20


def slot_of(kind: str) -> Slot | None:
    """The slot of a kind, such as ``Casual Shoes`` or ``Apparel > Tops``; None for what is in no look."""
    return _slot_of(kind.strip().lower())


@lru_cache(maxsize=4096)
def _slot_of(kind: str) -> Slot | None:
    last = re.split(r"[>/|]", kind)[-1]  # of a path of categories, the narrowest
    words = [_singular(word) for word in re.findall(r"[a-z][a-z-]*", last)]
    table = _slot_table()
    for start in range(len(words)):
        phrase = " ".join(words[start:])
        if phrase in table:
            return table[phrase]
    return None


@lru_cache(maxsize=1)
def _slot_table() -> dict[str, Slot | None]:
    return {phrase.strip(): slot for slot, phrases in _KIND_WORDS.items() for phrase in phrases.split(",")}


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def slot_named(name: str) -> Slot:
    """The slot with a name, such as ``shoes``.

    Raises:
        UnknownSlot: No slot has this name.
    """
    try:
        return Slot(name.strip().lower().replace("-", " "))
    except ValueError:
        raise UnknownSlot(name, known=[slot.value for slot in Slot]) from None


def slots_beside(taken: frozenset[Slot]) -> tuple[Slot, ...]:
    """The slots that complete a look in which some are taken, the most important first."""
    clothes = () if Slot.ONE_PIECE in taken else (Slot.TOP, Slot.BOTTOM)
    return tuple(slot for slot in (*clothes, *_WITH_CLOTHES) if slot not in taken)


def clash(one: Slot, other: Slot) -> bool:
    """Whether two products cannot be in one look: of the same slot, or a dress beside a top or a bottom."""
    return one == other or (Slot.ONE_PIECE in (one, other) and {one, other} & {Slot.TOP, Slot.BOTTOM} != set())


def gender_of(word: str) -> str:
    """The gender that a word means, such as ``women`` for ``Female``; an unknown word in lower case."""
    lower = word.strip().lower()
    return next((gender for gender, words in _GENDERS.items() if lower in words), lower)


def same_gender(one: str, other: str) -> bool:
    """Whether two words for a gender mean the same."""
    return gender_of(one) == gender_of(other)


def genders_beside(word: str, genders: Sequence[str]) -> tuple[str, ...]:
    """Those of a catalog's genders that fit beside one: the same, and what is for all of that age."""
    own = gender_of(word)
    shared = {"unisex"} if own in _ADULTS else {"kids"} if own in _CHILDREN else set()
    return tuple(gender for gender in genders if gender_of(gender) in {own, *shared})


def genders_agree(one: str, other: str) -> bool:
    """Whether products for two genders can be in one look."""
    return bool(genders_beside(one, [other]) or genders_beside(other, [one]))


def usages_beside(word: str, usages: Sequence[str], *, slot: Slot, widened: int) -> tuple[str, ...]:
    """Those of a catalog's usages that fit beside one.

    Args:
        word: The usage.
        usages: All that the catalog has.
        slot: For which slot; a casual bag or watch fits beside everything but sports.
        widened: 0 for the same usage, 1 with what may stand in for it.
    """
    own = word.strip().lower()
    fits = {own}
    if widened:
        fits |= _STAND_INS.get(own, set())
        if slot in _CARRIED and own != _SPORTS:
            fits.add("casual")
    return tuple(usage for usage in usages if usage.strip().lower() in fits)


def seasons_beside(word: str, seasons: Sequence[str]) -> tuple[str, ...]:
    """Those of a catalog's seasons that fit beside one: the same half of the year."""
    own = word.strip().lower()
    fits = {own}.union(*(half for half in _SEASONS if own in half))
    return tuple(season for season in seasons if season.strip().lower() in fits)


@dataclass(frozen=True, slots=True)
class Harmony:
    """How well two colors go together: a rule in words for shoppers, and a score from 0 to 1."""

    rule: str
    score: float


_HARMONIES = (  # the first that holds counts
    Harmony("two neutrals", 0.9),
    Harmony("a neutral goes with every color", 1.0),
    Harmony("tone on tone", 0.95),
    Harmony("neighboring colors", 0.8),
    Harmony("complementary colors", 0.75),
    Harmony("a triad of colors", 0.55),
    Harmony("no rule joins these colors", 0.2),
)
_SCORES = np.array([harmony.score for harmony in _HARMONIES], np.float32)


def harmony(one: Vector, other: Vector) -> Harmony:
    """The harmony of two OKLab colors, ``(3,)`` each, in any order."""
    return _HARMONIES[int(_rules(one[None], other[None])[0, 0])]


def harmonies(some: Matrix, others: Matrix) -> Matrix:
    """Scores of all pairs of OKLab colors ``(n, 3)`` and ``(m, 3)``: ``(n, m)``."""
    return _SCORES[_rules(some, others)]


def is_neutral(colors: Matrix) -> Flags:
    """Whether OKLab colors ``(…, 3)`` pass for neutrals: black to white, beige, very dark blue or brown."""
    chroma = np.hypot(colors[..., 1], colors[..., 2])
    return np.asarray((chroma < _NEUTRAL_CHROMA) | ((colors[..., 0] < _DARK) & (chroma < _DARK_CHROMA)))


def _rules(some: Matrix, others: Matrix) -> npt.NDArray[np.int64]:
    """Positions in ``_HARMONIES``, ``(n, m)``."""
    neutral, other_neutral = is_neutral(some)[:, None], is_neutral(others)[None, :]
    apart = np.abs(_hues_deg(some)[:, None] - _hues_deg(others)[None, :]) % 360
    apart = np.minimum(apart, 360 - apart)
    holds = (
        neutral & other_neutral,
        neutral | other_neutral,
        apart <= _TONE_DEG,
        apart <= _ANALOGOUS_DEG,
        apart >= 180 - _COMPLEMENT_DEG,
        np.abs(apart - 120) <= _TRIAD_DEG,
        np.ones_like(apart, np.bool_),
    )
    return np.asarray(np.argmax(np.stack(holds), axis=0))


def _hues_deg(colors: Matrix) -> Vector:
    return np.degrees(np.arctan2(colors[:, 2], colors[:, 1]))
