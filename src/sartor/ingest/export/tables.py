"""The catalog as JSON Lines: an object a product, its attributes with their types."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sartor.catalog.columns import attribute_names, roles_of
from sartor.ingest.export.source import Tally, infer_schema
from sartor.limits import THUMBNAIL_PX

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from sartor.ingest.export.source import ExportSource, InferredSchema
    from sartor.media.base import MediaStore
    from sartor.types import AttributeValue, Photo, Product, StoredProduct


ID, TITLE, IMAGE = "id", "title", "image_path"  # the first names that a reader looks for
_OWN = (ID, TITLE, IMAGE)


def shields(attributes: Iterable[str]) -> tuple[str, ...]:
    """Columns without a value, which keep a reader from renaming attributes.

    A reader calls a column ``Brand`` by its Merchant name ``brand``, unless another column bears that name.
    """
    columns = (*_OWN, *attributes)
    renamed = attribute_names(columns)
    return tuple(dict.fromkeys(renamed[column] for column in columns if renamed[column] != column))


def misread(columns: Collection[str]) -> frozenset[str]:
    """Columns that a reader would take for something else: the id, the title, or further images."""
    return frozenset({*_OWN, *roles_of((*_OWN, *columns)).images} & set(columns))


def printable(attributes: Iterable[str]) -> dict[str, str]:
    """Attribute to a name that a header can hold: on one line, no spaces around it, not empty, not twice."""
    columns: dict[str, str] = {}
    taken = set(attributes)
    for name in attributes:
        cleaned = "".join(letter if letter.isprintable() else " " for letter in name).strip() or "attribute"
        column, number = cleaned, 2
        while column != name and column in taken:
            column, number = f"{cleaned}_{number}", number + 1
        taken.add(column)
        columns[name] = column
    return columns


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


@dataclass(kw_only=True)
class TableOptions:
    """What goes into a table.

    Attributes:
        stock: The products.
        schema: What they have.
        columns: Attribute to column.
        shields: Columns without a value.
        images: Copies the photos; None where the table only says how their source called them.
        dropped: Attributes that are no column.
    """

    stock: ExportSource
    schema: InferredSchema
    columns: dict[str, str]
    shields: tuple[str, ...]
    images: CopiedImages | None
    dropped: tuple[str, ...]

    @property
    def most_images(self) -> int:
        """How many photos a product names, at most; a table without a column of images is no source."""
        return max(1, self.schema.most_photos)

    @property
    def lost(self) -> tuple[str, ...]:
        """What no table holds, or this one does not."""
        return (*self._lost_attributes(), *self._lost_photos(), "embeddings: `sartor index` makes them again")

    def products(self) -> Iterator[tuple[StoredProduct, list[str]]]:
        """Each product with the photos that its row names."""
        self.stock.tally = Tally()
        for page in self.stock.pages():
            for stored in page:
                names = [photo.name for photo in stored.photos] if self.images is None else self.images.of(stored)
                self.stock.tally.photos += len(names)
                yield stored, names
            self.stock.tally.products += len(page)

    def _lost_attributes(self) -> Iterator[str]:
        if self.dropped:
            yield f"attributes that `sartor index` would read as something else: {', '.join(self.dropped)}"
        moved = [f"{name!r} is {column!r}" for name, column in self.columns.items() if name != column]
        if moved:
            yield f"names of attributes that a header cannot hold: {', '.join(moved)}"

    def _lost_photos(self) -> Iterator[str]:
        if self.images is None:
            yield "photos: only what their source calls them; --images puts thumbnails beside the table"
            return
        yield f"photos: thumbnails of at most {THUMBNAIL_PX} px, so SHA-256 and embeddings may differ"
        if self.images.missing:
            yield f"photos whose thumbnail is not kept: {self.images.missing:,}"


def table_order(stock: ExportSource, directory: Path, *, images: bool, header: bool) -> TableOptions:
    """Look at the products, and decide the columns.

    Args:
        stock: The products.
        directory: Where the table will lie.
        images: Copy the photos there.
        header: The table has its names in a header.
    """
    found = infer_schema(stock)
    named = printable(found.attributes) if header else {name: name for name in found.attributes}
    wrong = misread(named.values())
    columns = {name: column for name, column in named.items() if column not in wrong}
    return TableOptions(
        stock=stock,
        schema=found,
        columns=columns,
        shields=shields(columns.values()),
        images=CopiedImages(stock.media, directory) if images else None,
        dropped=tuple(name for name in named if name not in columns),
    )


_LONGEST_CELL = 131_072  # characters that Python's csv module reads
_MOST_LINES = 1_000  # of a row, that ``sartor index`` reads


def write_delimited(path: Path, order: TableOptions) -> tuple[str, ...]:
    """Write the products as RFC 4180 has it, and return what is lost.

    Several values are several columns of one name, which ``sartor index`` reads as several values again: no value
    has to do without a separator.
    """
    widths = {name: order.schema.attributes[name].most for name in order.columns}
    cut = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(_quoted(name) for name in _header(order, widths)) + "\r\n")
        writer = csv.writer(file, lineterminator="\r\n")
        for stored, images in order.products():
            attributes = stored.product.attributes
            row = [stored.product.id, stored.product.title, *_cells(tuple(images), order.most_images)]
            for name, width in widths.items():
                row += _cells(attributes.get(name, ""), width)
            row += [""] * len(order.shields)
            cut += _is_too_large(row)
            writer.writerow([cell.replace("\0", "") for cell in row])
    return (*_lost(cut), *order.lost)


def text_of(value: AttributeValue) -> str:
    """One value as a cell; yes and no as filters call them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cells(value: AttributeValue, width: int) -> Iterator[str]:
    values: Sequence[AttributeValue] = value if isinstance(value, tuple) else (value,)
    for place in range(width):
        yield text_of(values[place]) if place < len(values) else ""


