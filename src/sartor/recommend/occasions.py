"""For whom, for what and for when products are: which words of a catalog agree with those of a given product."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.recommend.slots import Slot

if TYPE_CHECKING:
    from collections.abc import Sequence

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
_STAND_INS = {  # for usages of which a shop has too little
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


def same_words(one: str, other: str) -> bool:
    """Whether two words for a gender mean the same."""
    return gender_of(one) == gender_of(other)


def genders_beside(given: str, there: Sequence[str]) -> tuple[str, ...]:
    """The genders of a catalog that fit beside a given one: the same, and what is for all of that age."""
    own = gender_of(given)
    shared = {"unisex"} if own in _ADULTS else {"kids"} if own in _CHILDREN else set()
    return tuple(each for each in there if gender_of(each) in {own, *shared})


def genders_agree(one: str, other: str) -> bool:
    """Whether what is for one and what is for the other can be in one look."""
    return bool(genders_beside(one, [other]) or genders_beside(other, [one]))


def usages_beside(given: str, there: Sequence[str], *, slot: Slot, widened: int) -> tuple[str, ...]:
    """The usages of a catalog that fit beside a given one.

    Args:
        given: The usage of what is given.
        there: All that the catalog has.
        slot: For which slot; a casual bag or watch does beside everything but sports.
        widened: 0 for the same usage, 1 with what may stand in for it.
    """
    own = given.strip().lower()
    fits = {own}
    if widened:
        fits |= _STAND_INS.get(own, set())
        if slot in _CARRIED and own != _SPORTS:
            fits.add("casual")
    return tuple(each for each in there if each.strip().lower() in fits)


def seasons_beside(given: str, there: Sequence[str]) -> tuple[str, ...]:
    """The seasons of a catalog that fit beside a given one: the same half of the year."""
    own = given.strip().lower()
    fits = {own}.union(*(half for half in _SEASONS if own in half))
    return tuple(each for each in there if each.strip().lower() in fits)


def gender_of(word: str) -> str:
    """What a word for a gender means: one word for all that mean the same; its own lower case if none is known."""
    lower = word.strip().lower()
    return next((gender for gender, words in _GENDERS.items() if lower in words), lower)
