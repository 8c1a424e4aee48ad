"""The catalog as a table that ``sartor index`` reads again: CSV or JSON Lines, with or without thumbnails."""

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
FOLDER = "images"

_OWN = (ID, TITLE, IMAGE)
_MAX_STEM = 100  # characters of an id in a file's name; file systems allow 255 bytes in all
_MAX_CELL = 131_072  # characters that Python's csv module reads
_MAX_LINES = 1_000  # of a row, that ``sartor index`` reads

# JSON allows these in a text, and many readers take each of them for the end of a line.
_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}


def guard_columns(attributes: Iterable[str]) -> tuple[str, ...]:
    """Columns without values, which keep a reader from renaming attributes.

    A reader renames a column ``Brand`` to its Merchant name ``brand``, unless another column has that name.
    """
    columns = (*_OWN, *attributes)
    renamed = attribute_names(columns)
    return tuple(dict.fromkeys(renamed[column] for column in columns if renamed[column] != column))


def misread(columns: Collection[str]) -> frozenset[str]:
    """Columns that a reader would take for the id, the title, or further images."""
    return frozenset({*_OWN, *roles_of((*_OWN, *columns)).images} & set(columns))


def printable(attributes: Iterable[str]) -> dict[str, str]:
    """Attribute to a unique name that a header can hold: one line, not empty, no spaces around it."""
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


class CopiedImages:
    """Copies thumbnails to ``images/{id}.jpg``, further ones of a product to ``images/{id}_2.jpg``.

    Attributes:
        copied: Number of copied thumbnails.
        missing: Number of photos without a stored thumbnail.
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
        numbered = enumerate(stored.photos, start=1)
        return [name for number, photo in numbered if (name := self._copied(stored.product.id, photo, number))]

    def _copied(self, product_id: str, photo: Photo, number: int) -> str:
        if not photo.has_picture or not self._media.exists(photo.thumbnail):
            self.missing += 1
            return ""
        thumbnail = self._media.path(photo.thumbnail)
        name = f"{FOLDER}/{self._unused_stem(product_id, number)}{thumbnail.suffix}"
        shutil.copyfile(thumbnail, self._directory / name)
        self.copied += 1
        return name

    def _unused_stem(self, product_id: str, number: int) -> str:
        name = file_stem(product_id) + (f"_{number}" if number > 1 else "")
        if name.casefold() in self._taken:  # "A" and "a" are one file on macOS and Windows
            name = f"{name[:_MAX_STEM]}-{_digest(f'{product_id} {number}')}"
        self._taken.add(name.casefold())
        return name


def file_stem(product_id: str) -> str:
    """A product's id in a file's name: letters, digits, and ``%`` with two hex digits for other characters."""
    name = quote(product_id, safe="")
    if name.startswith("."):  # hidden files are no photos
        name = f"%2E{name[1:]}"
    return name if len(name) <= _MAX_STEM else f"{name[:_MAX_STEM]}-{_digest(product_id)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(kw_only=True)
class TablePlan:
    """The columns of a table, and the products for its rows.

    Attributes:
        source: The products.
        schema: Their attributes.
        columns: Attribute to column.
        guards: Columns without values.
        images: Copies the photos; None if the table only has the names that their source uses.
        dropped: Attributes that get no column.
    """

    source: ExportSource
    schema: InferredSchema
    columns: dict[str, str]
    guards: tuple[str, ...]
    images: CopiedImages | None
    dropped: tuple[str, ...]

    @property
    def max_images(self) -> int:
        """Number of image columns; at least one, or the table could not be indexed."""
        return max(1, self.schema.max_photos)

    @property
    def lost(self) -> tuple[str, ...]:
        """What this table does not hold, in words."""
        return (*self._lost_attributes(), *self._lost_photos(), "embeddings: `sartor index` makes them again")

    def products(self) -> Iterator[tuple[StoredProduct, list[str]]]:
        """Each product with the photos that its row names."""
        self.source.tally = Tally()
        for page in self.source.pages():
            for stored in page:
                names = [photo.name for photo in stored.photos] if self.images is None else self.images.of(stored)
                self.source.tally.photos += len(names)
                yield stored, names
            self.source.tally.products += len(page)

    def _lost_attributes(self) -> Iterator[str]:
        if self.dropped:
            yield f"attributes that `sartor index` would read as something else: {', '.join(self.dropped)}"
        moved = [f"{name!r} is {column!r}" for name, column in self.columns.items() if name != column]
        if moved:
            yield f"names of attributes that a header cannot hold: {', '.join(moved)}"

    def _lost_photos(self) -> Iterator[str]:
        if self.images is None:
            yield "photos: only their names in the source; --images puts thumbnails next to the table"
            return
        yield f"photos: thumbnails of at most {THUMBNAIL_PX} px, so SHA-256 and embeddings may differ"
        if self.images.missing:
            yield f"photos whose thumbnail is not kept: {self.images.missing:,}"


def plan_table(source: ExportSource, directory: Path, *, images: bool, header: bool) -> TablePlan:
    """Infer the schema of the products, and decide the columns.

    Args:
        source: The products.
        directory: The directory of the table.
        images: Copy the photos there.
        header: The table has its column names in a header, as CSV has.
    """
    schema = infer_schema(source)
    named = printable(schema.attributes) if header else {name: name for name in schema.attributes}
    wrong = misread(named.values())
    columns = {name: column for name, column in named.items() if column not in wrong}
    return TablePlan(
        source=source,
        schema=schema,
        columns=columns,
        guards=guard_columns(columns.values()),
        images=CopiedImages(source.media, directory) if images else None,
        dropped=tuple(name for name in named if name not in columns),
    )


def write_delimited(path: Path, plan: TablePlan) -> tuple[str, ...]:
    """Write the products as CSV (RFC 4180), and return what is lost.

    An attribute with several values has several columns of one name, which ``sartor index`` reads as several
    values again. So no separator within a cell is needed.
    """
    widths = {name: plan.schema.attributes[name].max_values for name in plan.columns}
    cut = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(_quoted(name) for name in _header(plan, widths)) + "\r\n")
        writer = csv.writer(file, lineterminator="\r\n")
        for stored, images in plan.products():
            attributes = stored.product.attributes
            row = [stored.product.id, stored.product.title, *_cells(tuple(images), plan.max_images)]
            for name, width in widths.items():
                row += _cells(attributes.get(name, ""), width)
            row += [""] * len(plan.guards)
            cut += _is_unreadable(row)
            writer.writerow([cell.replace("\0", "") for cell in row])
    return (*_lost(cut), *plan.lost)


def text_of(value: AttributeValue) -> str:
    """One value as a cell; booleans as ``true`` and ``false``, as filters write them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cells(value: AttributeValue, width: int) -> Iterator[str]:
    values: Sequence[AttributeValue] = value if isinstance(value, tuple) else (value,)
    for index in range(width):
        yield text_of(values[index]) if index < len(values) else ""