def _header(order: TableOptions, widths: dict[str, int]) -> Iterator[str]:
    yield from (ID, TITLE, *[IMAGE] * order.most_images)
    for name, width in widths.items():
        yield from [order.columns[name]] * width
    yield from order.shields


def _quoted(name: str) -> str:
    """Quoted in any case: a reader counts separators outside of quotes to learn which one it is."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _is_too_large(row: Sequence[str]) -> bool:
    breaks = sum(cell.count("\n") + cell.count("\r") for cell in row)
    return breaks >= _MOST_LINES or any(len(cell) >= _LONGEST_CELL for cell in row)


def _lost(cut: int) -> Iterator[str]:
    yield "CSV: numbers, yes and no become texts; filters find them as before"
    yield "CSV: a list of one value becomes that value; spaces around a text and empty texts are lost"
    if cut:
        yield f"CSV: products with texts so long that `sartor index` does not read them again: {cut:,}"


# JSON allows these in a text, and many readers take each for the end of a line.
_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}


def write_json_lines(path: Path, order: TableOptions) -> tuple[str, ...]:
    """Write the products, and return what is lost.

    Every object has every attribute, null where the product has none: a reader takes the names of a row's columns
    together.
    """
    absent = dict.fromkeys((*order.columns, *order.shields))
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for stored, images in order.products():
            written = {**absent, **_attributes(stored.product, order.columns)}
            line = {ID: stored.product.id, TITLE: stored.product.title, IMAGE: images, **written}
            text = json.dumps(line, ensure_ascii=False, allow_nan=False)
            file.write(text.translate(_LINE_ENDS) + "\n")
    return (
        "JSON Lines: spaces around a text, empty texts and empty lists, when `sartor index` reads it again",
        *order.lost,
    )


def _attributes(product: Product, names: Iterable[str]) -> dict[str, Any]:
    return {name: _plain(value) for name in names if (value := product.attributes.get(name)) is not None}


def _plain(value: AttributeValue) -> AttributeValue | None:
    """JSON has no NaN and no infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
