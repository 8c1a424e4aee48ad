"""What can be worn together: slots of a look, who a product is for, to which occasion and in which weather.

The tables are the rules; colors are in ``harmony.py``.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from sartor.errors import UnknownSlot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Value = TypeVar("Value")


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
        "sleeping bag, boxer short, key ring, night shirt, coat hanger, stocking, sock, dupatta, stole, "
        "scarf, muffler, swimwear, night suit, bra, camisole, tracksuit, tie, wallet"
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
_CHILD_OF = {"men": "boys", "women": "girls"}
_CHILD_WORDS = {  # of a title; a catalog's gender often says only for which sex a child's garment is
    **dict.fromkeys(("boy", "boys", "boy's"), "boys"),
    **dict.fromkeys(("girl", "girls", "girl's"), "girls"),
    **dict.fromkeys(("kid", "kids", "kid's", "kidswear", "toddler", "toddlers", "infant", "infants"), "kids"),
}
_CHILD_AGES = {"newborn", "infant", "toddler", "kids"}  # of the Merchant feed's age_group
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


class Occasion(StrEnum):
    """What a look is worn for; all its pieces have one in common."""

    EVERYDAY = "every day"
    SMART = "going out"
    OFFICE = "the office"
    PARTY = "a party"
    SPORTS = "sports"
    BEACH = "the beach"
    TRADITIONAL = "traditional dress"


class Weather(StrEnum):
    """The weather that a look is for; all its pieces have one in common."""

    WARM = "warm days"
    COLD = "cold days"


_E, _S, _O = Occasion.EVERYDAY, Occasion.SMART, Occasion.OFFICE
_P, _G, _B, _T = Occasion.PARTY, Occasion.SPORTS, Occasion.BEACH, Occasion.TRADITIONAL

# For which occasions a kind is worn, the longest words first, as for slots. Flip-flops are in no row of the
# office, trainers in none of the office and of traditional dress, formal shoes in none of sports and of the
# beach.
_KIND_OCCASIONS: dict[str, tuple[Occasion, ...]] = {
    # tops
    "shirt": (_E, _S, _O, _P, _B),
    "tshirt, t-shirt, tee, longsleeve": (_E, _B, _G),
    "tank, undershirt": (_E, _B, _G),
    "polo, polo shirt": (_E, _S, _B, _G),
    "top, blouse": (_E, _S, _O, _P, _B, _G),
    "tunic": (_E, _S, _T),
    "kurta, kurti": (_T,),
    "sweater, pullover, jumper, cardigan, knitwear": (_E, _S, _O),
    "sweatshirt, hoodie": (_E, _G),
    # bottoms
    "trouser, pant, chino, culotte": (_E, _S, _O, _P),
    "jean": (_E, _S, _T),
    "jegging": (_E, _S),
    "skirt": (_E, _S, _O, _P, _B),
    "short": (_E, _B, _G),
    "capri, cargo": (_E, _B, _G),
    "legging": (_E, _G, _T),
    "track pant, jogger, rain trouser": (_G,),
    "salwar, churidar, patiala": (_T,),
    # one piece
    "dress": (_E, _S, _O, _P, _B),
    "gown": (_P,),
    "jumpsuit, playsuit, romper, dungaree, overall": (_E, _S, _P, _B),
    "saree, sari, kurta set, lehenga choli": (_T, _P),
    # outerwear
    "blazer": (_S, _O, _P),
    "waistcoat": (_S, _O, _P, _T),
    "jacket": (_E, _S, _G),
    "coat, trench": (_E, _S, _O, _P),
    "parka, gilet, rain jacket": (_E, _G),
    "shrug": (_E, _S, _P, _T),
    # shoes
    "formal shoe, oxford, derby, brogue, dress shoe": (_S, _O, _P),
    "loafer, moccasin": (_E, _S, _O, _T),
    "casual shoe, boot, bootie": (_E, _S),
    "sneaker": (_E, _G),
    "sports shoe, running shoe, training shoe, trainer": (_G,),
    "heel, pump": (_E, _S, _O, _P, _T),
    "flat, ballerina": (_E, _S, _O, _P, _T, _B),
    "sandal, mule, espadrille": (_E, _B, _T),
    "sports sandal": (_B, _E),
    "flip flop, slipper": (_B,),
    # bags
    "bag, handbag, tote, purse": (_E, _S, _O, _P, _T),
    "clutch": (_S, _P, _T, _E),
    "backpack, rucksack": (_E, _G, _B),
    "duffel bag, gym bag, sports bag": (_G, _B),
    "laptop bag, messenger bag, briefcase": (_E, _S, _O),
    "beach bag": (_B,),
    # beside clothes
    "watch, smartwatch": (_E, _S, _O, _P, _T, _B),
    "sunglass, eyewear, glass, spectacle": (_E, _S, _O, _B, _G),
    "jewelry, jewellery, earring, necklace, pendant, bracelet, bangle, ring": (_E, _S, _O, _P, _T),
    "jewellery set, necklace and chain": (_E, _S, _P, _T),
    "belt": (_E, _S, _O, _P),
    "cap, headband": (_E, _G, _B),
    "beanie": (_E, _G),
    "hat": (_E, _S, _B),
}
_MENS_OCCASIONS: dict[str, tuple[Occasion, ...]] = {  # where men wear it otherwise
    "sandal, sports sandal, mule": (_B, _T),
}
# What a catalog's usage says, the most usual first; an unknown word says nothing.
_USAGE_OCCASIONS: dict[str, tuple[Occasion, ...]] = {
    "casual": (_E, _S, _B, _T),
    "smart casual": (_S, _E, _O),
    "formal": (_O, _S, _P),
    "sports": (_G,),
    "ethnic": (_T,),
    "party": (_P, _S),
    "travel": (_E, _B),
}
# Of what is carried, a usage says less: a casual watch does for the office, too.
_CARRIED_USAGE_OCCASIONS: dict[str, tuple[Occasion, ...]] = {
    "formal": (_O, _S, _P, _E, _T),
    "sports": (_G, _E, _B),
    "ethnic": (_T, _P),
    "party": (_P, _S, _T),
}
# Kinds that are never worn together, whatever the occasion.
_CLASHING_KINDS = (
    ("backpack, rucksack, duffel bag, gym bag, laptop bag, messenger bag", "dress, gown, saree, sari"),
    ("sweatshirt, hoodie", "skirt, dress, formal shoe, heel, pump"),
    ("cap, beanie", "trouser, formal shoe, heel, pump, blazer, waistcoat, dress, saree, sari"),
    ("sandal, sports sandal, flip flop, slipper", "blazer, waistcoat, belt"),
    ("short, capri", "blazer, waistcoat, heel, pump, belt"),
)
WEATHER_SEASONS = {Weather.WARM: ("spring", "summer"), Weather.COLD: ("fall", "autumn", "winter")}
_KIND_WEATHER: dict[str, tuple[Weather, ...]] = {  # any other kind is worn in both
    "sandal, sports sandal, flip flop, slipper, espadrille": (Weather.WARM,),
    "short, capri, tank, playsuit, romper, beach bag": (Weather.WARM,),
    "sweater, pullover, jumper, knitwear, sweatshirt, hoodie": (Weather.COLD,),
    "coat, trench, parka, boot, bootie, beanie": (Weather.COLD,),
}


def slot_of(kind: str) -> Slot | None:
    """The slot of a kind, such as ``Casual Shoes`` or ``Apparel > Tops``; None for what is in no look."""
    return _slot_of(kind.strip().lower())


@lru_cache(maxsize=4096)
def is_kind(word: str) -> bool:
    """Whether a word is that of a kind which the tables know, be it in a look or in none."""
    return _ending(word.strip().lower(), _kind_table(), default=False)


@lru_cache(maxsize=1)
def _kind_table() -> dict[str, bool]:
    return dict.fromkeys(_slot_table(), True)


@lru_cache(maxsize=4096)
def _slot_of(kind: str) -> Slot | None:
    return _ending(kind, _slot_table(), default=None)


@lru_cache(maxsize=1)
def _slot_table() -> dict[str, Slot | None]:
    return _by_phrase({phrases: slot for slot, phrases in _KIND_WORDS.items()})


@lru_cache(maxsize=1)
def _occasion_table() -> dict[str, tuple[Occasion, ...]]:
    return _by_phrase(_KIND_OCCASIONS)


@lru_cache(maxsize=1)
def _mens_table() -> dict[str, tuple[Occasion, ...]]:
    return _by_phrase(_MENS_OCCASIONS)


@lru_cache(maxsize=1)
def _weather_table() -> dict[str, tuple[Weather, ...]]:
    return _by_phrase(_KIND_WEATHER)


def _by_phrase(rows: Mapping[str, Value]) -> dict[str, Value]:
    """A table by each of the phrases in its keys, in the singular."""
    return {
        " ".join(map(_singular, phrase.split())): value
        for phrases, value in rows.items()
        for phrase in phrases.split(",")
    }


def _ending(kind: str, table: Mapping[str, Value], *, default: Value) -> Value:
    """The value of the longest phrase that a kind in lower case ends with."""
    last = re.split(r"[>/|]", kind)[-1]  # of a path of categories, the narrowest
    words = [_singular(word) for word in re.findall(r"[a-z][a-z-]*", last)]
    phrases = (" ".join(words[start:]) for start in range(len(words)))
    return next((table[phrase] for phrase in phrases if phrase in table), default)


def _singular(word: str) -> str:
    """A word without its plural; "hoodie" becomes "hoody", since "hoodies" may be of either."""
    if word.endswith(("ies", "ie")):
        return f"{word.removesuffix('s')[:-2]}y"
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


def person_of(gender: str, title: str, age: str = "") -> str:
    """Whom a product is for: its gender, or that of a child where its title or its age says so.

    Example:
        >>> person_of("Men", "Palm Tree Kids Boys Blue Shorts")
        'boys'
        >>> person_of("Women", "Gini and Jony Kids Black Capris")
        'girls'
    """
    own = gender_of(gender)
    told = {_CHILD_WORDS[word] for word in re.findall(r"[a-z']+", title.lower()) if word in _CHILD_WORDS}
    if own in _CHILDREN or (not told and age.strip().lower() not in _CHILD_AGES):
        return own
    named = told - {"kids"}
    return named.pop() if len(named) == 1 else _CHILD_OF.get(own, "kids")


def is_child(person: str) -> bool:
    """Whether a word for a gender means children."""
    return gender_of(person) in _CHILDREN | {"kids"}


def same_gender(one: str, other: str) -> bool:
    """Whether two words for a gender mean the same."""
    return gender_of(one) == gender_of(other)


def genders_beside(word: str, genders: Sequence[str]) -> tuple[str, ...]:
    """Those of a catalog's genders that fit beside one: the same, and what is for all of that age."""
    own = gender_of(word)
    shared = {"unisex"} if own in _ADULTS else {"kids"} if own in _CHILDREN else set()
    if own == "kids":
        shared = _CHILDREN
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
    fits = {own}.union(*(half for half in WEATHER_SEASONS.values() if own in half))
    return tuple(season for season in seasons if season.strip().lower() in fits)


