"""The catalog as JSON Lines: an object a product, its attributes with their types."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from sartor.pipelines.exporting.columns import ID, IMAGE, TITLE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sartor.pipelines.exporting.table import TableOrder
    from sartor.types import AttributeValue, Product

# JSON allows these in a text, and many readers take each for the end of a line.
_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}


def write_json_lines(path: Path, order: TableOrder) -> tuple[str, ...]:
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
