"""An export from start to end: what is wanted, checked, written aside, and put in its place."""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from time import perf_counter
from typing import TYPE_CHECKING

from sartor.errors import ExportFailed, ExportMisnamed, ExportTaken, MissingExtra
from sartor.ingest.export.tables import table_order, write_delimited, write_json_lines
from sartor.ingest.export.vectors import write_annoy, write_edge, write_faiss, write_npz, write_pickles
from sartor.types import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sartor.ingest.export.source import ExportSource
    from sartor.types import Where


class ExportFormat(StrEnum):
    """What an export can be."""

    PICKLE = "pickle"
    NPZ = "npz"
    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"
    ANNOY = "annoy"
    FAISS = "faiss"
    QDRANT_EDGE = "qdrant-edge"

    @property
    def is_table(self) -> bool:
        """Whether it is the catalog without embeddings, which ``sartor index`` reads again."""
        return self in {ExportFormat.CSV, ExportFormat.JSONL}

    @property
    def suffix(self) -> str:
        """Suffix of the file that it is; empty where it is a folder."""
        return f".{self}" if self.is_table or self in {ExportFormat.NPZ, ExportFormat.PARQUET} else ""

    @property
    def package(self) -> str:
        """The optional package that it needs; empty where it needs none."""
        return _PACKAGES.get(self, "")


_PACKAGES = {ExportFormat.PARQUET: "pyarrow", ExportFormat.ANNOY: "annoy", ExportFormat.FAISS: "faiss"}
SNAPSHOT = "qdrant-snapshot"  # a name that is known, to say why there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """An export that is wanted.

    Attributes:
        path: The file or folder to write.
        format: What to write.
        where: Only products that pass this filter.
        images: Also the kept thumbnails, beside a table.
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
        model: Model of the embeddings; None where none are written.
        files: What lies there, as paths; a folder of many files counts as one.
        size_bytes: Size of all of it.
        products: Products that are in it.
        photos: Photos that are in it, each as often as a product shows it.
        embeddings: Embeddings that are in it.
        lost: What the format does not hold, a sentence each.
        seconds: Time that it took.
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


MANIFEST = "export.json"  # in a folder: what it is, and the sign that it may be replaced


def require_free(path: Path, *, is_folder: bool, force: bool) -> None:
    """Refuse a path where something is that may not be replaced.

    A folder is replaced only where it is an earlier export: what else lies in a folder is nobody's to delete.

    Raises:
        ExportTaken: There is something.
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
    """A path beside the wanted one, which takes its place in the end, and is removed if anything goes wrong.

    Raises:
        ExportFailed: It cannot be written.
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
    """Name of something in a folder that no earlier export wrote there; empty when there is nothing such."""
    try:
        written = {MANIFEST, *json.loads((path / MANIFEST).read_bytes())["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        written = set()
    return next((each.name for each in sorted(path.iterdir()) if each.name not in written), "")


def _to_disk(path: Path) -> None:
    """Tables and vectors are synchronized, thousands of thumbnails are left to the operating system."""
    for file in path.iterdir() if path.is_dir() else (path,):
        if file.is_file():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())


def _put_in_place(aside: Path, path: Path) -> None:
    """Rename; a folder cannot be renamed over another one, so the earlier one steps aside before."""
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


logger = logging.getLogger(__name__)


_TABLE = "products"  # in a folder, with the format's suffix
_WRITERS: dict[ExportFormat, Callable[[Path, ExportSource], tuple[str, ...]]] = {
    ExportFormat.PICKLE: write_pickles,
    ExportFormat.NPZ: write_npz,
    ExportFormat.ANNOY: write_annoy,
    ExportFormat.FAISS: write_faiss,
    ExportFormat.QDRANT_EDGE: write_edge,
}


def require_possible(order: ExportOptions) -> None:
    """Refuse an export that would fail, before anything is read.

    Raises:
        ExportMisnamed: The path does not fit the format, or the format has no images.
        ExportTaken: There is something at the path that may not be replaced.
        MissingExtra: A package is not installed.
    """
    package = order.format.package
    if package and find_spec(package) is None:
        raise MissingExtra(package, extra=order.format)
    if order.images and not order.format.is_table:
        raise ExportMisnamed(order.path, reason=f"{order.format} has no place for images; csv and jsonl have")
    suffix = order.path.suffix.lower()
    if not _is_folder(order) and suffix != order.format.suffix:
        raise ExportMisnamed(order.path, reason=f"{order.format} is one file *{order.format.suffix}")
    if _is_folder(order) and suffix in _SUFFIXES:
        what = f"{order.format} with images" if order.images else order.format
        raise ExportMisnamed(order.path, reason=f"{what} is a folder, not one file *{suffix}")
    require_free(order.path, is_folder=_is_folder(order), force=order.force)


def export(order: ExportOptions, stock: ExportSource) -> ExportReport:
    """Write what is wanted; what is at the path afterwards is whole.

    Raises:
        ExportFailed: It cannot be written.
    """
    started_s = perf_counter()
    is_folder = _is_folder(order)
    with written_whole(order.path, is_folder=is_folder) as aside:
        lost = _write(order, stock, aside)
        names = sorted(each.name for each in aside.iterdir()) if is_folder else []
        if is_folder:
            _write_manifest(aside, order, stock, names)
        size_bytes = _size_bytes(aside)
    report = ExportReport(
        format=order.format,
        path=order.path,
        model=stock.model_id or None,
        files=tuple(order.path / name for name in names) if is_folder else (order.path,),
        size_bytes=size_bytes,
        products=stock.tally.products,
        photos=stock.tally.photos,
        embeddings=stock.tally.embeddings,
        lost=lost,
        seconds=perf_counter() - started_s,
    )
    logger.info("exported: format=%s products=%d seconds=%.1f", report.format, report.products, report.seconds)
    return report


def _is_folder(order: ExportOptions) -> bool:
    return order.images or not order.format.suffix


def _write(order: ExportOptions, stock: ExportSource, aside: Path) -> tuple[str, ...]:
    if order.format.is_table:
        return _write_table(order, stock, aside)
    if order.format is ExportFormat.PARQUET:
        from sartor.ingest.export.parquet import write_parquet

        return write_parquet(aside, stock)
    return _WRITERS[order.format](aside, stock)


def _write_table(order: ExportOptions, stock: ExportSource, aside: Path) -> tuple[str, ...]:
    is_csv = order.format is ExportFormat.CSV
    table = aside / f"{_TABLE}{order.format.suffix}" if order.images else aside
    planned = table_order(stock, aside, images=order.images, header=is_csv)
    return write_delimited(table, planned) if is_csv else write_json_lines(table, planned)


def _write_manifest(aside: Path, order: ExportOptions, stock: ExportSource, names: list[str]) -> None:
    """What the folder holds, for whoever opens it: Annoy, for one, does not note its own dimension."""
    told = {
        "format": order.format,
        "files": names,
        "model": stock.model_id or None,
        "dimension": stock.dimension or None,
        "metric": "cosine",
        "products": stock.tally.products,
        "embeddings": stock.tally.embeddings,
    }
    (aside / MANIFEST).write_text(json.dumps(told, indent=2), encoding="utf-8")


def _size_bytes(path: Path) -> int:
    return sum(each.stat().st_size for each in (path, *path.rglob("*")) if each.is_file())


_SUFFIXES = frozenset(each.suffix for each in ExportFormat if each.suffix)
