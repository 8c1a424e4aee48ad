"""Finds the photo that a table means, among the files of its source.

Tables name photos as a path from where they lie, a path on another machine, a bare file name, or a stem. All are
found in one look-up by stem. A path that only shares its last part with a file (``a/1.jpg`` and ``b/1.jpg``) is
another photo: a wrong photo is worse than none.
"""

from __future__ import annotations

import posixpath
import unicodedata
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from sartor.catalog.files import is_photo, photos_in, without_suffix
from sartor.types import SourcePhoto

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.catalog.files import Files

PHOTO_FOLDER = "images"  # beside the table, as Kaggle's sets have it; preferred where names repeat


class PhotoIndex:
    """Photos of a source by what a table may call them, without regard to case and Unicode form."""

    def __init__(self, files: Files) -> None:
        self.files = files

    @cached_property
    def _by_stem(self) -> Mapping[str, Sequence[str]]:
        """Stem to names; made when a plain path fails for the first time, because it lists the whole source."""
        by_stem: dict[str, list[str]] = {}
        for name in photos_in(self.files):
            by_stem.setdefault(_key(stem(name)), []).append(name)
        return by_stem

    def photo(self, name: str) -> SourcePhoto:
        """A photo by its name among the files."""
        return SourcePhoto(name=name, read=partial(self.files.read, name))

    def matches(self, reference: str, *, folder: str) -> Sequence[str]:
        """The files that a reference in a table may mean: one when it is clear.

        Args:
            reference: A path, name or stem.
            folder: Where the table lies.
        """
        name = posixpath.normpath(
            reference if Path(reference).is_absolute() else posixpath.join(folder, reference)
        )
        located = self.files.locate(name)
        if located is not None:
            return (located,)
        wanted = _key(_relative(reference))
        named = self._by_stem.get(_key(stem(reference)), ())
        found = [name for name in named if _means(wanted, _key(name.removeprefix(f"{folder}/")))]
        beside = [name for name in found if posixpath.dirname(name) == posixpath.join(folder, PHOTO_FOLDER)]
        return beside if len(beside) == 1 else found

    def of_product(self, product_id: str, *, folder: str) -> Sequence[str]:
        """Photos whose stem is a product's id, of one folder: ``images`` beside the table, or the top-most."""
        named = [name for name in self._by_stem.get(_key(product_id), ()) if _nfc(stem(name)) == _nfc(product_id)]
        if len(named) <= 1:
            return named
        beside = posixpath.join(folder, PHOTO_FOLDER)
        folders = sorted(
            {posixpath.dirname(name) for name in named},
            key=lambda candidate: (candidate != beside, candidate.count("/"), candidate),
        )
        return [name for name in named if posixpath.dirname(name) == folders[0]]


def stem(name: str) -> str:
    """The last part of a name without an image's suffix."""
    return without_suffix(name.rpartition("/")[2])


def _key(text: str) -> str:
    return _nfc(text).casefold()


def _nfc(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)  # macOS writes names as NFD


def _relative(reference: str) -> str:
    """A reference without its way up: ``../a/1.jpg`` and ``/a/1.jpg`` are ``a/1.jpg``."""
    return "/".join(part for part in reference.split("/") if part not in {"", ".", ".."})


def _means(wanted: str, name: str) -> bool:
    """Whether one of two paths ends with the other, suffixes aside when the wanted one has none."""
    if not is_photo(wanted):
        name = without_suffix(name)
    return f"/{name}".endswith(f"/{wanted}") or f"/{wanted}".endswith(f"/{name}")
