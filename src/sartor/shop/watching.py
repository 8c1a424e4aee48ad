"""Keeps a catalog up with its sources: looks at them in a rhythm, and indexes those that changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from sartor.errors import SartorError, SourceNotFetched, SourceNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sartor.ingest.photos import IngestReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """A source was indexed, and that changed the catalog or what is rejected.

    Attributes:
        source: The source, as it was given.
        report: What was done.
    """

    source: str
    report: IngestReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A source could not be looked at or indexed; the next round tries again.

    Attributes:
        source: The source, as it was given.
        error: Why.
        is_away: Whether it is not there at the moment; this is told once, until it is there again.
    """

    source: str
    error: SartorError
    is_away: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A source that was away is there again.

    Attributes:
        source: The source, as it was given.
    """

    source: str


Event: TypeAlias = Indexed | Trouble | Returned


class Watch:
    """Looks at sources, and indexes what changed since the last look.

    A source's state is taken before it is read. So what changes meanwhile is seen by the next round.

    Args:
        sources: Paths and addresses.
        state_of: What changes with a source.
        index: Indexes a source.
    """

    def __init__(
        self,
        sources: Sequence[str],
        *,
        state_of: Callable[[str], str],
        index: Callable[[str], IngestReport],
    ) -> None:
        self._sources, self._state_of, self._index = tuple(dict.fromkeys(sources)), state_of, index
        self._done: dict[str, str] = {}  # the state that was indexed last, by source
        self._away: set[str] = set()
        self._rejected: dict[str, frozenset[str]] = {}  # photos, by source

    def round(self) -> Iterator[Event]:
        """Look at each source once; yields what happened. A source that did not change yields nothing."""
        for source in self._sources:
            try:
                state = self._state_of(source)
                if source in self._away:
                    self._away.discard(source)
                    yield Returned(source=source)
                if self._done.get(source) == state:
                    continue
                report = self._index(source)
            except (SourceNotFound, SourceNotFetched) as error:
                if source not in self._away:
                    self._away.add(source)
                    yield Trouble(source=source, error=error, is_away=True)
                continue
            except SartorError as error:
                yield Trouble(source=source, error=error, is_away=False)
                continue
            is_first = source not in self._done
            self._done[source] = state
            rejected = frozenset(rejection.photo for rejection in report.rejected)
            changed = report.added + report.updated + report.deleted + report.embedded
            if is_first or changed or rejected != self._rejected.get(source):
                yield Indexed(source=source, report=report)
            self._rejected[source] = rejected