@lru_cache(maxsize=4096)
def occasions_of(kind: str, usage: str = "", gender: str = "") -> tuple[Occasion, ...]:
    """For what a kind is worn that the catalog says is for a usage, the most usual first; never nothing.

    Unknown words for a kind, a usage or a gender say nothing.

    Example:
        >>> occasions_of("Track Pants", "Sports")
        (<Occasion.SPORTS: 'sports'>,)
    """
    kind, usage = kind.strip().lower(), usage.strip().lower()
    worn = _ending(kind, _occasion_table(), default=tuple(Occasion))
    if gender_of(gender) == "men":
        worn = _ending(kind, _mens_table(), default=worn)
    if _slot_of(kind) in _CARRIED:
        told = _CARRIED_USAGE_OCCASIONS.get(usage, worn)
        return told if usage == _SPORTS else tuple(each for each in told if each in worn) or told
    told = _USAGE_OCCASIONS.get(usage, worn)
    return tuple(each for each in told if each in worn) or worn


@lru_cache(maxsize=4096)
def kinds_clash(one: str, other: str) -> bool:
    """Whether two kinds are never worn together, in any order."""
    rows = [_ending(kind.strip().lower(), _clash_table(), default=frozenset()) for kind in (one, other)]
    return any((number, 1 - side) in rows[1] for number, side in rows[0])


