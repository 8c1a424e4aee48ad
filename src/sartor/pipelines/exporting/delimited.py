"""The catalog as CSV: a row a product; a column comes as often as a product has values of it."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from sartor.pipelines.exporting.columns import ID, IMAGE, TITLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sartor.pipelines.exporting.table import TableOrder
    from sartor.types import AttributeValue

_LONGEST_CELL = 131_072  # characters that Python's csv module reads
_MOST_LINES = 1_000  # of a row, that ``sartor index`` reads


def write_delimited(path: Path, order: TableOrder) -> tuple[str, ...]:
    """Write the products as RFC 4180 has it, and return what is lost.

    Several values are several columns of one name, which ``sartor index`` reads as several values again: no value
    has to do without a separator.
    """
    widths = {name: order.survey.attributes[name].most for name in order.columns}
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


def _header(order: TableOrder, widths: dict[str, int]) -> Iterator[str]:
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
