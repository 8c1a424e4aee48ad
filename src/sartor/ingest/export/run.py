"""An export from start to end: checks its options, writes it next to the path, and then renames it."""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from time import perf_counter
from typing import TYPE_CHECKING

from sartor.choices import ExportFormat
from sartor.errors import ExportFailed, ExportMisnamed, ExportTaken, MissingExtra
from sartor.ingest.export.tables import plan_table, write_delimited, write_json_lines
from sartor.ingest.export.vectors import write_annoy, write_edge, write_faiss, write_npz, write_pickles
from sartor.types import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sartor.ingest.export.source import ExportSource
    from sartor.types import Where


MANIFEST = "export.json"  # in a folder: describes the export, and marks that it may be replaced

logger = logging.getLogger(__name__)

_TABLE = "products"  # in a folder, with the format's suffix
_SUFFIXES = frozenset(format_.suffix for format_ in ExportFormat if format_.suffix)
_WRITERS: dict[ExportFormat, Callable[[Path, ExportSource], tuple[str, ...]]] = {
    ExportFormat.PICKLE: write_pickles,
    ExportFormat.NPZ: write_npz,
    ExportFormat.ANNOY: write_annoy,
    ExportFormat.FAISS: write_faiss,
    ExportFormat.QDRANT_EDGE: write_edge,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What to export, and where to.

    Attributes:
        path: The file or folder to write.
        format: The format.
        where: Only products that pass this filter.
        images: Also copy the thumbnails, for a table.
        force: Replace an earlier export.
    """

    path: Path
    format: ExportFormat
    where: Where = EVERYTHING
    images: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """What an export wrote.

    Attributes:
        format: The format.
        path: The file or folder.
        model: Model of the embeddings; None for an export without embeddings.
        files: The files; a folder of many files counts as one.
        size_bytes: Their size in all.
        products: Number of products.
        photos: Number of photos, each counted once for every product that shows it.
        embeddings: Number of embeddings.
        lost: What the format does not hold, in sentences.
        seconds: Duration of the export.
    """

    format: ExportFormat
    path: Path
    model: str | None
    files: tuple[Path, ...]
    size_bytes: int
    products: int
    photos: int
    embeddings: int
    lost: tuple[str, ...]
    seconds: float


def require_free(path: Path, *, is_folder: bool, force: bool) -> None:
    """Refuse a path with something that must not be replaced.

    A folder is only replaced if it is an earlier export and holds nothing else.

    Raises:
        ExportTaken: The path is taken.
    """
    if path.is_symlink() or (path.exists() and path.is_dir() != is_folder):
        raise ExportTaken(path, reason="is something else than this export would be", by_force=False)
    if not path.exists() or (is_folder and not any(path.iterdir())):
        return
    if is_folder and (foreign := _foreign(path)):
        raise ExportTaken(path, reason=f"holds {foreign}, which no earlier export wrote", by_force=False)
    if not force:
        raise ExportTaken(path, reason="is there already", by_force=True)


@contextmanager
def written_whole(path: Path, *, is_folder: bool) -> Iterator[Path]:
    """A path next to ``path`` to write to; it is renamed to ``path`` in the end, and removed after an error.

    Raises:
        ExportFailed: The export cannot be written.
    """
    path = path.absolute()  # "." has no name
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_folder:
            aside.mkdir()
        yield aside
        _to_disk(aside)
        _put_in_place(aside, path)
    except OSError as error:
        raise ExportFailed(path, reason=error.strerror or str(error)) from error
    finally:
        _remove(aside)


def _foreign(path: Path) -> str:
    """Name of a file in a folder that no earlier export wrote; empty if there is none."""
    try:
        written = {MANIFEST, *json.loads((path / MANIFEST).read_bytes())["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        written = set()
    return next((file.name for file in sorted(path.iterdir()) if file.name not in written), "")


def _to_disk(path: Path) -> None:
    """Flush tables and vectors to the disk; thumbnails, which may be thousands, are left to the system."""
    for file in path.iterdir() if path.is_dir() else (path,):
        if file.is_file():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())


def _put_in_place(aside: Path, path: Path) -> None:
    """Rename; an earlier folder is renamed first, because a folder cannot replace another one."""
    if not aside.is_dir() or not path.exists():
        aside.replace(path)
        return
    former = aside.with_suffix(".old")
    path.rename(former)
    try:
        aside.rename(path)
    except OSError:
        former.rename(path)
        raise
    _remove(former)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    elif path.exists():
        path.unlink()


def require_possible(options: ExportOptions) -> None:
    """Refuse an export that would fail, before anything is read.

    Raises:
        ExportMisnamed: The path does not fit the format, or the format cannot have images.
        ExportTaken: There is something at the path that must not be replaced.
        MissingExtra: A package is not installed.
    """
    package = options.format.package
    if package and find_spec(package) is None:
        raise MissingExtra(package, extra=options.format)
    if options.images and not options.format.is_table:
        raise ExportMisnamed(options.path, reason=f"{options.format} has no place for images; csv and jsonl have")
    suffix = options.path.suffix.lower()
    if not _is_folder(options) and suffix != options.format.suffix:
        raise ExportMisnamed(options.path, reason=f"{options.format} is one file *{options.format.suffix}")
    if _is_folder(options) and suffix in _SUFFIXES:
        what = f"{options.format} with images" if options.images else options.format
        raise ExportMisnamed(options.path, reason=f"{what} is a folder, not one file *{suffix}")
    require_free(options.path, is_folder=_is_folder(options), force=options.force)


def export(options: ExportOptions, source: ExportSource) -> ExportReport:
    """Write an export; it appears at its path only when it is complete.

    Raises:
        ExportFailed: The export cannot be written.
    """
    started_s = perf_counter()
    is_folder = _is_folder(options)
    with written_whole(options.path, is_folder=is_folder) as aside:
        lost = _write(options, source, aside)
        names = sorted(file.name for file in aside.iterdir()) if is_folder else []
        if is_folder:
            _write_manifest(aside, options, source, names)
        size_bytes = _size_bytes(aside)
    report = ExportReport(
        format=options.format,
        path=options.path,
        model=source.model_id or None,
        files=tuple(options.path / name for name in names) if is_folder else (options.path,),
        size_bytes=size_bytes,
        products=source.tally.products,
        photos=source.tally.photos,
        embeddings=source.tally.embeddings,
        lost=lost,
        seconds=perf_counter() - started_s,
    )
    logger.info("exported: format=%s products=%d seconds=%.1f", report.format, report.products, report.seconds)
    return report


def _is_folder(options: ExportOptions) -> bool:
    return options.images or not options.format.suffix


def _write(options: ExportOptions, source: ExportSource, aside: Path) -> tuple[str, ...]:
    if options.format.is_table:
        return _write_table(options, source, aside)
    if options.format is ExportFormat.PARQUET:
        from sartor.ingest.export.parquet import write_parquet

        return write_parquet(aside, source)
    return _WRITERS[options.format](aside, source)


def _write_table(options: ExportOptions, source: ExportSource, aside: Path) -> tuple[str, ...]:
    is_csv = options.format is ExportFormat.CSV
    table = aside / f"{_TABLE}{options.format.suffix}" if options.images else aside
    plan = plan_table(source, aside, images=options.images, header=is_csv)
    return write_delimited(table, plan) if is_csv else write_json_lines(table, plan)


def _write_manifest(aside: Path, options: ExportOptions, source: ExportSource, names: list[str]) -> None:
    """Describe what the folder holds: an Annoy index, for one, does not say its own dimension."""
    manifest = {
        "format": options.format,
        "files": names,
        "model": source.model_id or None,
        "dimension": source.dimension or None,
        "metric": "cosine",
        "products": source.tally.products,
        "embeddings": source.tally.embeddings,
    }
    (aside / MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")


def _size_bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file())
