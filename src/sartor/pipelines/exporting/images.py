"""The photos of an exported table: thumbnails copied beside it, named by the product."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.imaging import MediaStore
    from sartor.types import Photo, StoredProduct

FOLDER = "images"
_LONGEST = 100  # characters of an id in a file's name; file systems take 255 bytes in all


class CopiedImages:
    """Copies thumbnails to ``images/{id}.jpg``, further ones to ``images/{id}_2.jpg``.

    Attributes:
        copied: How many were.
        missing: Photos whose thumbnail is not kept.
    """

    def __init__(self, media: MediaStore, directory: Path) -> None:
        self._media = media
        self._directory = directory
        self._taken: set[str] = set()
        self.copied = 0
        self.missing = 0
        (directory / FOLDER).mkdir()

    def of(self, stored: StoredProduct) -> list[str]:
        """Copy the photos of a product, and return their paths as the table names them."""
        places = enumerate(stored.photos, start=1)
        return [name for place, photo in places if (name := self._copied(stored.product.id, photo, place))]

    def _copied(self, product_id: str, photo: Photo, place: int) -> str:
        if not photo.has_picture or not self._media.exists(photo.thumbnail):
            self.missing += 1
            return ""
        kept = self._media.path(photo.thumbnail)
        name = f"{FOLDER}/{self._free(product_id, place)}{kept.suffix}"
        shutil.copyfile(kept, self._directory / name)
        self.copied += 1
        return name

    def _free(self, product_id: str, place: int) -> str:
        name = file_stem(product_id) + (f"_{place}" if place > 1 else "")
        if name.casefold() in self._taken:  # "A" and "a" are one file on macOS and Windows
            name = f"{name[:_LONGEST]}-{_digest(f'{product_id} {place}')}"
        self._taken.add(name.casefold())
        return name


def file_stem(product_id: str) -> str:
    """A product's id as a part of a file's name: letters, digits, and ``%`` with two digits for all else."""
    name = quote(product_id, safe="")
    if name.startswith("."):  # hidden files are no photos
        name = f"%2E{name[1:]}"
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}-{_digest(product_id)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
