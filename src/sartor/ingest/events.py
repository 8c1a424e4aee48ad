"""Imports a file of events in batches; each batch is on disk before the next one is read.

After a stop half-way, whole batches are stored, and importing again adds the rest: a stored event is recognized by
its id, and an event without an id by all its fields.
"""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from sartor.errors import BadEvent
from sartor.events.files import open_events
from sartor.events.model import Taken, event_in
from sartor.limits import MAX_LISTED_REJECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sartor.catalog import Finding
    from sartor.events.files import EventFile, EventLine
    from sartor.events.model import Event
    from sartor.events.vocabulary import Vocabulary
    from sartor.store.base import EventStore

logger = logging.getLogger(__name__)

_BATCH = 5_000  # events; a commit costs less than reading them
_MAX_EXAMPLES = 5
_MAX_REASONS = 10  # that name their value; beyond, values are left out
_SHOWN_VALUE = re.compile(r"'.*'|\b\d[\d.e+]*\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedLine:
    """A line that is no event, and the reason."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventProgress:
    """How far an import is; everything counted here is committed.

    Attributes:
        read: Lines read, without blank ones and the header.
        added: New events.
        read_bytes: Bytes of the file that were read.
        size_bytes: Size of the file.
    """

    read: int
    added: int
    read_bytes: int
    size_bytes: int


OnEvents: TypeAlias = Callable[[EventProgress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventImportReport:
    """What an import of events did.

    Attributes:
        source: The file, as it was given.
        read: Lines read, without blank ones and the header: added, duplicate and rejected ones.
        added: New events.
        duplicates: Events that were stored already, or that the file has more than once.
        unknown_products: Events about products that the catalog does not have; they are stored.
        unknown_examples: Ids of such products, those with the most events first.
        undated: Events with neither id nor time: they count as of now, and importing them again adds them again.
        placeholders: Events in which an id was a placeholder for a missing one, such as ``undefined``; it was left
            out.
        left_out: Number of events of types that have no meaning here, by the file's name of the type.
        rejected: Lines that are no events.
        reasons: Number of rejected lines by what is wrong, the most frequent first.
        rejections: The first of them.
        ignored: Number of events with a value in a column that no event has, by the column's name.
        findings: What the file's reader noticed, such as rows with a stray quote.
        seconds: Duration of the import.
    """

    source: str
    read: int
    added: int
    duplicates: int
    unknown_products: int
    unknown_examples: tuple[str, ...]
    undated: int
    placeholders: int
    left_out: tuple[tuple[str, int], ...]
    rejected: int
    reasons: tuple[tuple[str, int], ...]
    rejections: tuple[RejectedLine, ...]
    ignored: tuple[tuple[str, int], ...]
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def failure(self) -> str | None:
        """Why this was no success although the file could be read; None if it was."""
        if self.added or self.duplicates:
            return None
        if not self.read:
            return f"{self.source} has no event"
        causes = [f"{reason} ({count:,})" for reason, count in self.reasons]
        causes += [f"{name!r} has no meaning here ({count:,})" for name, count in self.left_out]
        return f"no event of {self.source} was taken: {'; '.join(causes)}"


def import_events(  # noqa: PLR0913 - each is a keyword of its own
    path: Path,
    *,
    store: EventStore,
    known: Callable[[Collection[str]], set[str]],
    now_s: float,
    vocabulary: Vocabulary | None = None,
    on_progress: OnEvents = lambda _: None,
) -> EventImportReport:
    """Import the events of a file; lines that are no events are reported and skipped.

    Args:
        path: A CSV or JSON Lines file.
        store: Where the events are stored.
        known: Returns which of some product ids the catalog has.
        now_s: The time now, in seconds since 1970 UTC.
        vocabulary: What the file calls fields and types, beside the usual names.
        on_progress: Called after every batch.

    Raises:
        SourceNotFound: The file does not exist.
        UnreadableTable: The file has no events, or the rest of it cannot be read.
    """
    started_s = time.perf_counter()
    with open_events(path, vocabulary, now_s=now_s) as file:
        run = _Run(store, known, now_s=now_s)
        for lines in _batches(file):
            run.add(lines)
            on_progress(
                EventProgress(
                    read=run.read, added=run.added, read_bytes=file.read_bytes, size_bytes=file.size_bytes
                )
            )
        report = run.report(path, file, seconds=time.perf_counter() - started_s)
    logger.info(
        "events imported: source=%s added=%d duplicates=%d rejected=%d seconds=%.1f",
        path,
        report.added,
        report.duplicates,
        report.rejected,
        report.seconds,
    )
    return report


class _Run:
    """An import in progress, and its counts so far."""

    def __init__(self, store: EventStore, known: Callable[[Collection[str]], set[str]], *, now_s: float) -> None:
        self.read = 0
        self.added = 0
        self._duplicates = 0
        self._undated = 0
        self._placeholders = 0
        self._rejected = 0
        self._rejections: list[RejectedLine] = []
        self._reasons: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._known: set[str] = set()
        self._store = store
        self._find_known = known
        self._now_s = now_s

    def add(self, lines: Sequence[EventLine]) -> None:
        """Store a batch in one transaction."""
        events = [event for line in lines if (event := self._event(line)) is not None]
        self._look_up(events)
        taken = self._store.add(events) if events else Taken()
        self.read += len(lines)
        self.added += taken.added
        self._duplicates += taken.duplicates

    def report(self, path: Path, file: EventFile, *, seconds: float) -> EventImportReport:
        """The report of the import."""
        return EventImportReport(
            source=str(path),
            read=self.read,
            added=self.added,
            duplicates=self._duplicates,
            unknown_products=self._unknown.total(),
            unknown_examples=tuple(product for product, _ in self._unknown.most_common(_MAX_EXAMPLES)),
            undated=self._undated,
            placeholders=self._placeholders,
            left_out=tuple(self._left_out.most_common()),
            rejected=self._rejected,
            reasons=tuple(self._reasons.most_common()),
            rejections=tuple(self._rejections),
            ignored=tuple(file.ignored.most_common()),
            findings=file.findings.snapshot(),
            seconds=seconds,
        )

    def _event(self, line: EventLine) -> Event | None:
        if line.fields is None:
            self._reject(line.location, "it is no JSON object")
            return None
        if line.left_out is not None:
            self._left_out[line.left_out] += 1
            return None
        try:
            given = event_in(line.fields)
            event = given.event(now_s=self._now_s)
        except BadEvent as error:
            self._reject(line.location, error.reason)
            return None
        has_id = line.fields.get("event_id") and "event_id" not in given.placeholders
        self._undated += not (has_id or line.fields.get("timestamp"))
        self._placeholders += bool(given.placeholders)
        return event

    def _reject(self, place: str, reason: str) -> None:
        self._rejected += 1
        kind = _SHOWN_VALUE.sub("…", reason) if len(self._reasons) >= _MAX_REASONS else reason
        self._reasons[kind] += 1
        if len(self._rejections) < MAX_LISTED_REJECTIONS:
            self._rejections.append(RejectedLine(place=place, reason=reason))

    def _look_up(self, events: Sequence[Event]) -> None:
        products = Counter(event.product_id for event in events if event.product_id)
        new = products.keys() - self._known - self._unknown.keys()
        self._known |= self._find_known(new) if new else set()
        self._unknown.update({
            product: count for product, count in products.items() if product not in self._known
        })  # fmt: skip


def _batches(file: EventFile) -> Iterator[list[EventLine]]:
    lines = iter(file)
    while batch := list(islice(lines, _BATCH)):
        yield batch
