"""What a workspace holds, whether its parts agree, and a copy of it that is made while it is in use."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from stat import S_ISREG
from typing import TYPE_CHECKING

from sartor.errors import BackupFailed
from sartor.ingest.writer import bring_up_to_date
from sartor.limits import UNUSED_PHOTO_AGE_S

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from sartor.encoders.registry import ModelRegistry
    from sartor.index.base import VectorIndex
    from sartor.media.base import MediaStore
    from sartor.recommend.features import FeatureBuilder
    from sartor.store.base import CatalogStore, StoreCounts


_MAX_EXAMPLES = 5  # of a problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What a workspace holds.

    Attributes:
        home: Its directory, or that of what is derived from it where a server holds it.
        store: What holds it: the directory, or the address of the server.
        media: What holds the thumbnails: a directory, or a bucket.
        default_model: Model of commands without ``--model``; None before the first ``index``.
        models: Ids of the models.
        counts: Numbers of products, photos, embeddings by model, and products by source.
        attributes: Names of the products' attributes.
        size_bytes: Size of the directory on disk.
    """

    home: Path
    store: str
    media: str
    default_model: str | None
    models: tuple[str, ...]
    counts: StoreCounts
    attributes: tuple[str, ...]
    size_bytes: int


def workspace_info(  # noqa: PLR0913 - each is a part of the answer
    home: Path,
    store: CatalogStore,
    models: ModelRegistry,
    *,
    name: str,
    media: str,
    default_model: str | None,
) -> Info:
    """Count what a workspace holds."""
    files = [file for path in home.rglob("*") if (file := _file(path)) is not None]
    return Info(
        home=home,
        store=name,
        media=media,
        default_model=default_model,
        models=tuple(card.id for card in models.cards()),
        counts=store.counts(),
        attributes=store.attribute_names(),
        size_bytes=sum(_disk_bytes(file) for file in files),
    )


def _file(path: Path) -> os.stat_result | None:
    """What the system knows of a file; None for a directory, and for what another process deleted meanwhile."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found if S_ISREG(found.st_mode) else None


def _disk_bytes(file: os.stat_result) -> int:
    # An index has sparse files, which take much less than their length; Windows has no st_blocks.
    return int(getattr(file, "st_blocks", file.st_size / 512) * 512)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A disagreement between the store, the index and the media.

    Attributes:
        what: The problem, in words.
        count: Number of cases.
        examples: Some of the cases.
        remedy: What to do about it.
        harmless: Whether it only costs disk space.
    """

    what: str
    count: int
    examples: tuple[str, ...]
    remedy: str
    harmless: bool = False


def check_store(store: CatalogStore) -> list[Problem]:
    """Damage that SQLite finds in the store."""
    return _problem(
        "damage in the store", store.damage(), remedy="restore a backup, or index the sources into a new --home"
    )


def check_media(store: CatalogStore, media: MediaStore) -> list[Problem]:
    """Photos without a thumbnail, and thumbnails of no photo; those of young ones may be about to be written."""
    present = set(media.names())
    needed = store.thumbnails()
    unused = {name for name in present - needed if media.age_s(name) >= UNUSED_PHOTO_AGE_S}
    missing = {name for name in needed - present if not media.exists(name)}
    return [
        *_problem(
            "damage in the thumbnails", media.damage(), remedy="restore a backup, or index the sources again"
        ),
        *_problem("photos without a thumbnail", missing, remedy="index their source again"),
        *_problem("thumbnails of no photo", unused, remedy="sartor check --repair", harmless=True),
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
    """Delete the thumbnails that belong to no photo; they occur because they are written before the photo.

    Uploaded sources from which no product comes any more go, too. Young ones stay: another process may be about to
    write their photo or product.
    """
    media.remove_leftovers(min_age_s=UNUSED_PHOTO_AGE_S)
    if media.originals is not None:
        media.originals.delete_sources(store.counts().sources.keys(), min_age_s=UNUSED_PHOTO_AGE_S)
    present = set(media.names())
    for name in present - store.thumbnails():
        media.delete(name, min_age_s=UNUSED_PHOTO_AGE_S)


def rebuild_index(store: CatalogStore, index: VectorIndex, features: FeatureBuilder) -> None:
    """Build an index that this process writes again from the store, without embedding anything."""
    if index.writer is not None:
        index.writer.clear()
    bring_up_to_date(store, index, features)


def _names(keys: set[tuple[str, str]]) -> set[str]:
    return {f"{product_id} ({sha256[:8]})" for product_id, sha256 in keys}


def _problem(what: str, cases: Collection[str], *, remedy: str, harmless: bool = False) -> list[Problem]:
    if not cases:
        return []
    examples = tuple(sorted(cases)[:_MAX_EXAMPLES])
    return [Problem(what=what, count=len(cases), examples=examples, remedy=remedy, harmless=harmless)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A finished backup.

    Attributes:
        directory: Its directory.
        files: Number of files.
        size_bytes: Their size in all.
        left_out: What of the workspace is not in it, and where that is; empty if all of it is.
    """

    directory: Path
    files: int
    size_bytes: int
    left_out: str = ""


def back_up(
    home: Path,
    directory: Path,
    *,
    stores: Sequence[str],
    parts: Sequence[str],
    copy_store: Callable[[Path, Path], None],
) -> Backup:
    """Copy a workspace; until the copy is complete, it has the name of ``directory`` with ``.part``.

    Stores are copied before the files that they refer to, because a file is written before the store refers to it.

    Args:
        home: The workspace.
        directory: The target, a new or an empty directory.
        stores: Files of stores; the first one must exist.
        parts: Files and directories of files that are written once, where they are there.
        copy_store: Copies a store's file as it is at one moment, while others write to it.

    Raises:
        BackupFailed: There is no workspace, something is in the way, or a file cannot be copied.
    """
    if not (home / stores[0]).is_file():
        raise BackupFailed(home, reason="there is no workspace; give its directory with --home")
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise BackupFailed(home, reason=f"{directory} is there already; name a new directory")
    if directory.resolve().is_relative_to(home.resolve()):
        raise BackupFailed(home, reason=f"{directory} is inside of it; name a directory elsewhere")
    part = directory.absolute().with_name(f"{directory.absolute().name}.part")
    if foreign := _foreign(part, {*stores, *parts}):
        raise BackupFailed(home, reason=f"{part} holds {foreign}, which no backup wrote; name another directory")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for name in stores:
            if (home / name).is_file():
                copy_store(home / name, part / name)
        for name in parts:
            _copy(home / name, part / name)
        sizes = [file.stat().st_size for file in part.rglob("*") if file.is_file()]
        part.replace(directory)  # also works if directory exists and is empty
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise BackupFailed(home, reason=str(error)) from error
    return Backup(directory=directory, files=len(sizes), size_bytes=sum(sizes))


def _foreign(part: Path, written: set[str]) -> str:
    """Name of something in the way that an interrupted backup did not leave; empty if there is nothing."""
    if part.exists() and not part.is_dir():
        return "something else than a directory"
    names = sorted(entry.name for entry in part.iterdir()) if part.is_dir() else []
    return next((name for name in names if not name.startswith(tuple(written))), "")


def _copy(source: Path, target: Path) -> None:
    """Copy a file, or the files of a directory, without those that are deleted meanwhile."""
    for file in (source, *sorted(source.rglob("*"))):
        to = target / file.relative_to(source)
        try:
            if file.is_file():
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, to)
        except FileNotFoundError:
            if file.exists():
                raise
