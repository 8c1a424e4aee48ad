"""Finds the photos that imported vectors are named after, and what a table beside them says of their products."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol

from sartor.catalog.archive import open_archive
from sartor.catalog.archive_safety import DEFAULT_ZIP_LIMITS
from sartor.catalog.files import FolderFiles, is_photo
from sartor.catalog.findings import Findings
from sartor.catalog.kaggle import TABLE
from sartor.catalog.opening import open_source
from sartor.catalog.photo_index import PhotoIndex, stem
from sartor.catalog.vector_names import relative
from sartor.errors import SourceError, SourceNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sartor.types import Product, SourcePhoto

logger = logging.getLogger(__name__)

_ONLY_PHOTOS = frozenset({"folder", "zip", "photo"})


class NamedPhotos(Protocol):
    """Photos by the names that come with vectors."""

    def find(self, name: str, *, by_stem: bool) -> SourcePhoto | None:
        """The photo of a name; None where there is none, or it is not clear which.

        Args:
            name: As the vectors have it.
            by_stem: Whether a photo of this stem in another folder is the one, since only one name has it.
        """
        ...


class PhotosBelow:
    """Photos of a folder or a ZIP that the user named: by path, else by the end of the path, else by stem."""

    def __init__(self, index: PhotoIndex) -> None:
        self._index = index

    def find(self, name: str, *, by_stem: bool) -> SourcePhoto | None:
        """The photo of a name."""
        place = relative(name)
        found = self._index.matches(place, folder="") if place else ()
        if not found and by_stem:
            found = self._index.of_product(stem(place), folder="")
        return self._index.photo(found[0]) if len(found) == 1 else None


class PhotosBeside:
    """Photos that lie where their names say, in the folder of the vectors.

    A name that leads out of that folder is not followed: the vectors may come from someone else, who must not
    choose which of the user's files are shown in a shop.
    """

    def __init__(self, folder: Path) -> None:
        self._files = FolderFiles(folder, Findings())

    def find(self, name: str, *, by_stem: bool) -> SourcePhoto | None:  # noqa: ARG002
        """The photo of a name."""
        if not is_photo(name) or ".." in PurePath(name).parts:
            return None
        inside = self._files.locate(name)
        if inside is None or PurePath(inside).is_absolute() or inside.startswith(".."):
            return None
        return PhotoIndex(self._files).photo(inside)


@contextmanager
def open_photos(images: Path | None, *, beside: Path) -> Iterator[NamedPhotos]:
    """The photos of a folder or a ZIP, or those beside a file of vectors.

    Raises:
        SourceNotFound: There is no such folder.
        UnsafeArchive: It is a ZIP archive that must not be read.
    """
    if images is None:
        yield PhotosBeside(beside.parent)
    elif images.is_dir():
        yield PhotosBelow(PhotoIndex(FolderFiles(images, Findings())))
    elif images.is_file():
        with open_archive(images, limits=DEFAULT_ZIP_LIMITS, findings=Findings()) as files:
            yield PhotosBelow(PhotoIndex(files))
    else:
        raise SourceNotFound(images)


def products_beside(images: Path | None, *, beside: Path) -> dict[str, Product]:
    """What a table among the images, or in the folder above them, says of products, by id; empty without one."""
    folder = beside.parent if images is None else images.absolute().parent
    for place in (*(() if images is None else (images,)), *_tables_in(folder)):
        try:
            with open_source(place) as source:
                if source.kind not in _ONLY_PHOTOS:
                    products = (offered.product for offered in source)
                    return {each.id: each for each in products if each.title or each.attributes}
        except SourceError as error:
            logger.info("no table of products: %s", error)
    return {}


def _tables_in(folder: Path) -> list[Path]:
    """The table of Kaggle's layout, or the only table that there is."""
    tables = sorted(folder.glob("*.csv"))
    named = [each for each in tables if each.name.lower() == TABLE]
    return named or (tables if len(tables) == 1 else [])
