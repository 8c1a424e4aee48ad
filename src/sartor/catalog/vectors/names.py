"""The names that come with imported vectors: their photos, their products' ids, and a table beside them."""

from __future__ import annotations

import logging
import math
import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol

from sartor.catalog.archive import DEFAULT_ZIP_LIMITS, open_archive
from sartor.catalog.files import FolderFiles, PhotoIndex, is_photo, stem, without_suffix
from sartor.catalog.opening import open_source
from sartor.catalog.source import Case, Findings
from sartor.catalog.tables import TABLE
from sartor.errors import SourceError, SourceNotFound, UnrecognizedSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sartor.types import Product, SourcePhoto

_DRIVE = re.compile(r"[A-Za-z]:/+")

logger = logging.getLogger(__name__)

_ONLY_PHOTOS = frozenset({"folder", "zip", "photo"})
_ABOUT_ROWS = frozenset(
    {
        Case.EXTRA_COMMAS,
        Case.EXTRA_CELLS,
        Case.STRAY_QUOTES,
        Case.BAD_JSON,
        Case.NOT_UTF8,
        Case.DUPLICATE_IDS,
        Case.NO_ID,
        Case.OTHER_TABLES,
    }
)


def photo_name(value: Any) -> str:
    """The name of a photo as a POSIX path; empty if the value is not a name.

    A whole number is one, also where a column with gaps has made it a float: 15970.0 is ``15970``.
    """
    if isinstance(value, float) and math.isfinite(value):
        value = int(value) if value.is_integer() else str(value)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    name = str(value).replace("\\", "/") if _is_windows(value) else str(value)
    return name.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair cannot be stored


def product_id(value: Any) -> str:
    """The id of a product as it is; empty if the value is none."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return photo_name(value)


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

    def find(self, name: str, *, by_stem: bool) -> Sequence[SourcePhoto]:
        """The photos that a name may mean; one if it is clear.

        Args:
            name: The name that came with the vectors.
            by_stem: Also match a photo in another folder by its stem, since no other name has that stem.
        """
        ...


class PhotosBelow:
    """Photos of a folder or ZIP that the user named: by path, else by the end of the path, else by stem."""

    def __init__(self, index: PhotoIndex) -> None:
        self._index = index

    def find(self, name: str, *, by_stem: bool) -> Sequence[SourcePhoto]:
        """The photos that a name may mean."""
        path = relative(name)
        matches = self._index.matches(path, folder="") if path else ()
        if not matches and by_stem:
            matches = self._index.of_product(stem(path), folder="")
        return [self._index.photo(match) for match in matches]


class PhotosBeside:
    """Photos in the folder of the vectors, by path.

    A name that leads out of that folder is not followed: the vectors may come from someone else, who must not
    choose which of the user's files a shop shows.
    """

    def __init__(self, folder: Path) -> None:
        self._files = FolderFiles(folder, Findings())

    def find(self, name: str, *, by_stem: bool) -> Sequence[SourcePhoto]:  # noqa: ARG002
        """The photo of a name."""
        if not is_photo(name) or ".." in PurePath(name).parts:
            return ()
        inside = self._files.locate(name)
        if inside is None or PurePath(inside).is_absolute() or inside.startswith(".."):
            return ()
        return (PhotoIndex(self._files).photo(inside),)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductTable:
    """What a table says of products.

    Attributes:
        name: Its path; empty if there is no table.
        products: Products with a title or attributes, by id.
    """

    name: str = ""
    products: Mapping[str, Product] = field(default_factory=dict)


def products_beside(images: Path | None, *, beside: Path, findings: Findings) -> ProductTable:
    """Products from a table among the images or in the folder above them.

    Args:
        images: The images, where they are not beside the vectors.
        beside: The file of vectors.
        findings: Counts rows that were skipped, and tables that were not read.
    """
    folder = beside.parent if images is None else images.absolute().parent
    for path in (*(() if images is None else (images,)), *_tables_in(folder, findings)):
        try:
            with open_source(path) as source:
                if source.kind not in _ONLY_PHOTOS:
                    products = [row.product for row in source]
                    _take_over(source.findings, findings)
                    described = {each.id: each for each in products if each.title or each.attributes}
                    return ProductTable(name=str(path), products=described)
        except UnrecognizedSource as error:
            logger.info("no table of products: %s", error)
        except SourceError as error:
            findings.add(Case.TABLES_UNREADABLE, str(error))
    return ProductTable()


def _take_over(of_table: Findings, findings: Findings) -> None:
    for finding in of_table.snapshot():
        if finding.case in _ABOUT_ROWS:
            findings.add(finding.case, ", ".join(finding.examples), count=finding.count)


def _tables_in(folder: Path, findings: Findings) -> list[Path]:
    """The table of Kaggle's layout, else the only table."""
    tables = sorted(folder.glob("*.csv"))
    kaggle = [table for table in tables if table.name.lower() == TABLE]
    read = kaggle or (tables if len(tables) == 1 else [])
    for table in tables:
        if table not in read:
            findings.add(Case.OTHER_TABLES, str(table))
    return read
