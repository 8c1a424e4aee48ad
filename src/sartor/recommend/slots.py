"""Where on a person a product is worn: the slots of a look, read from the words that catalogs have for kinds."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

from sartor.errors import UnknownSlot


class Slot(StrEnum):
    """A place in a look that one product takes."""

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


# Words of kinds, in the singular; the longest that a kind ends with decides, since the last noun names the thing.
# Kinds that belong to no look, such as perfume or nightwear, are listed so that a shorter word does not take them.
_WORDS: dict[Slot | None, str] = {
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

# What goes with what is given, the most wanted first.
_WITH_CLOTHES = (Slot.SHOES, Slot.BAG, Slot.WATCH, Slot.EYEWEAR, Slot.JEWELRY, Slot.BELT, Slot.HEADWEAR)

DEFAULT_SLOTS = (Slot.TOP, Slot.BOTTOM, Slot.SHOES, Slot.BAG, Slot.WATCH, Slot.EYEWEAR)


def slot_of(kind: str) -> Slot | None:
    """The slot of a kind, such as ``Casual Shoes`` or ``Apparel > Tops``; None for what is in no look."""
    return _slot_of(kind.strip().lower())


def slot_named(name: str) -> Slot:
    """The slot with a name, such as ``shoes``.

    Raises:
        UnknownSlot: There is none.
    """
    try:
        return Slot(name.strip().lower().replace("-", " "))
    except ValueError:
        raise UnknownSlot(name, known=[slot.value for slot in Slot]) from None


def slots_beside(taken: frozenset[Slot]) -> tuple[Slot, ...]:
    """The slots that complete a look in which some are taken, the most wanted first."""
    clothes: tuple[Slot, ...] = ()
    if Slot.ONE_PIECE not in taken:
        clothes = (Slot.TOP, Slot.BOTTOM)
    return tuple(slot for slot in (*clothes, *_WITH_CLOTHES) if slot not in taken)


def clash(one: Slot, other: Slot) -> bool:
    """Whether two products cannot be in one look: of the same slot, or a dress beside a top or a bottom."""
    return one == other or (Slot.ONE_PIECE in (one, other) and {one, other} & {Slot.TOP, Slot.BOTTOM} != set())


@lru_cache(maxsize=4096)
def _slot_of(kind: str) -> Slot | None:
    last = re.split(r"[>/|]", kind)[-1]  # of a path of categories, the narrowest
    words = [_singular(word) for word in re.findall(r"[a-z][a-z-]*", last)]
    table = _table()
    for start in range(len(words)):
        phrase = " ".join(words[start:])
        if phrase in table:
            return table[phrase]
    return None


@lru_cache(maxsize=1)
def _table() -> dict[str, Slot | None]:
    return {phrase.strip(): slot for slot, phrases in _WORDS.items() for phrase in phrases.split(",")}


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
