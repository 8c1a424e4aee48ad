"""Which attributes of a catalog can judge an embedding: categories, neither ids nor prices nor free text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from sartor.types import Attributes, AttributeValue

MIN_COVERAGE = 0.5  # of the products have the attribute
MIN_VALUES = 2  # with one there is nothing to tell apart
MAX_VALUES = 500  # with more, most have too few products to find each other
MAX_VALUES_SHARE = 0.5  # fewer values than this share of the products: ids, links, titles and prices have more


def choose_labels(rows: Sequence[Attributes]) -> tuple[str, ...]:
    """The attributes that are categories, by the thresholds of this module, sorted.

    Args:
        rows: The attributes of each product.
    """
    covered: Counter[str] = Counter()
    values: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.items():
            if text := label_of(value):
                covered[name] += 1
                values.setdefault(name, set()).add(text)
    return tuple(
        name
        for name in sorted(values)
        if covered[name] >= MIN_COVERAGE * len(rows)
        and MIN_VALUES <= len(values[name]) <= MAX_VALUES
        and len(values[name]) < MAX_VALUES_SHARE * len(rows)
    )


def label_of(value: AttributeValue | None) -> str:
    """An attribute's value as a label; empty where there is none. Several values are one label of their own."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(sorted(text for part in value if (text := part.strip())))
    return str(value).strip()


def labels_of(rows: Sequence[Attributes], name: str) -> npt.NDArray[np.str_]:
    """The labels of products by one attribute, ``(n,)``; empty where a product has none."""
    return np.array([label_of(row.get(name)) for row in rows], dtype=np.str_)
