"""Why a piece is in a look, in words for shoppers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.imaging.color import color_name
from sartor.recommend.features import color_family
from sartor.recommend.outfit.harmony import A_COLOR, Relation
from sartor.recommend.outfit.looks import shades_of
from sartor.recommend.outfit.rules import WEATHER_SEASONS, Occasion, Slot, Weather, seasons_beside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.recommend.outfit.harmony import Harmony
    from sartor.recommend.outfit.looks import Piece

_PEOPLE = {"unisex": "everyone"}  # of genders that are called otherwise
_OCCASIONS = {Occasion.TRADITIONAL: "traditional wear"}
_SENTENCES = {
    Relation.SAME_NEUTRAL: "{own} goes with {other}",
    Relation.TWO_NEUTRALS: "{own} goes with {other}",
    Relation.SAME_COLOR: "picks up the {other}",
    Relation.TWO_SHADES: "{own} and {other} blend softly",
    Relation.NEIGHBORS: "{own} and {other} blend softly",
    Relation.COMPLEMENTS: "{own} and {other} set each other off",
    Relation.TRIAD: "{own} is a lively contrast to {other}",
    Relation.APART: "{own} and {other}: a bold mix",
}
_ONE_SHADE = {"black", "white"}  # families that shoppers see as one shade each
_SMALL = {Slot.WATCH, Slot.EYEWEAR, Slot.JEWELRY, Slot.BELT}


def purpose(person: str, occasion: Occasion, season: str = "") -> str:
    """Whom a piece is for, if it is known, and what it is for together with the given one.

    Example:
        >>> purpose("men", Occasion.OFFICE, "winter")
        'for men, both for the office in winter'
    """
    who = f"for {_PEOPLE.get(person, person)}, " if person else ""
    when = f" in {season}" if season else ""
    return f"{who}both for {_OCCASIONS.get(occasion, occasion.value)}{when}"


def common_season(asked: str, own: str, occasion: Occasion, weather: Sequence[Weather]) -> str:
    """The season of two pieces, if it is the same half of the year and the look is worn then; else empty."""
    season = own.strip().lower()
    worn = {*weather} - ({Weather.COLD} if occasion is Occasion.BEACH else set())
    is_worn = any(seasons_beside(season, WEATHER_SEASONS[each]) for each in worn)
    return season if season and is_worn and seasons_beside(asked, [own]) else ""


def colors_together(asked: Piece, piece: Piece, harmony: Harmony, look: Sequence[Piece]) -> str:
    """How the color of a piece goes with that of the given one, in a look of all these pieces."""
    own, other = called(piece), called(asked)
    is_color, is_color_asked = (_is_color(each) for each in (piece, asked))
    if is_color and not is_color_asked:
        accents = [each for each in look if _is_color(each)]
        if len({color_family(called(each)) for each in accents}) == 1:
            first = accents[0]
            if first.slot is piece.slot:
                return f"a calm look with one {own} accent"
            return f"picks up the {called(first)} of the {first.slot.value}"
    if harmony.relation is Relation.NEUTRAL_AND_COLOR:
        if color_family(own) == color_family(other):
            return f"two shades of {color_family(own)}"
        if is_color:
            return f"{own} brightens up {other}"
        return f"{own} goes with {other}" if piece.slot in _SMALL else f"{own} lets the {other} stand out"
    return _said(harmony.relation, own, other)


def _said(relation: Relation, own: str, other: str) -> str:
    one_name, family = own == other, color_family(own)
    if one_name and (relation is Relation.SAME_NEUTRAL or family in _ONE_SHADE):
        return f"matches the {other}"
    if one_name:
        return f"light and dark {own}" if relation is Relation.TWO_NEUTRALS else f"picks up the {other}"
    if relation is Relation.TWO_SHADES and family == color_family(other):
        return f"two shades of {family}"
    return _SENTENCES[relation].format(own=own, other=other)


def _is_color(piece: Piece) -> bool:
    return float(shades_of([piece]).vivid[0]) >= A_COLOR


def called(piece: Piece) -> str:
    """The color of a piece as shoppers call it."""
    return piece.color_name or color_name(piece.color)
