"""What is asked of a catalog."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from sartor.errors.base import SartorError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SHOWN_VALUES = 20  # of an attribute, in a message


class QueryError(SartorError):
    """A query cannot be answered as it stands."""


class EmptyCatalog(QueryError):
    """There is nothing to recommend yet."""

    def __init__(self, home: Path) -> None:
        super().__init__(f"{home} holds no photos yet; fill it with: sartor index SOURCE")


class EmptyQuery(QueryError):
    """A query names neither a photo nor a product."""

    def __init__(self) -> None:
        super().__init__("the query is empty; give at least one photo, product or color")


class ProductNotFound(QueryError):
    """No product has this id, or it has no photo to compare."""

    def __init__(self, product_id: str, *, reason: str = "is not in the catalog") -> None:
        super().__init__(f"product {product_id!r} {reason}; see what there is with: sartor info")


class UnknownAttribute(QueryError):
    """A filter names an attribute that no product has."""

    def __init__(self, attribute: str, *, known: Sequence[str]) -> None:
        close = get_close_matches(attribute, known, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}? " if close else ""
        there = ", ".join(known) or "none"
        super().__init__(f"no product has an attribute {attribute!r}; {hint}there are: {there}")


class UnknownValue(QueryError):
    """A filter asks for a value that no product has."""

    def __init__(self, attribute: str, value: str, *, known: Sequence[str]) -> None:
        by_lower = {each.lower(): each for each in known}
        close = get_close_matches(value.lower(), by_lower, n=1, cutoff=0.5)
        hint = f"did you mean {by_lower[close[0]]!r}? " if close else ""
        there = ", ".join(known[:_SHOWN_VALUES]) + (", …" if len(known) > _SHOWN_VALUES else "")
        super().__init__(f"no product has {attribute} {value!r}; {hint}there are: {there or 'none'}")


class UnknownColor(QueryError):
    """A text is no color."""

    def __init__(self, text: str, *, known: Sequence[str]) -> None:
        close = get_close_matches(text.lower().replace(" ", ""), known, n=1, cutoff=0.6)
        hint = f"did you mean {close[0]!r}? " if close else ""
        super().__init__(f"{text!r} is no color; {hint}write #rrggbb, or a name of CSS such as navy")


class BadDial(QueryError):
    """A dial cannot be set so."""

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the dials cannot be set so: {reason}; each is from 0 to 1, and one of them above 0")


class BadWeight(QueryError):
    """A part of a query cannot weigh so much."""

    def __init__(self, weight: float) -> None:
        super().__init__(f"a part of a query cannot weigh {weight:g}; give a number above 0")


class BadBox(QueryError):
    """A region does not lie in a photo."""

    def __init__(self, box: Sequence[float]) -> None:
        numbers = ",".join(f"{number:g}" for number in box)
        super().__init__(
            f"the box {numbers} does not lie in the photo; give left, top, width and height as shares from 0 to 1"
        )


class NotInALook(QueryError):
    """A look is wanted for a product that is not worn or carried."""

    def __init__(self, product_id: str, *, kind: str, slots: Sequence[str]) -> None:
        what = f"is {kind!r}" if kind else "says no kind"
        super().__init__(
            f"product {product_id!r} {what}, which has no place in a look; give one of: {', '.join(slots)}"
        )


class PiecesClash(QueryError):
    """Two products cannot be in one look."""

    def __init__(self, one: str, other: str, *, reason: str) -> None:
        super().__init__(f"products {one!r} and {other!r} cannot be in one look: {reason}; leave one of them out")


class UnknownSlot(QueryError):
    """There is no such slot."""

    def __init__(self, name: str, *, known: Sequence[str]) -> None:
        close = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}? " if close else ""
        super().__init__(f"{name!r} is no slot of a look; {hint}there are: {', '.join(known)}")


class BadFilter(QueryError):
    """A filter cannot be understood."""

    def __init__(self, text: str, *, reason: str) -> None:
        super().__init__(
            f"the filter {text!r} cannot be understood: {reason}; "
            "write key=value, key=a,b for any of several, or key=10..50 for a range"
        )


class BadCursor(QueryError):
    """A place in a listing cannot be gone on from."""

    def __init__(self) -> None:
        super().__init__("this is no place in this listing; give the next of the page before, or begin anew")


class PersonNotFound(QueryError):
    """Nothing is held about a person."""

    def __init__(self, person_id: str, *, kind: str) -> None:
        super().__init__(f"nothing is held about the {kind} {person_id!r}; check the id")


class VisitorTaken(QueryError):
    """A visitor was merged into another user before."""

    def __init__(self, visitor_id: str, *, user_id: str) -> None:
        super().__init__(
            f"visitor {visitor_id!r} was merged into another user than {user_id!r} before; "
            "give the browser a new visitor id when somebody logs out"
        )


class BadEvent(QueryError):
    """An event cannot be taken.

    Attributes:
        reason: Why, in a few words.
    """

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the event cannot be taken: {reason}")
        self.reason = reason