def _header(plan: TablePlan, widths: dict[str, int]) -> Iterator[str]:
    yield from (ID, TITLE, *[IMAGE] * plan.max_images)
    for name, width in widths.items():
        yield from [plan.columns[name]] * width
    yield from plan.guards


def _quoted(name: str) -> str:
    """Always quoted: a reader counts the separators outside of quotes to find out which one is used."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _is_unreadable(row: Sequence[str]) -> bool:
    breaks = sum(cell.count("\n") + cell.count("\r") for cell in row)
    return breaks >= _MAX_LINES or any(len(cell) >= _MAX_CELL for cell in row)


def _lost(cut: int) -> Iterator[str]:
    yield "CSV: numbers, yes and no become texts; filters find them as before"
    yield "CSV: a list of one value becomes that value; spaces around a text, empty texts and NULs are lost"
    if cut:
        yield f"CSV: products with texts so long that `sartor index` does not read them again: {cut:,}"


def write_json_lines(path: Path, plan: TablePlan) -> tuple[str, ...]:
    """Write the products, and return what is lost.

    Every object has every attribute, null if the product has no value: a reader decides what a column is from the
    names of all columns of a row.
    """
    absent = dict.fromkeys((*plan.columns, *plan.guards))
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for stored, images in plan.products():
            attributes = {**absent, **_attributes(stored.product, plan.columns)}
            line = {ID: stored.product.id, TITLE: stored.product.title, IMAGE: images, **attributes}
            text = json.dumps(line, ensure_ascii=False, allow_nan=False)
            file.write(text.translate(_LINE_ENDS) + "\n")
    return (
        "JSON Lines: spaces around a text, empty texts and empty lists, when `sartor index` reads it again",
        *plan.lost,
    )


def _attributes(product: Product, names: Iterable[str]) -> dict[str, Any]:
    return {name: _json_value(value) for name in names if (value := product.attributes.get(name)) is not None}


def _json_value(value: AttributeValue) -> AttributeValue | None:
    """JSON has no NaN and no infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
