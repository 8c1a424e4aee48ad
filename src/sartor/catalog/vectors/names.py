"""Finds the photos that imported vectors are named after, and what a table beside them says of their products."""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol

from sartor.catalog.archive import DEFAULT_ZIP_LIMITS, open_archive
from sartor.catalog.files import FolderFiles, PhotoIndex, is_photo, stem, without_suffix
from sartor.catalog.opening import open_source
from sartor.catalog.source import Findings
from sartor.catalog.tables import TABLE
from sartor.errors import SourceError, SourceNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from sartor.types import Product, SourcePhoto

_DRIVE = re.compile(r"[A-Za-z]:/+")
LONGEST_NAME = 2_000

logger = logging.getLogger(__name__)

_ONLY_PHOTOS = frozenset({"folder", "zip", "photo"})


def photo_name(value: Any) -> str:
    """The name of a photo as a POSIX path, however it was written; empty where the value is no name."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    name = str(value).replace("\\", "/") if _is_windows(value) else str(value)
    return name.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair cannot be stored


def relative(name: str) -> str:
    """A name without its drive, its root and its ways up."""
    return "/".join(part for part in _DRIVE.sub("", name, count=1).split("/") if part not in {"", ".", ".."})


def ids_of(names: Iterable[str]) -> list[str]:
    """An id for each name: its stem, or its path where another photo has that stem; empty where a name repeats.

    It is the rule by which a table's photos without a row are named.
    """
    taken: dict[str, str] = {}  # id -> name
    seen: set[str] = set()
    ids = []
    for name in names:
        place = relative(name)
        free = (each for each in (stem(place), without_suffix(place), place) if each and each not in taken)
        product_id = "" if place in seen else next(free, "")
        seen.add(place)
        taken[product_id] = name
        ids.append(product_id)
    return ids


def repeated_stems(names: Sequence[str]) -> frozenset[str]:
    """The stems that several names have, by which no photo can be told."""
    seen: set[str] = set()
    repeated: set[str] = set()
    for each in map(stem, names):
        (repeated if each in seen else seen).add(each)
    return frozenset(repeated)


def _is_windows(name: str) -> bool:
    return "\\" in name and ("/" not in name or bool(_DRIVE.match(name.replace("\\", "/"))))


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
