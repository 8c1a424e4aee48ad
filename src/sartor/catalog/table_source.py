"""A source of the rows of a table: their products, photos and attributes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sartor.catalog.cleaning import Cleaner, is_shortened
from sartor.catalog.columns import attribute_names
from sartor.catalog.commerce import Offers
from sartor.catalog.files import PhotoFinder, id_of, image_columns, stem, without_suffix
from sartor.catalog.formats import TableStream, texts
from sartor.catalog.frames.arrow import Parquet
from sartor.catalog.frames.memory import FrameRows
from sartor.catalog.source import Case, Findings
from sartor.catalog.tables import COLUMNS, KIND
from sartor.types import Product, SourceProduct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sartor.catalog.files import Files, PhotoIndex
    from sartor.catalog.formats import Cell, Row
    from sartor.catalog.tables import Table
    from sartor.types import AttributeValue, SourcePhoto

_COUNTED_BYTES = 32 * 2**20
_CHUNK_BYTES = 2**20


class TableSource:
    """A source of a table's rows; photos of ``unlisted`` without a row become products too."""

    def __init__(
        self, name: str, table: Table, index: PhotoIndex, *, unlisted: Sequence[str], findings: Findings
    ) -> None:
        self.name = name
        self.kind = table.kind
        self.findings = findings
        self._table = table
        self._index = index
        self._candidates = unlisted
        if table.kind == KIND:
            for column in table.columns:
                if column not in COLUMNS:
                    findings.add(Case.UNKNOWN_COLUMNS, column)
        self.mapping = table.mapping
        counts = [_row_count(index.files, each) for each in (table, *table.more)]
        self.product_count = None if None in counts else sum(filter(None, counts))
        self._on_opening = findings.snapshot()

    def __iter__(self) -> Iterator[SourceProduct]:
        self.findings.restore(self._on_opening)
        reading = _Reading(self._table, self._index, self.findings)
        yield from reading.listed(self._index.files)
        yield from reading.unlisted(self._candidates)


