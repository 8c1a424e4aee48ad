"""What a workspace holds, counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from sartor.encoders.registry import ModelRegistry
    from sartor.store.records import StoreCounts
    from sartor.store.sqlite import SqliteStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What a workspace holds.

    Attributes:
        home: Its directory.
        default_model: Model that is used when none is named; None before the first ``index``.
        models: Ids of the models that are there.
        counts: Products, photos, embeddings by model, products by source.
        attributes: Names of the products' attributes.
        size_bytes: What the directory takes on disk.
    """

    home: Path
    default_model: str | None
    models: tuple[str, ...]
    counts: StoreCounts
    attributes: tuple[str, ...]
    size_bytes: int


def take_stock(home: Path, store: SqliteStore, models: ModelRegistry, *, default_model: str | None) -> Info:
    """Count what a workspace holds."""
    files = [path.stat() for path in home.rglob("*") if path.is_file()]
    return Info(
        home=home,
        default_model=default_model,
        models=tuple(card.id for card in models.cards()),
        counts=store.counts(),
        attributes=store.attribute_names(),
        size_bytes=sum(_disk_bytes(file) for file in files),
    )


def _disk_bytes(file: os.stat_result) -> int:
    # An index has sparse files, which take far less than their length; Windows does not tell.
    return int(getattr(file, "st_blocks", file.st_size / 512) * 512)
