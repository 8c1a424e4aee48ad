"""An index in OpenSearch that one indexer of a workspace writes: of a model, or of the catalog's listing.

What holds even if a former indexer was only paused, and goes on writing:

- A document's version is the store's revision. OpenSearch refuses an older one, also of a deleted product, which
  leaves a tombstone.
- Documents are written by an alias that names the term of the indexer. The next indexer removes it.
- The state of the index has the term as its version, so that an older term cannot note a revision.
"""

from __future__ import annotations

import json
import logging
import re
import time
from typing import TYPE_CHECKING

from opensearchpy.exceptions import ConflictError, NotFoundError

from sartor.errors import IndexerReplaced
from sartor.index.opensearch.connection import reason_of
from sartor.index.opensearch.documents import (
    REVISION,
    STATE,
    TERM,
    State,
    document_id,
    old_tombstones,
    tombstone,
)
from sartor.limits import SERVER_CALL_S, TOMBSTONE_AGE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from sartor.index.opensearch.connection import OpenSearch
    from sartor.index.opensearch.documents import Facts, Json

logger = logging.getLogger(__name__)

_MAX_BULK_BYTES = 2 << 20
_WAIT_S = 0.1  # after a write that the engine was too busy for; twice as long each time
_SWEEP_S, _MAX_SWEPT = 3_600.0, 10_000
_CREATE_S = 60.0  # Seconds for making an index, or for what waits for all shards
_CONFLICT, _BUSY = 409, 429


