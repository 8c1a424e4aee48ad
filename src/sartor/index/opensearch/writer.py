"""Writes the index of a model in OpenSearch, as the one indexer of a workspace."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sartor.index.opensearch.documents import Facts, alias_of, creation, document
from sartor.index.opensearch.fenced import FencedIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sartor.index.opensearch.connection import OpenSearch
    from sartor.types import IndexEntry


class OpenSearchWriter:
    """The ``IndexWriter`` of a model's index in OpenSearch.

    Args:
        server: The cluster; it stays open.
        workspace: Id of the workspace.
        model_id: Id of the model, by which the index is named.
        model: SHA-256 of the model that made the vectors.
        dimension: Length of the vectors.
        term: Fencing token of the indexer's lease.
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
        workspace: str,
        model_id: str,
        model: str,
        dimension: int,
        term: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        facts = Facts(workspace=workspace, model=model, dimension=dimension)
        alias = alias_of(server.options, workspace=workspace, model_id=model_id)
        body = creation(server.options, facts)
        self._index = FencedIndex(server, alias=alias, facts=facts, body=body, term=term, clock=clock)
        self.advance, self.mark, self.clear = self._index.advance, self._index.mark, self._index.clear

    @property
    def revision(self) -> int:
        return self._index.revision

    def replace(self, product_ids: Collection[str], entries: Sequence[IndexEntry], *, revision: int) -> None:
        photos: dict[str, list[IndexEntry]] = {product_id: [] for product_id in product_ids}
        for entry in entries:
            photos.setdefault(entry.product_id, []).append(entry)
        documents = {product_id: document(entries) if entries else None for product_id, entries in photos.items()}
        self._index.put(documents, revision=revision)

    def share(self) -> int:
        """Nothing to copy: all processes use it."""
        return 0

    def optimize(self) -> bool:
        """Nothing to do: OpenSearch builds the graph while it writes, and merges its parts by itself."""
        return False
