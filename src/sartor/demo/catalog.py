"""Unpacks the demo catalog that comes with Sartor: a folder to index, and street photos to search with.

``data/catalog.zip`` holds 600 drawn products, their photos as WebP, and 24 street photos. The repository's program
``tools/demo_catalog`` draws them.

``demo.json`` in the written directory says what is there. It is written first as incomplete and at the end as
complete, so that the next start recognizes what a stopped one left behind and writes it again.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

ARCHIVE = Path(__file__).parent / "data" / "catalog.zip"
PRODUCTS = 600
_TABLE = "catalog/products.csv"
_MARK = "demo.json"
_KIND = "sartor demo catalog"
_DRAWING = 2  # goes up when other photos are shipped, so that an older catalog is replaced
_SERVED = (1, _DRAWING)  # 1: drawn on the user's machine, before the photos were shipped; stays as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCatalog:
    """A demo catalog on disk.

    Attributes:
        directory: The folder to index: ``products.csv`` and ``images/``.
        queries: The folder of street photos. The name of each starts with the id of the product that it shows.
    """

    directory: Path
    queries: Path


def write_demo_catalog(directory: Path, *, count: int = PRODUCTS) -> DemoCatalog:
    """Write the demo catalog into a directory, in its folders ``catalog`` and ``queries``.

    A complete one with as many products is left as it is; another demo catalog is replaced.

    Args:
        directory: Created when missing.
        count: How many products, 1 to 600. Fewer than all are of as many types as possible: one of each type comes
            before a second one, types with more products first, and the colors of one design come together.

    Raises:
        FileExistsError: The directory holds something else.
        ValueError: The count is out of range.
    """
    catalog = DemoCatalog(directory=directory / "catalog", queries=directory / "queries")
    mark = _read_mark(directory) or {}
    is_complete = mark.get("complete") is True and mark.get("count") == count
    if is_complete and mark.get("drawing") in _SERVED:
        return catalog
    if not 1 <= count <= PRODUCTS:
        raise ValueError(f"the demo catalog has 1 to {PRODUCTS} products, not {count}")
    _clear(directory, catalog)
    _write_mark(directory, count=count, complete=False)
    with zipfile.ZipFile(ARCHIVE) as archive:
        _unpack(archive, directory, count=count)
    _write_mark(directory, count=count, complete=True)
    return catalog


def written_count(directory: Path) -> int | None:
    """How many products the demo catalog of a directory has, or will have when complete; None without one."""
    mark = _read_mark(directory)
    if mark is None or not isinstance(mark.get("count"), int):
        return None
    return int(mark["count"]) if mark.get("complete") is True else min(mark["count"], PRODUCTS)


def _unpack(archive: zipfile.ZipFile, directory: Path, *, count: int) -> None:
    """Write the photos of a number of products, the street photos that show them, and at last their table."""
    rows = list(csv.DictReader(io.StringIO(archive.read(_TABLE).decode())))
    selected = _selected(rows, count=count)
    for folder in ("catalog/images", "queries"):
        (directory / folder).mkdir(parents=True)
    ids = {row["id"] for row in selected}
    for name in archive.namelist():
        if name != _TABLE and PurePosixPath(name).stem.partition("-")[0] in ids:
            (directory / name).write_bytes(archive.read(name))
    with (directory / _TABLE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(selected)


def _selected(rows: list[dict[str, str]], *, count: int) -> list[dict[str, str]]:
    """The rows of a smaller catalog, in the table's order.

    A product's turn is its number within its type, divided by the size of the type; the colors of a design are
    numbered one after the other. The first of each type have turn 0 and come first. Any number of products has the
    types in nearly the shares of the whole catalog.
    """
    sizes = Counter(row["articleType"] for row in rows)
    designs = {row["item_group_id"]: number for number, row in reversed(list(enumerate(rows)))}  # of its first row
    numbers: Counter[str] = Counter()
    turns = []
    for number in sorted(range(len(rows)), key=lambda number: (designs[rows[number]["item_group_id"]], number)):
        kind = rows[number]["articleType"]
        turns.append((numbers[kind] / sizes[kind], -sizes[kind], number))
        numbers[kind] += 1
    return [rows[number] for number in sorted(number for *_, number in sorted(turns)[:count])]


def _read_mark(directory: Path) -> dict[str, Any] | None:
    """What the mark says; None without a mark of a demo catalog."""
    try:
        mark = json.loads((directory / _MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return mark if isinstance(mark, dict) and mark.get("kind") == _KIND else None


def _write_mark(directory: Path, *, count: int, complete: bool) -> None:
    mark = {"kind": _KIND, "drawing": _DRAWING, "count": count, "complete": complete}
    temporary = directory / f".{_MARK}"
    temporary.write_text(json.dumps(mark, indent=2) + "\n", encoding="utf-8")
    temporary.replace(directory / _MARK)


def _clear(directory: Path, catalog: DemoCatalog) -> None:
    """Make room: of an older or unfinished demo catalog only its two folders are removed."""
    if directory.exists() and not directory.is_dir():
        raise FileExistsError(f"{directory} is a file; give a directory for the demo catalog")
    if directory.is_dir() and any(directory.iterdir()) and _read_mark(directory) is None:
        raise FileExistsError(f"{directory} is not empty and holds no demo catalog; give another directory")
    directory.mkdir(parents=True, exist_ok=True)
    for folder in (catalog.directory, catalog.queries):
        if folder.exists():
            shutil.rmtree(folder)
