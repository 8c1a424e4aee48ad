"""An export from start to end: what is wanted, checked, written aside, and put in its place."""

from __future__ import annotations

import json
import logging
from importlib.util import find_spec
from time import perf_counter
from typing import TYPE_CHECKING

from sartor.errors import ExportMisnamed, MissingExtra
from sartor.pipelines.exporting.delimited import write_delimited
from sartor.pipelines.exporting.formats import ExportFormat
from sartor.pipelines.exporting.json_lines import write_json_lines
from sartor.pipelines.exporting.neighbors import write_annoy, write_edge, write_faiss
from sartor.pipelines.exporting.npz import write_npz
from sartor.pipelines.exporting.output import MANIFEST, require_free, written_whole
from sartor.pipelines.exporting.pickles import write_pickles
from sartor.pipelines.exporting.report import ExportReport
from sartor.pipelines.exporting.table import table_order

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sartor.pipelines.exporting.report import ExportOrder
    from sartor.pipelines.exporting.stock import Stock

logger = logging.getLogger(__name__)

_TABLE = "products"  # in a folder, with the format's suffix
_WRITERS: dict[ExportFormat, Callable[[Path, Stock], tuple[str, ...]]] = {
    ExportFormat.PICKLE: write_pickles,
    ExportFormat.NPZ: write_npz,
    ExportFormat.ANNOY: write_annoy,
    ExportFormat.FAISS: write_faiss,
    ExportFormat.QDRANT_EDGE: write_edge,
}


def require_possible(order: ExportOrder) -> None:
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


def export(order: ExportOrder, stock: Stock) -> ExportReport:
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


def _is_folder(order: ExportOrder) -> bool:
    return order.images or not order.format.suffix


def _write(order: ExportOrder, stock: Stock, aside: Path) -> tuple[str, ...]:
    if order.format.is_table:
        return _write_table(order, stock, aside)
    if order.format is ExportFormat.PARQUET:
        from sartor.pipelines.exporting.parquet import write_parquet

        return write_parquet(aside, stock)
    return _WRITERS[order.format](aside, stock)


def _write_table(order: ExportOrder, stock: Stock, aside: Path) -> tuple[str, ...]:
    is_csv = order.format is ExportFormat.CSV
    table = aside / f"{_TABLE}{order.format.suffix}" if order.images else aside
    planned = table_order(stock, aside, images=order.images, header=is_csv)
    return write_delimited(table, planned) if is_csv else write_json_lines(table, planned)


def _write_manifest(aside: Path, order: ExportOrder, stock: Stock, names: list[str]) -> None:
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
