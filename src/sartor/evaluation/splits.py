"""What is held out: products by a hash of their id, and the later part of an event log.

Source: P. Campos, F. Díez and I. Cantador, "Time-aware recommender systems" (UMUAI 2014): one split time for
everybody, so that nothing is learned from what came later.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sartor.events.model import EventType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sartor.events.model import Event, Person
    from sartor.types import Attributes

SEED = 20
SHARE = 0.1
GROUP = "item_group_id"  # variants of one product share it, and must not be on both sides

WANTED = (EventType.LIKE, EventType.ADD_TO_CART, EventType.PURCHASE)
LOOKED_AT = (EventType.VIEW, EventType.CLICK)  # stand for what is wanted in logs that have nothing better
SHARE_BEFORE = 0.8


def is_held_out(key: str, *, seed: int, share: float) -> bool:
    """Whether a product is kept from training, to evaluate with.

    The same key gives the same answer for ever; a larger share holds out the same products and more.

    Args:
        key: What is split, as ``split_key`` gives it.
        seed: Another seed gives another split.
        share: Part that is held out, about, in [0, 1].
    """
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < share


def split_key(product_id: str, attributes: Attributes, *, group_by: Sequence[str] = (GROUP,)) -> str:
    """What stands for a product in the split: the group of its variants, or else its id. Training uses it, too.

    Args:
        product_id: The product.
        attributes: Of the product.
        group_by: Attributes that name a group; the first one that the product has counts.
    """
    names = (name for name in group_by if attributes.get(name) not in {None, ""})
    name = next(names, None)
    return product_id if name is None else f"{name}={attributes[name]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSplit:
    """A log split in two, each part with the oldest event first.

    Attributes:
        at_s: Start of the second part, in seconds since 1970 UTC.
        before: Events of the first part.
        after: Events of the second part.
        impressions: Events that only say that a product was shown in a list; in neither part.
    """

    at_s: float
    before: tuple[Event, ...]
    after: tuple[Event, ...]
    impressions: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A person whose next products are to be predicted.

    Attributes:
        person: Who.
        history: All events before the split, the oldest first.
        targets: Products that the person wanted afterwards and that are not in the history, each once, in order.
    """

    person: Person
    history: tuple[Event, ...]
    targets: tuple[str, ...]

    @property
    def done(self) -> frozenset[str]:
        """Products in the history."""
        return frozenset(event.product_id for event in self.history if event.product_id)


def split_in_time(events: Iterable[Event], *, share: float = SHARE_BEFORE) -> TimeSplit:
    """Split a log at a time before which lies a share of its events; an id that comes again counts once.

    Args:
        events: In any order.
        share: From 0 to 1. Events of one moment stay together, so that it may be a little less.
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


def cases_of(split: TimeSplit, catalog: Collection[str], *, types: Collection[EventType] = WANTED) -> list[Case]:
    """People who showed a preference before the split and wanted something new after it, sorted by id.

    Args:
        split: The log.
        catalog: Products that can be recommended; others are no targets.
        types: Types of events that say that a product was wanted.
    """
    histories: dict[Person, list[Event]] = {}
    for event in split.before:
        histories.setdefault(event.person, []).append(event)
    known = {person: {event.product_id for event in events} for person, events in histories.items()}
    targets: dict[Person, dict[str, None]] = {}
    for event in split.after:
        is_new = event.product_id in catalog and event.product_id not in known.get(event.person, ())
        if event.type in types and is_new:
            targets.setdefault(event.person, {})[event.product_id] = None
    cases = [
        Case(person=person, history=tuple(histories[person]), targets=tuple(products))
        for person, products in targets.items()
        if person in histories and preferences_in(histories[person])
    ]
    return sorted(cases, key=lambda case: (case.person.kind, case.person.id))


def preferences_in(events: Iterable[Event]) -> list[Event]:
    """The events that say what somebody likes: neither searches nor dislikes."""
    return [event for event in events if event.type in WANTED or event.type in LOOKED_AT]


def last_events(history: Sequence[Event], count: int) -> tuple[Event, ...]:
    """The end of a history, the oldest first, from its ``count``-th last preference on; all if it has fewer."""
    preferences = preferences_in(history)
    if len(preferences) <= count:
        return tuple(history)
    return tuple(history[history.index(preferences[-count]) :])