class FencedIndex:
    """An index behind an alias, of which products are documents, as the indexer of a term writes it.

    It goes on with the index that there is. One that was made for something else, such as another model or another
    format, stays in use until a new one has caught up with the store; ``mark`` puts that in its place.

    Args:
        server: The cluster; it stays open.
        alias: The name by which it is read.
        facts: What it is made for.
        body: What makes it.
        term: Fencing token of the indexer's lease: each holder has a higher one than those before.
        clock: Seconds since 1970 (UTC).

    Raises:
        IndexAway: The engine does not answer.
        IndexUnusable: It cannot be used.
        IndexerReplaced: An indexer with a higher term writes the index.
    """

    def __init__(  # noqa: PLR0913 - each is a keyword of its own
        self,
        server: OpenSearch,
        *,
        alias: str,
        facts: Facts,
        body: Json,
        term: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._server, self._alias, self._facts, self._body = server, alias, facts, body
        self._term, self._clock = term, clock
        self._revision, self._sweep_at_s = 0, 0.0
        self._index = ""
        self._open()

    @property
    def revision(self) -> int:
        """Revision of the store that was written up to."""
        return self._revision

    def put(self, products: Mapping[str, Json | None], *, revision: int) -> None:
        """Write the documents of products, by id; None deletes one.

        Args:
            products: What is written; the revision and the term are added.
            revision: The last revision of the store that it is of.
        """
        for lines in self._bulks(products, revision):
            self._write(lines)

    def advance(self, revision: int, *, changed: int) -> None:
        """Let searches see what was written, and note how far it goes."""
        self._follow(revision)
        logger.debug("index advanced: index=%s revision=%d products=%d", self._index, revision, changed)
        self._sweep()

    def mark(self, revision: int) -> None:
        """The same, and put the index in the place of the one in use."""
        self._follow(revision)
        self._put_in_place()

    def clear(self) -> None:
        """Begin anew at revision 0; what is in use stays until ``mark``."""
        self._require_own()
        building = self._index
        self._make()
        if building != self._in_use():
            self._delete(building)

    def _open(self) -> None:
        """Take over the index in use, or one that was being built, or make one."""
        in_use = self._in_use()
        if in_use is not None:
            state = self._state(in_use)
            if state is None or state.facts.workspace != self._facts.workspace:
                raise self._server.unusable(
                    reason=f"the index {in_use} is another workspace's; choose another prefix in SARTOR_INDEX"
                )
            self._claim(in_use, state)  # also if it is about to be replaced, so that only this indexer can do it
            if state.facts == self._facts:
                self._delete_others(lambda name: name != in_use)  # what a former indexer left unfinished
                return
        for name in reversed([name for name in self._indexes() if name != in_use]):
            state = self._state(name)
            if state is not None and state.facts == self._facts:
                self._claim(name, state)
                break
        else:
            self._make()
        if in_use is None:
            self._actions({"add": {"index": self._index, "alias": self._alias}})

    def _make(self) -> None:
        """Begin a new index."""
        number = max(map(_number, self._indexes()), default=0) + 1
        name = f"{self._alias}-{number}"
        try:
            self._server.call("PUT", f"/{name}", self._body, timeout_s=_CREATE_S)
        except ConflictError as error:  # another indexer makes the same one
            raise self._replaced() from error
        self._claim(name, State(facts=self._facts))
        logger.info("index made: index=%s", name)

    def _claim(self, name: str, state: State) -> None:
        """Make the term of this indexer the one that may write an index."""
        if state.term > self._term:
            raise self._replaced(state.term)
        self._index, self._revision = name, state.revision
        self._take_alias()
        self._note(state.revision, facts=state.facts)

    def _take_alias(self) -> None:
        self._actions(
            {"remove": {"index": self._index, "alias": f"{self._index}-t*"}},
            {"add": {"index": self._index, "alias": self._own_alias}},
        )

    @property
    def _own_alias(self) -> str:
        """The alias by which only an indexer of this term writes."""
        return self._own_alias_of(self._index)

    def _own_alias_of(self, name: str) -> str:
        return f"{name}-t{self._term}"

    def _follow(self, revision: int) -> None:
        """Let searches see what was written, then say how far it goes."""
        try:
            self._server.call("POST", f"/{self._index}/_refresh", timeout_s=_CREATE_S)
        except NotFoundError as error:
            raise self._replaced() from error
        self._note(revision, facts=self._facts)
        self._revision = revision

    def _note(self, revision: int, *, facts: Facts) -> None:
        state = State(facts=facts, revision=revision, term=self._term)
        version: dict[str, str | int] = {"version": self._term, "version_type": "external_gte"}
        for _ in range(2):
            try:
                self._server.call(
                    "PUT",
                    f"/{self._own_alias}/_doc/{STATE}",
                    state.document(),
                    params={**version, "require_alias": "true"},
                )
            except (ConflictError, NotFoundError):
                self._require_own()
            else:
                return
        raise self._replaced()

    def _require_own(self) -> None:
        """Check that no other indexer took the index over, and take the alias again if another one lost the race.

        Raises:
            IndexerReplaced: One did, or the index is gone.
        """
        state = self._state(self._index)
        if state is None or state.term > self._term:
            raise self._replaced(None if state is None else state.term)
        self._take_alias()

    def _write(self, lines: str) -> None:
        """Write documents, again those that the engine was too busy for."""
        deadline_s, wait_s, is_retaken = time.monotonic() + SERVER_CALL_S, _WAIT_S, False
        while lines:
            path, params = f"/{self._own_alias}/_bulk", {"require_alias": "true"}
            answer = self._server.call("POST", path, lines, params=params, timeout_s=SERVER_CALL_S)
            failed = [
                (row, item["index"])
                for row, item in enumerate(answer["items"])
                if item["index"]["status"] >= 400 and item["index"]["status"] != _CONFLICT  # noqa: PLR2004
            ]
            if not failed:
                return
            reason = reason_of(failed[0][1]["error"])
            statuses = {item["status"] for _, item in failed}
            if any(item["error"].get("type") == "index_not_found_exception" for _, item in failed):
                if is_retaken:
                    raise self._replaced()
                self._require_own()
                is_retaken = True
            elif statuses <= {_BUSY, 503}:
                if time.monotonic() + wait_s > deadline_s:
                    raise self._server.away(reason=reason)
                time.sleep(wait_s)
                wait_s *= 2
            else:
                raise self._server.unusable(reason=f"it refuses a product: {reason}")
            every = lines.splitlines(keepends=True)
            lines = "".join(every[2 * row] + every[2 * row + 1] for row, _ in failed)

    def _bulks(self, products: Mapping[str, Json | None], revision: int) -> Iterator[str]:
        """Lines of JSON that write products, in parts of a bounded size."""
        lines: list[str] = []
        size = 0
        for product_id, document in products.items():
            action = {"_id": document_id(product_id), "version": revision, "version_type": "external_gte"}
            content = (
                tombstone(revision=revision, term=self._term, now_s=self._clock())
                if document is None
                else {**document, REVISION: revision, TERM: self._term}
            )
            text = f"{json.dumps({'index': action})}\n{json.dumps(content)}\n"
            if lines and size + len(text) > _MAX_BULK_BYTES:
                yield "".join(lines)
                lines, size = [], 0
            lines.append(text)
            size += len(text)
        if lines:
            yield "".join(lines)

    def _put_in_place(self) -> None:
        """Let the alias name this index at once, and delete the others."""
        in_use = self._in_use()
        if in_use is not None and in_use != self._index:
            self._actions(  # all or nothing: nothing if a newer indexer has taken over the index in use
                {"remove": {"index": in_use, "alias": self._own_alias_of(in_use), "must_exist": True}},
                {"remove": {"index": in_use, "alias": self._alias}},
                {"add": {"index": self._index, "alias": self._alias}},
            )
            logger.info("index in use: index=%s instead_of=%s", self._index, in_use)
        self._delete_others(
            lambda name: _number(name) < _number(self._index)
        )  # a newer indexer may build a newer one

    def _delete_others(self, is_of_no_use: Callable[[str], bool]) -> None:
        for name in filter(is_of_no_use, self._indexes()):
            self._delete(name)

    def _sweep(self) -> None:
        """Delete the tombstones that are old enough."""
        now_s = self._clock()
        if now_s < self._sweep_at_s:
            return
        try:
            swept = self._server.call(
                "POST",
                f"/{self._index}/_delete_by_query",
                {"query": old_tombstones(before_s=now_s - TOMBSTONE_AGE_S)},
                params={"conflicts": "proceed", "max_docs": _MAX_SWEPT},
                timeout_s=_CREATE_S,
            )
        except NotFoundError as error:
            raise self._replaced() from error
        self._sweep_at_s = now_s + (_SWEEP_S if swept["deleted"] < _MAX_SWEPT else 0.0)

    def _indexes(self) -> dict[str, Collection[str]]:
        """Every index behind this alias, by number, with its own aliases."""
        own = re.compile(rf"{re.escape(self._alias)}-\d+")
        found = self._server.call("GET", f"/{self._alias}-*/_alias")
        return {name: found[name]["aliases"] for name in sorted(filter(own.fullmatch, found), key=_number)}

    def _in_use(self) -> str | None:
        """The index that is read."""
        return next((name for name, aliases in self._indexes().items() if self._alias in aliases), None)

    def _state(self, name: str) -> State | None:
        """What an index says of itself; None if it is gone, or not Sartor's."""
        try:
            return State.of(self._server.call("GET", f"/{name}/_doc/{STATE}")["_source"])
        except (NotFoundError, KeyError, TypeError, ValueError):
            return None

    def _actions(self, *actions: Json) -> None:
        """Change aliases, all at once."""
        try:
            self._server.call("POST", "/_aliases", {"actions": list(actions)}, timeout_s=_CREATE_S)
        except NotFoundError as error:
            raise self._replaced() from error

    def _replaced(self, newer: int | None = None) -> IndexerReplaced:
        return IndexerReplaced(self._alias, term=self._term, newer=newer)

    def _delete(self, name: str) -> None:
        try:
            self._server.call("DELETE", f"/{name}", timeout_s=_CREATE_S)
        except NotFoundError:
            return
        logger.info("index deleted: index=%s", name)


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])