@lru_cache(maxsize=1)
def _clash_table() -> dict[str, frozenset[tuple[int, int]]]:
    """Each phrase with the rows of the table of clashes that it is in, and the side of each."""
    table: dict[str, frozenset[tuple[int, int]]] = {}
    for number, row in enumerate(_CLASHING_KINDS):
        for side, phrases in enumerate(row):
            for phrase in _by_phrase({phrases: None}):
                table[phrase] = table.get(phrase, frozenset()) | {(number, side)}
    return table


@lru_cache(maxsize=4096)
def weather_of(kind: str, season: str = "") -> tuple[Weather, ...]:
    """In what weather a kind is worn that the catalog says is for a season, that of the season first."""
    worn = _ending(kind.strip().lower(), _weather_table(), default=tuple(Weather))
    return tuple(reversed(worn)) if season.strip().lower() in WEATHER_SEASONS[Weather.COLD] else worn


def common_worn(worn: Sequence[Sequence[Value]]) -> tuple[Value, ...]:
    """The occasions, or the kinds of weather, that are in all of some lists, the most usual first."""
    common = [value for value in worn[0] if all(value in others for others in worn)]
    ranks = {value: sum(each.index(value) for each in worn) for value in common}
    return tuple(sorted(common, key=lambda value: ranks[value]))