class _Reading:
    """One pass over a table, with the ids and photos so far."""

    def __init__(self, table: Table, index: PhotoIndex, findings: Findings) -> None:
        self._table = table
        self._index = index
        self._findings = findings
        self._finder = PhotoFinder(index, folder=table.folder, findings=findings)
        self._ids: set[str] = set()
        self._photos: set[str] = set()
        self._missing: Counter[str] = Counter()
        self._filled: set[str] = set()
        self._columns: tuple[str, ...] = ()  # of the row before,
        self._names: list[tuple[str, str]] = []  # and their attributes
        self._offers = Offers(mark=table.decimal_mark, findings=findings)
        self._cleaner = Cleaner(findings)

    def listed(self, files: Files) -> Iterator[SourceProduct]:
        """The products with a row."""
        for table in (self._table, *self._table.more):
            self._table, self._columns = table, ()
            self._finder = PhotoFinder(self._index, folder=table.folder, findings=self._findings)
            with files.open_table(table.name) as stream:
                opened = TableStream(label=files.label(table.name), stream=stream, findings=self._findings)
                for row in table.format.rows(opened):
                    product = self._product(row)
                    if product is not None:
                        yield product
        self._report_columns()
        self._offers.report()

    def unlisted(self, names: Sequence[str]) -> Iterator[SourceProduct]:
        """A product for each photo that no row names, with its stem as id, or its path if that is taken."""
        are_named_by_id = not self._table.roles.images
        listed_ids = frozenset(self._ids)
        for name in names:
            if name in self._photos:
                continue
            if are_named_by_id and stem(name) in listed_ids:
                self._findings.add(Case.SPARE_PHOTOS, name)
                continue
            self._findings.add(Case.NO_ROW, name)
            product_id = self._unused(stem(name), without_suffix(name), name)
            self._ids.add(product_id)
            yield SourceProduct(
                product=Product(id=product_id), photos=(self._index.photo(name),), is_described=False
            )

    def _product(self, row: Row) -> SourceProduct | None:
        photos = self._finder.photos_of(row, self._table.roles)
        product_id = self._identify(row, photos)
        if not product_id:
            self._findings.add(Case.NO_ID, row.location)
            return None
        if is_shortened(product_id):
            self._findings.add(Case.SHORTENED_IDS, f"{product_id} ({row.location})")
        if product_id in self._ids:
            self._findings.add(Case.DUPLICATE_IDS, f"{product_id} ({row.location})")
            return None
        if not photos:
            self._findings.add(Case.NO_PHOTO, product_id, location=row.location)
            if not self._table.roles.images and (name := self._index.with_zeros(product_id)):
                self._findings.add(Case.LOST_ZEROS, f"{product_id}: {name}")
        self._ids.add(product_id)
        self._photos.update(photo.name for photo in photos)
        product = Product(id=product_id, title=self._title(row), attributes=self._attributes(row))
        roles = self._table.roles
        has_no_photo = not photos and bool(roles.images) and not self._finder.names_photo(row, roles)
        return SourceProduct(product=product, photos=photos, has_no_photo=has_no_photo, location=row.location)

    def _identify(self, row: Row, photos: Sequence[SourcePhoto]) -> str:
        """The id of a row, else one after its image; empty if it has neither."""
        roles = self._table.roles
        product_id = id_of(row, roles)
        image_stem = "" if product_id else self._finder.image_stem(row, roles)
        if not image_stem:
            return product_id
        if roles.id is not None:
            self._findings.add(Case.NAMED_AFTER_PHOTO, row.location)
        if photos and photos[0].name not in self._photos:  # another photo, though of the same name
            return self._unused(image_stem, without_suffix(photos[0].name), photos[0].name)
        return image_stem

    def _unused(self, *names: str) -> str:
        return next((name for name in names if name not in self._ids), names[-1])

    def _title(self, row: Row) -> str:
        title = self._table.roles.title
        return (
            self._cleaner.text(", ".join(texts(row.cells.get(title))), row.location) if title is not None else ""
        )

    def _attributes(self, row: Row) -> dict[str, AttributeValue]:
        roles, cells = self._table.roles, row.cells
        columns = tuple(cells)
        if columns != self._columns:  # the rows of most tables have the same
            names = attribute_names(columns, self._table.given)
            passed_over = {roles.id, *roles.images}
            self._columns = columns
            self._names = [(column, names[column]) for column in columns if column not in passed_over]
        images = image_columns(row, roles) if roles.fallbacks else ()
        attributes: dict[str, AttributeValue] = {}
        for column, name in self._names:
            if column in images:
                continue
            cell = cells[column]
            value = cell.strip() or None if isinstance(cell, str) else _value(cell)
            if value is None:
                self._missing[column] += 1
                continue
            self._filled.add(column)
            if column != roles.title:
                attributes[name] = self._cleaner.value(value, row.location)
        return self._offers.tidy(attributes, row.location)

    def _report_columns(self) -> None:
        for column, count in self._missing.items():
            if column in self._filled:
                self._findings.add(Case.MISSING_CELLS, f"{column} ({count})", count=count)
            else:
                self._findings.add(Case.EMPTY_COLUMNS, column)


def _value(cell: Cell) -> AttributeValue | None:
    return texts(cell) or None if isinstance(cell, tuple) else cell


def _row_count(files: Files, table: Table) -> int | None:
    """The number of rows by counting lines; None if rows are not lines or the table is too large to count."""
    if isinstance(table.format, Parquet | FrameRows):
        with files.open_table(table.name) as stream:
            label = files.label(table.name)
            return table.format.row_count(TableStream(label=label, stream=stream, findings=Findings()))
    if table.format.header_lines is None:
        return None
    lines, size_bytes, last = 0, 0, b"\n"
    with files.open_table(table.name) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            lines += chunk.count(b"\n")
            size_bytes += len(chunk)
            last = chunk[-1:]
            if size_bytes > _COUNTED_BYTES:
                return None
    return max(0, lines + (last != b"\n") - table.format.header_lines)
