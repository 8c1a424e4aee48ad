"""The layout of Kaggle's "Fashion Product Images": ``styles.csv``, and ``images/{id}.jpg`` beside it.

Source: https://www.kaggle.com/datasets/paramaggarwal/fashion-product-images-dataset. Its archive holds copies of
both in a folder of the same name, and ``images.csv`` with a link for every id; the top-most ``styles.csv`` counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KIND = "kaggle"
TABLE = "styles.csv"
COLUMNS = (
    "id",
    "gender",
    "masterCategory",
    "subCategory",
    "articleType",
    "baseColour",
    "season",
    "year",
    "usage",
    "productDisplayName",
)
_TELLING = frozenset({"articleType", "productDisplayName"})


def has_kaggle_name(name: str) -> bool:
    """Whether a file is called as the table of this layout."""
    return name.rpartition("/")[2].lower() == TABLE


def is_kaggle(name: str, columns: Iterable[str]) -> bool:
    """Whether a table is the one of this layout; some of its columns may be missing."""
    return has_kaggle_name(name) and "id" in columns and not _TELLING.isdisjoint(columns)


def unknown_columns(columns: Iterable[str]) -> Sequence[str]:
    """The columns that Kaggle's table does not have."""
    return [column for column in columns if column not in COLUMNS]
