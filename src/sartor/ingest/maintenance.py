"""A copy of a workspace that can be used in its place, made while it is in use."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sartor.errors import BackupFailed
from sartor.ingest.writer import bring_up_to_date

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from sartor.encoders.registry import ModelRegistry
    from sartor.index.base import VectorIndex
    from sartor.media.base import MediaStore
    from sartor.recommend.features import FeatureBuilder
    from sartor.store.base import CatalogStore, StoreCounts


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


def take_stock(home: Path, store: CatalogStore, models: ModelRegistry, *, default_model: str | None) -> Info:
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


def check_store(store: CatalogStore) -> list[Problem]:
    """What SQLite finds wrong with the store."""
    return _problem(
        "damage in the store", store.damage(), remedy="restore a backup, or index the sources into a new --home"
    )


def check_media(store: CatalogStore, media: MediaStore) -> list[Problem]:
    """Photos without their thumbnail, and thumbnails that belong to no photo."""
    needed, present = store.thumbnails(), set(media.names())
    return [
        *_problem("photos without a thumbnail", needed - present, remedy="index their source again"),
        *_problem("thumbnails of no photo", present - needed, remedy="sartor check --repair", harmless=True),
    ]


def check_index(store: CatalogStore, index: VectorIndex, *, model: str) -> list[Problem]:
    """Embedded photos that the index lacks, and entries that the store does not know."""
    stored, indexed = store.embedded_keys(model), index.entry_keys()
    remedy = "rebuild the index with: sartor check --repair"
    return [
        *_problem(f"{model} embeddings missing in the index", _names(stored - indexed), remedy=remedy),
        *_problem(f"{model} entries of the index unknown to the store", _names(indexed - stored), remedy=remedy),
    ]


def tidy_media(store: CatalogStore, media: MediaStore) -> None:
    """Delete the thumbnails that belong to no photo: a thumbnail is kept before its photo is committed."""
    media.remove_leftovers()
    for name in set(media.names()) - store.thumbnails():
        media.delete(name)


def rebuild_index(store: CatalogStore, index: VectorIndex, compose: FeatureBuilder) -> None:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that is done.

    Attributes:
        directory: Where it lies.
        files: How many files it has.
        size_bytes: Their length.
    """

    directory: Path
    files: int
    size_bytes: int


def back_up(
    home: Path,
    directory: Path,
    *,
    stores: Sequence[str],
    folders: Sequence[str],
    copy_store: Callable[[Path, Path], None],
) -> Backup:
    """Copy a workspace; until everything is there, it lies beside ``directory``, under a name with ``.part``.

    Stores are copied before the files that they tell of, which are there before a store tells of them.

    Args:
        home: The workspace.
        directory: Where to; a new directory, or an empty one.
        stores: Files of stores, of which the first has to be there.
        folders: Directories of files that are written once.
        copy_store: Copies a store's file as it is at one moment, while others write to it.

    Raises:
        BackupFailed: There is no workspace, something is in the way, or a file cannot be copied.
    """
    if not (home / stores[0]).is_file():
        raise BackupFailed(home, reason="there is no workspace; give its directory with --home")
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise BackupFailed(home, reason=f"{directory} is there already; name a new directory")
    part = directory.absolute().with_name(f"{directory.absolute().name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for name in stores:
            if (home / name).is_file():
                copy_store(home / name, part / name)
        for name in folders:
            _copy(home / name, part / name)
        sizes = [file.stat().st_size for file in part.rglob("*") if file.is_file()]
        part.replace(directory)  # takes the place of an empty directory, too
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise BackupFailed(home, reason=str(error)) from error
    return Backup(directory=directory, files=len(sizes), size_bytes=sum(sizes))


def _copy(source: Path, target: Path) -> None:
    """Copy the files of a directory, except for those that are deleted meanwhile."""
    for file in sorted(source.rglob("*")):
        to = target / file.relative_to(source)
        try:
            if file.is_file():
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, to)
        except FileNotFoundError:
            if file.exists():
                raise
