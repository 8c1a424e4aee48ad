"""What a reader sees of an index in OpenSearch that an indexer writes: its name behind the alias, its revision."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opensearchpy.exceptions import NotFoundError

from sartor.index.opensearch.documents import STATE, State

if TYPE_CHECKING:
    from sartor.index.opensearch.connection import OpenSearch
    from sartor.index.opensearch.documents import Facts, Json
    from sartor.types import Where

STRICT = {"allow_partial_search_results": "false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was last read of the index: its name behind the alias, its revision, and photos that pass a filter."""

    name: str | None = None
    revision: int = 0
    counts: dict[Where, int] = field(default_factory=dict, compare=False)


_NOTHING = Seen()


class IndexView:
    """The index behind an alias, if it was made for these facts. Threads may share it.

    Args:
        server: The cluster; it stays open.
        alias: The name by which the index is read.
        facts: What it has to be made for.

    Attributes:
        seen: What was last read of it.
    """

    def __init__(self, server: OpenSearch, *, alias: str, facts: Facts) -> None:
        self._server, self._alias, self._facts = server, alias, facts
        self.seen = _NOTHING

    def refresh(self) -> None:
        """Read anew what the index is and how far it has followed.

        Raises:
            IndexAway: The engine does not answer.
            IndexUnusable: It is another workspace's.
        """
        seen = self._read()
        if (seen.name, seen.revision) != (self.seen.name, self.seen.revision):
            self.seen = seen

    def ask(self, body: Json | str) -> Json:
        """A search, or several as lines of JSON; what it finds is nothing where there is no index."""
        path, params = ("_search", STRICT) if isinstance(body, dict) else ("_msearch", {})
        for _ in range(2):
            name = self.seen.name
            if name is None:
                return {}
            try:
                answer: Json = self._server.call("POST", f"/{name}/{path}", body, params=params)
            except NotFoundError:  # it was replaced by another one
                self.refresh()
            else:
                return answer
        return {}

    def _read(self) -> Seen:
        try:
            found = self._server.call("GET", f"/{self._alias}/_doc/{STATE}")
        except NotFoundError:
            return _NOTHING
        try:
            state = State.of(found["_source"])
        except (KeyError, TypeError, ValueError) as error:
            raise self._foreign() from error
        if state.facts.workspace != self._facts.workspace:
            raise self._foreign()
        if state.facts != self._facts:
            return _NOTHING
        return Seen(name=found["_index"], revision=state.revision)

    def _foreign(self) -> Exception:
        return self._server.unusable(
            reason=f"the index {self._alias} is another workspace's; choose another prefix in SARTOR_INDEX"
        )
