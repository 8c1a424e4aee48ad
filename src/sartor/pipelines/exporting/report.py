"""What is asked of an export, and what it says when it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sartor.types import EVERYTHING

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.pipelines.exporting.formats import ExportFormat
    from sartor.types import Where


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOrder:
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
