"""Writes a drawn catalog: as a folder, or as the archive that the package ships.

Both hold ``catalog/images/{id}.webp``, ``queries/{id}-{surface}.webp`` and ``catalog/products.csv``. The folder
``catalog`` is what ``sartor index`` reads. The street photos in ``queries`` are named after the products that they
show. The table is written last, so a folder that has one is complete.
"""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np

from tools.demo_catalog.drawing import draw
from tools.demo_catalog.street import SURFACES, chosen, street_photo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from PIL import Image

    from tools.demo_catalog.product import DemoProduct

# With these the archive of 600 products has under 4 MB. Photos of 480 x 640 pixels at this quality are nearer to
# the drawings than smaller photos of the same bytes: structural similarity 0.971; 0.969 at 384 x 512, quality 75.
# Street photos get a higher quality: below 85 the model finds fewer of their products first.
PHOTO_QUALITY = 48
STREET_QUALITY = 85
_EFFORT = 6  # WebP's slowest and smallest
_MAX_STREET_PHOTOS = 24
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # always the same, so that the same photos give the same archive


def _no_progress(done: int, total: int) -> None:
    """Report nothing."""


def write_folder(
    directory: Path,
    products: Sequence[DemoProduct],
    *,
    seed: int = 0,
    on_progress: Callable[[int, int], None] = _no_progress,
) -> None:
    """Draw a catalog into a folder.

    Args:
        directory: Created when missing; must be empty.
        products: What to draw.
        seed: Decides how the street photos are taken; the same gives the same bytes.
        on_progress: Called after each photo with the number of photos drawn and the total.

    Raises:
        FileExistsError: The directory is a file or is not empty.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise FileExistsError(f"{directory} exists already; give a folder that is empty or does not exist yet")
    for name, content in _files(products, seed=seed, on_progress=on_progress):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def write_archive(
    path: Path,
    products: Sequence[DemoProduct],
    *,
    seed: int = 0,
    on_progress: Callable[[int, int], None] = _no_progress,
) -> None:
    """Draw a catalog into a ZIP archive, which replaces an older one once it is complete.

    Args:
        path: Of the archive; its folder is created when missing.
        products: What to draw.
        seed: Decides how the street photos are taken; the same gives the same bytes.
        on_progress: Called after each photo with the number of photos drawn and the total.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    with zipfile.ZipFile(temporary, "w") as archive:
        for name, content in _files(products, seed=seed, on_progress=on_progress):
            is_photo = name.endswith(".webp")  # is compressed already
            entry = zipfile.ZipInfo(name, date_time=_ZIP_DATE)
            archive.writestr(entry, content, zipfile.ZIP_STORED if is_photo else zipfile.ZIP_DEFLATED)
    temporary.replace(path)


def _files(
    products: Sequence[DemoProduct], *, seed: int, on_progress: Callable[[int, int], None]
) -> Iterator[tuple[str, bytes]]:
    """The files of a catalog, name and content."""
    streets = chosen(products, limit=_MAX_STREET_PHOTOS)
    total = len(products) + len(streets)
    for done, product in enumerate(products, start=1):
        yield f"catalog/{product.image}", _webp(draw(product), quality=PHOTO_QUALITY)
        on_progress(done, total)
    for done, product in enumerate(streets):
        surface = tuple(SURFACES)[done % len(SURFACES)]
        photo = street_photo(product, surface=surface, rng=np.random.default_rng([seed, product.design.seed]))
        yield f"queries/{product.id}-{surface}.webp", _webp(photo, quality=STREET_QUALITY)
        on_progress(len(products) + done + 1, total)
    yield "catalog/products.csv", _table(products)


def _table(products: Sequence[DemoProduct]) -> bytes:
    rows = [product.attributes for product in products]
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def _webp(photo: Image.Image, *, quality: int) -> bytes:
    file = io.BytesIO()
    photo.save(file, "WEBP", quality=quality, method=_EFFORT)
    return file.getvalue()
