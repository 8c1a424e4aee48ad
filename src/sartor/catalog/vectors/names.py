"""The names that come with imported vectors: their photos, their products' ids, and a table beside them."""

from __future__ import annotations

import logging
import re
from collections import Counter
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

logger = logging.getLogger(__name__)

_ONLY_PHOTOS = frozenset({"folder", "zip", "photo"})


def photo_name(value: Any) -> str:
    """The name of a photo as a POSIX path; empty if the value is not a name."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    name = str(value).replace("\\", "/") if _is_windows(value) else str(value)
    return name.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair cannot be stored


def relative(name: str) -> str:
    """A name without drive, root and ``..``."""
    return "/".join(part for part in _DRIVE.sub("", name, count=1).split("/") if part not in {"", ".", ".."})


def ids_of(names: Iterable[str]) -> list[str]:
    """An id for each name: its stem, or its path if another photo has that stem; empty if a name repeats.

    A table's photos without a row are named by the same rule.
    """
    taken: dict[str, str] = {}  # id -> name
    seen: set[str] = set()
    ids = []
    for name in names:
        path = relative(name)
        free = (one for one in (stem(path), without_suffix(path), path) if one and one not in taken)
        product_id = "" if path in seen else next(free, "")
        seen.add(path)
        taken[product_id] = name
        ids.append(product_id)
    return ids


def repeated_stems(names: Sequence[str]) -> frozenset[str]:
    """The stems that several names have, which identify no photo."""
    counts = Counter(map(stem, names))
    return frozenset(name for name, count in counts.items() if count > 1)


def _is_windows(name: str) -> bool:
    return "\\" in name and ("/" not in name or bool(_DRIVE.match(name.replace("\\", "/"))))


class NamedPhotos(Protocol):
    """Photos by the names that come with vectors."""

    def find(self, name: str, *, by_stem: bool) -> SourcePhoto | None:
        """The photo of a name; None if no photo or several match.

        Args:
            name: The name that came with the vectors.
            by_stem: Also match a photo in another folder by its stem, since no other name has that stem.
        """
        ...


class PhotosBelow:
    """Photos of a folder or ZIP that the user named: by path, else by the end of the path, else by stem."""

    def __init__(self, index: PhotoIndex) -> None:
        self._index = index

    def find(self, name: str, *, by_stem: bool) -> SourcePhoto | None:
        """The photo of a name."""
        path = relative(name)
        matches = self._index.matches(path, folder="") if path else ()
        if not matches and by_stem:
            matches = self._index.of_product(stem(path), folder="")
        return self._index.photo(matches[0]) if len(matches) == 1 else None


class PhotosBeside:
    """Photos in the folder of the vectors, by path.

    A name that leads out of that folder is not followed: the vectors may come from someone else, who must not
    choose which of the user's files a shop shows.
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
    """Products by id from a table among the images or in the folder above them; empty without one."""
    folder = beside.parent if images is None else images.absolute().parent
    for path in (*(() if images is None else (images,)), *_tables_in(folder)):
        try:
            with open_source(path) as source:
                if source.kind not in _ONLY_PHOTOS:
                    products = (row.product for row in source)
                    return {product.id: product for product in products if product.title or product.attributes}
        except SourceError as error:
            logger.info("no table of products: %s", error)
    return {}


def _tables_in(folder: Path) -> list[Path]:
    """The table of Kaggle's layout, else the only table."""
    tables = sorted(folder.glob("*.csv"))
    kaggle = [table for table in tables if table.name.lower() == TABLE]
    return kaggle or (tables if len(tables) == 1 else [])
