"""The demo catalog on disk: a folder to index, and beside it the street photos to search with.

``demo.json`` says what is there. It is written first as incomplete and at the end as complete, so what a killed
run left behind is known as such and done again.
"""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.demo.catalog import plan
from sartor.demo.drawing import draw
from sartor.demo.street import chosen, street_photo
from sartor.demo.surfaces import SURFACES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PIL import Image

    from sartor.demo.product import DemoProduct

_MARK = "demo.json"
_KIND = "sartor demo catalog"
_DRAWING = 1  # goes up when products are drawn otherwise, so that an older catalog is drawn again
_QUALITY = 88
_STREET_QUALITY = 84
_MOST_STREET_PHOTOS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCatalog:
    """A demo catalog on disk.

    Attributes:
        directory: The folder to index: ``products.csv`` and ``images/``.
        queries: The folder of street photos, each named ``{id}-{surface}.jpg`` after the product that it shows.
        products: What is in the catalog.
    """

    directory: Path
    queries: Path
    products: tuple[DemoProduct, ...]


def _no_progress(done: int, total: int) -> None:
    """Tell nobody."""


def write_demo_catalog(
    directory: Path, *, count: int = 600, seed: int = 0, on_progress: Callable[[int, int], None] = _no_progress
) -> DemoCatalog:
    """Draw a demo catalog into a directory, in its folders ``catalog`` and ``queries``.

    A complete one of the same size and seed is left as it is; another demo catalog is replaced.

    Args:
        directory: Made when missing.
        count: How many products, from 1.
        seed: Decides which products there are; the same gives the same bytes.
        on_progress: Told how many photos of how many are drawn.

    Raises:
        FileExistsError: The directory holds something else.
        ValueError: The count is below 1.
    """
    products = plan(count=count, rng=np.random.default_rng(seed))
    catalog = DemoCatalog(directory=directory / "catalog", queries=directory / "queries", products=products)
    mark = {"kind": _KIND, "drawing": _DRAWING, "count": count, "seed": seed}
    if _is_complete(directory, mark):
        return catalog
    _clear(directory, catalog)
    _write_mark(directory, {**mark, "complete": False})
    streets = chosen(products, most=_MOST_STREET_PHOTOS)
    total = len(products) + len(streets)
    (catalog.directory / "images").mkdir(parents=True)
    catalog.queries.mkdir()
    for done, product in enumerate(products, start=1):
        _save(draw(product), catalog.directory / "images" / product.photo, quality=_QUALITY)
        on_progress(done, total)
    for done, product in enumerate(streets):
        surface = tuple(SURFACES)[done % len(SURFACES)]
        photo = street_photo(product, surface=surface, rng=np.random.default_rng([seed, product.design.seed]))
        _save(photo, catalog.queries / f"{product.id}-{surface}.jpg", quality=_STREET_QUALITY)
        on_progress(len(products) + done + 1, total)
    _write_table(catalog.directory / "products.csv", products)
    _write_mark(directory, {**mark, "complete": True})
    return catalog


def drawn_count(directory: Path) -> int | None:
    """How many products the demo catalog of a directory has, or shall have when complete; None without one."""
    mark = _read_mark(directory)
    return None if mark is None else mark.get("count")


def _is_complete(directory: Path, mark: dict[str, object]) -> bool:
    return _read_mark(directory) == {**mark, "complete": True}


def _read_mark(directory: Path) -> dict[str, Any] | None:
    """What the mark says; None where there is none, or none of ours."""
    try:
        mark = json.loads((directory / _MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return mark if isinstance(mark, dict) and mark.get("kind") == _KIND else None


def _clear(directory: Path, catalog: DemoCatalog) -> None:
    """Make room: of an older or unfinished demo catalog only the two folders that it made are removed."""
    if directory.exists() and not directory.is_dir():
        raise FileExistsError(f"{directory} is a file; give a directory for the demo catalog")
    if directory.is_dir() and any(directory.iterdir()) and _read_mark(directory) is None:
        raise FileExistsError(f"{directory} is not empty and holds no demo catalog; give another directory")
    directory.mkdir(parents=True, exist_ok=True)
    for folder in (catalog.directory, catalog.queries):
        if folder.exists():
            shutil.rmtree(folder)


def _write_mark(directory: Path, mark: dict[str, object]) -> None:
    temporary = directory / f".{_MARK}"
    temporary.write_text(json.dumps(mark, indent=2) + "\n", encoding="utf-8")
    temporary.replace(directory / _MARK)


def _write_table(path: Path, products: tuple[DemoProduct, ...]) -> None:
    rows = [product.attributes for product in products]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _save(image: Image.Image, path: Path, *, quality: int) -> None:
    image.save(path, "JPEG", quality=quality, subsampling=0)
