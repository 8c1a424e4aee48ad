"""A log parted by time: what was known then, and what people turned out to want.

Source: P. Campos, F. Díez and I. Cantador, "Time-aware recommender systems" (UMUAI 2014), of which this is the
split at one time for all, that never learns from what came later.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sartor.events.model import EventType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sartor.events.model import Event, Person
    from sartor.types import Attributes


SEED = 20
SHARE = 0.1


_GROUP = "item_group_id"  # variants of one product share it, and must not lie on both sides


def is_held_out(key: str, *, seed: int, share: float) -> bool:
    """Whether a product is kept from training, to evaluate with.

    The same key gives the same answer for ever; a larger share holds out the same products and more.

    Args:
        key: What is split, as ``split_key`` gives it.
        seed: Chooses another split.
        share: About which part is held out, in [0, 1].
    """
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < share


def split_key(product_id: str, attributes: Attributes, *, group_by: Sequence[str] = (_GROUP,)) -> str:
    """What stands for a product in the split: the group of its variants, or else its id; as in a training.

    Args:
        product_id: The product.
        attributes: What the catalog says of it.
        group_by: Attributes that name a group; the first one that the product has counts.
    """
    names = (name for name in group_by if attributes.get(name) not in {None, ""})
    name = next(names, None)
    return product_id if name is None else f"{name}={attributes[name]}"


WANTED = (EventType.LIKE, EventType.ADD_TO_CART, EventType.PURCHASE)
LOOKED_AT = (EventType.VIEW, EventType.CLICK)  # tells what is wanted where nothing tells more
SHARE_BEFORE = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSplit:
    """A log, parted; impressions are in neither part.

    Attributes:
        at_s: The first moment of the second part, in seconds since 1970 UTC.
        before: Events of the first part, the oldest first.
        after: Events of the second part, the oldest first.
        impressions: Events that say no more than that a product was shown in a list, the oldest first.
    """

    at_s: float
    before: tuple[Event, ...]
    after: tuple[Event, ...]
    impressions: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Somebody whose wants are to be foreseen.

    Attributes:
        person: Who.
        history: What the person did before, the oldest first: all of it.
        targets: Products that were wanted afterwards and are not in the history, each once, in order.
    """

    person: Person
    history: tuple[Event, ...]
    targets: tuple[str, ...]

    @property
    def done(self) -> frozenset[str]:
        """Products in the history."""
        return frozenset(event.product_id for event in self.history if event.product_id)


def split_in_time(events: Iterable[Event], *, share: float = SHARE_BEFORE) -> TimeSplit:
    """Part a log at a time such that a share of its events lies before; an id that comes again counts once.

    Args:
        events: In any order.
        share: From 0 to 1. Events at one time are not parted, so that it may be a little less.
    """
    distinct = {event.id: event for event in events}.values()
    ordered = sorted(distinct, key=lambda event: (event.at_s, event.id))
    impressions = tuple(event for event in ordered if event.is_impression)
    others = [event for event in ordered if not event.is_impression]
    if not others:
        return TimeSplit(at_s=0.0, before=(), after=(), impressions=impressions)
    at_s = others[min(int(share * len(others)), len(others) - 1)].at_s
    return TimeSplit(
        at_s=at_s,
        before=tuple(event for event in others if event.at_s < at_s),
        after=tuple(event for event in others if event.at_s >= at_s),
        impressions=impressions,
    )


def cases_of(split: TimeSplit, catalog: Collection[str], *, wanted: Collection[EventType] = WANTED) -> list[Case]:
    """People of whom something telling is known before the split, and who wanted something new after it.

    Args:
        split: The log.
        catalog: Products that can be recommended; others are no targets.
        wanted: Types of events that say that a product was wanted.

    Returns:
        In the order of their names.
    """
    histories = by_person(split.before)
    targets: dict[Person, dict[str, None]] = {}
    known = {person: {event.product_id for event in events} for person, events in histories.items()}
    for event in split.after:
        if (
            event.type in wanted
            and event.product_id in catalog
            and event.product_id not in known.get(event.person, ())
        ):
            targets.setdefault(event.person, {})[event.product_id] = None
    cases = [
        Case(person=person, history=tuple(histories[person]), targets=tuple(products))
        for person, products in targets.items()
        if person in histories and telling(histories[person])
    ]
    return sorted(cases, key=lambda case: (case.person.kind, case.person.id))


def by_person(events: Iterable[Event]) -> Mapping[Person, list[Event]]:
    """Events of each person, in their order."""
    found: dict[Person, list[Event]] = {}
    for event in events:
        found.setdefault(event.person, []).append(event)
    return found


def telling(events: Iterable[Event]) -> list[Event]:
    """The events that say what somebody likes: neither searches nor dislikes."""
    return [event for event in events if event.type in WANTED or event.type in LOOKED_AT]


def last_events(history: Sequence[Event], count: int) -> tuple[Event, ...]:
    """The end of a history, the oldest first, from the ``count``-th last telling event on; all if it has fewer."""
    told = telling(history)
    if len(told) <= count:
        return tuple(history)
    first = told[-count]
    return tuple(history[history.index(first) :])
