"""Do store, index and media agree? And what can be done about it if not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sartor.pipelines.sync import bring_up_to_date

if TYPE_CHECKING:
    from collections.abc import Collection

    from sartor.imaging import MediaStore
    from sartor.index.edge import EdgeIndex
    from sartor.pipelines.compose import Composer
    from sartor.store.sqlite import SqliteStore

_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that does not agree.

    Attributes:
        what: The problem, in words.
        count: How often it occurs.
        examples: Some of the cases.
        remedy: What to do about it.
        harmless: It costs disk space only.
    """

    what: str
    count: int
    examples: tuple[str, ...]
    remedy: str
    harmless: bool = False


def check_store(store: SqliteStore) -> list[Problem]:
    """What SQLite finds wrong with the store."""
    return _problem(
        "damage in the store", store.damage(), remedy="restore a backup, or index the sources into a new --home"
    )


def check_media(store: SqliteStore, media: MediaStore) -> list[Problem]:
    """Photos without their thumbnail, and thumbnails that belong to no photo."""
    needed, present = store.thumbnails(), set(media.names())
    return [
        *_problem("photos without a thumbnail", needed - present, remedy="index their source again"),
        *_problem("thumbnails of no photo", present - needed, remedy="sartor check --repair", harmless=True),
    ]


def check_index(store: SqliteStore, index: EdgeIndex, *, model: str) -> list[Problem]:
    """Embedded photos that the index lacks, and entries that the store does not know."""
    stored, indexed = store.embedded_keys(model), index.entry_keys()
    remedy = "rebuild the index with: sartor check --repair"
    return [
        *_problem(f"{model} embeddings missing in the index", _names(stored - indexed), remedy=remedy),
        *_problem(f"{model} entries of the index unknown to the store", _names(indexed - stored), remedy=remedy),
    ]


def tidy_media(store: SqliteStore, media: MediaStore) -> None:
    """Delete the thumbnails that belong to no photo: a thumbnail is kept before its photo is committed."""
    media.remove_leftovers()
    for name in set(media.names()) - store.thumbnails():
        media.delete(name)


def rebuild_index(store: SqliteStore, index: EdgeIndex, compose: Composer) -> None:
    """Make the index anew from the store; nothing is embedded."""
    index.clear()
    bring_up_to_date(store, index, compose)


def _names(keys: set[tuple[str, str]]) -> set[str]:
    return {f"{product_id} ({sha256[:8]})" for product_id, sha256 in keys}


def _problem(what: str, cases: Collection[str], *, remedy: str, harmless: bool = False) -> list[Problem]:
    if not cases:
        return []
    examples = tuple(sorted(cases)[:_EXAMPLES])
    return [Problem(what=what, count=len(cases), examples=examples, remedy=remedy, harmless=harmless)]
