"""A Qdrant Edge shard on disk, and what it is made for.

The store is the truth, so the shard needs no write-ahead log of its own: what it has taken in is on disk
after ``mark``, which also notes up to which revision of the store that is. Whatever came later is written
again after a crash. A shard that cannot be opened is thrown away, to be filled from the store.
"""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Protocol

import qdrant_edge as qdrant

from sartor.index.payload import MAIN, PHOTO, PRODUCT, number_field, numbers_of, text_field, texts_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from sartor.types import IndexEntry

logger = logging.getLogger(__name__)

_FORMAT = 2  # of this directory; another one is rebuilt
_STATE_FILE = "state.json"
_SHARD = "shard"
_HNSW = qdrant.HnswIndexConfig(m=16, ef_construct=100, full_scan_threshold=10_000)  # Qdrant's own defaults


@dataclass(slots=True, kw_only=True)
class _State:
    """What ``state.json`` says: what the shard is made for, and what of the store it has on disk."""

    format: int = _FORMAT
    model: str
    dimension: int
    revision: int = 0
    fields: list[str] = field(default_factory=list)


class ShardOpener(Protocol):
    """Makes a shard, or opens one: ``qdrant_edge.EdgeShard``, or what stands in for it to show a fault."""

    def create(self, path: str, config: qdrant.EdgeConfig, /) -> qdrant.EdgeShard:
        """Make an empty shard in a directory."""

    def load(self, path: str, config: qdrant.EdgeConfig, /) -> qdrant.EdgeShard:
        """Open the shard of a directory."""


class StoredShard:
    """A shard of a directory, new where there is none for this model.

    Args:
        directory: Where it lies; one process at a time may open it.
        model: Id of the model that its vectors are made by.
        dimension: Length of these.
        shards: Opens it.

    Attributes:
        shard: The shard that is open.
    """

    def __init__(
        self, directory: Path, *, model: str, dimension: int, shards: ShardOpener = qdrant.EdgeShard
    ) -> None:
        self._directory, self._shards = directory, shards
        self._wanted = _State(model=model, dimension=dimension)
        self.shard, self._state = self._open()

    @property
    def revision(self) -> int:
        """Revision of the store up to which everything is on disk."""
        return self._state.revision

    @property
    def fields(self) -> Collection[str]:
        """Paths of attributes that can be filtered by."""
        return self._state.fields

    def mark(self, revision: int) -> None:
        """Bring everything to disk, and note that it is what the store has up to ``revision``."""
        self.shard.flush()
        self._state.revision = revision
        self._write_state()

    def clear(self) -> None:
        """Begin with an empty shard."""
        self.shard.close()
        self.shard, self._state = self._create()

    def _open(self) -> tuple[qdrant.EdgeShard, _State]:
        try:
            state = _State(**json.loads((self._directory / _STATE_FILE).read_bytes()))
            shard = self._shards.load(str(self._directory / _SHARD), self._config())
        except FileNotFoundError:
            return self._create()
        except Exception as error:  # noqa: BLE001 - Qdrant Edge raises bare Exception; the index is derived
            logger.warning("the index %s cannot be opened and is built again: %s", self._directory, error)
            return self._create()
        made_for = (state.format, state.model, state.dimension)
        if made_for != (self._wanted.format, self._wanted.model, self._wanted.dimension):
            shard.close()
            return self._create()
        return shard, state

    def _create(self) -> tuple[qdrant.EdgeShard, _State]:
        shutil.rmtree(self._directory, ignore_errors=True)
        (self._directory / _SHARD).mkdir(parents=True)
        shard = self._shards.create(str(self._directory / _SHARD), self._config())
        for name in (PRODUCT, PHOTO, MAIN):
            _index_field(shard, name, qdrant.PayloadSchemaType.Keyword)
        self._state = _State(model=self._wanted.model, dimension=self._wanted.dimension)
        self._write_state()
        return shard, self._state

    def _config(self) -> qdrant.EdgeConfig:
        vectors = qdrant.EdgeVectorParams(size=self._wanted.dimension, distance=qdrant.Distance.Dot)
        return qdrant.EdgeConfig(vectors=vectors, hnsw_config=_HNSW, wal_enabled=False)

    def _write_state(self) -> None:
        temporary = self._directory / f"{_STATE_FILE}.new"
        temporary.write_text(json.dumps(asdict(self._state)), encoding="utf-8")
        temporary.replace(self._directory / _STATE_FILE)

    def make_filterable(self, entries: Sequence[IndexEntry]) -> None:
        """Have the attributes of entries be filtered by, where that is new."""
        known = set(self._state.fields)
        for entry in entries:
            for name, value in entry.attributes.items():
                kinds = (
                    (text_field(name), qdrant.PayloadSchemaType.Keyword, texts_of),
                    (number_field(name), qdrant.PayloadSchemaType.Float, numbers_of),
                )
                for path, schema, parts_of in kinds:
                    if path not in known and any(True for _ in parts_of(value)):
                        _index_field(self.shard, path, schema)
                        known.add(path)
                        self._state.fields.append(path)


def _index_field(shard: qdrant.EdgeShard, path: str, schema: qdrant.PayloadSchemaType) -> None:
    shard.update(qdrant.UpdateOperation.create_field_index(path, schema))
