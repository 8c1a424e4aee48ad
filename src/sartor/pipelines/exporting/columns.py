"""The columns of an exported table, such that ``sartor index`` calls each attribute again as it is called here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.catalog.columns import attribute_names, roles_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

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
