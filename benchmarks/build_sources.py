"""What two builds index: a catalog of an archive of real products, and more of them with prices."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zipfile import ZipFile

import numpy as np

from benchmarks.data import unpack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_UNSEEN_PHOTOS, _PRICED_PRODUCTS = 24, 150
_GROUP = 3  # products of one item group, which are variants of each other
_COPIES = 2  # products that have the photo of another one


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Sources to index, and photos to ask about.

    Attributes:
        catalog: A ZIP as Kaggle has them.
        priced: A folder with a table of further products, and what Kaggle's table lacks: prices and item groups.
        unseen: Photos that neither has.
    """

    catalog: Path
    priced: Path
    unseen: Sequence[Path]


def make_sources(archive: Path, folder: Path, *, limit: int, seed: int) -> Sources:
    """Make sources of the first products of an archive, each product with a photo of its own.

    Where many products share a photo, they are equally close to any query. Which of them are among the candidates
    for a feed depends on the index, which orders equals in another way each time that it is built.

    Args:
        archive: Products as Kaggle has them, a ZIP.
        folder: Where to make them.
        limit: How many products the catalog has, those left out whose photo another one has.
        seed: Of the prices.

    Raises:
        typer.BadParameter: The archive has fewer products.
    """
    photos = unpack(archive, folder / "all", start=0, count=limit + _UNSEEN_PHOTOS + _PRICED_PRODUCTS)
    header, *lines = (folder / "all" / "styles.csv").read_text(encoding="utf-8").splitlines()
    distinct: dict[str, tuple[str, Path]] = {}
    for line, photo in zip(lines, photos, strict=True):
        distinct.setdefault(hashlib.sha256(photo.read_bytes()).hexdigest(), (line, photo))
    rows = list(distinct.values())
    end, begin = len(rows) - _UNSEEN_PHOTOS, len(rows) - _UNSEEN_PHOTOS - _PRICED_PRODUCTS
    catalog, priced, unseen = folder / "catalog.zip", folder / "priced", folder / "unseen"
    _write_archive(catalog, header, rows[:begin])
    _write_priced(priced, header, rows[begin:end], rng=np.random.default_rng(seed))
    unseen.mkdir()
    return Sources(
        catalog=catalog, priced=priced, unseen=[photo.rename(unseen / photo.name) for _, photo in rows[end:]]
    )


def _write_archive(path: Path, header: str, rows: Sequence[tuple[str, Path]]) -> None:
    with ZipFile(path, "w") as archive:
        archive.writestr("styles.csv", "\n".join((header, *(line for line, _ in rows), "")))
        for _, photo in rows:
            archive.write(photo, f"images/{photo.name}")


def _write_priced(
    folder: Path, header: str, rows: Sequence[tuple[str, Path]], *, rng: np.random.Generator
) -> None:
    (folder / "images").mkdir(parents=True)
    columns = header.split(",")
    with (folder / "products.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow([*columns, "image_path", "price", "item_group_id"])
        for number, (line, photo) in enumerate(rows):
            photo.rename(folder / "images" / photo.name)
            name = rows[0][1].name if number >= len(rows) - _COPIES else photo.name
            price = f"{rng.uniform(5, 120):.2f} USD"
            values = line.split(",", len(columns) - 1)  # the last column has commas without quotes
            table.writerow([*values, f"images/{name}", price, f"group-{number // _GROUP}"])
