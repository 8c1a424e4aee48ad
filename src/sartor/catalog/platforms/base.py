"""The contract of a platform's reader, and what the readers share: one product for each color of a product.

A reader takes the rows of an export as its format gives them, and gives rows in the catalog's own words, one for
each product: ``id``, ``title``, ``image_link``, ``additional_image_link``, ``price``, ``sale_price`` and so on.
Columns that it has no meaning for it hands on under their own names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeAlias

from sartor.catalog.columns import column_key
from sartor.catalog.formats import Row, texts
from sartor.catalog.source import Findings
from sartor.money import money_of
from sartor.offers import Availability, availability_of

if TYPE_CHECKING:
    from sartor.catalog.formats import Cell, TableFormat, TableStream

Rows: TypeAlias = Callable[[Findings], Iterator[Row]]
"""Reads the rows of an export from its start, each time that it is called; oddities are counted."""

ROLE_COLUMNS = ("id", "title", "image_link", "additional_image_link")
SIZE, COLOR = "size", "color"
SIZES_OUT_OF_STOCK = "sizes_out_of_stock"
_COLOR_KEYS = frozenset(
    map(column_key, ("color", "colour", "colors", "farbe", "couleur", "colore", "kleur", "cor"))
)
_COLOR_KEYS |= frozenset(map(column_key, ("färg", "kolor", "color family", "farve", "farge", "väri", "barva")))
_SIZE_KEYS = frozenset(map(column_key, ("size", "sizes", "größe", "groesse", "taille", "talla", "taglia", "maat")))
_SIZE_KEYS |= frozenset(
    map(column_key, ("tamanho", "storlek", "rozmiar", "størrelse", "shoe size", "clothing size"))
)
_ORDER = (Availability.IN_STOCK, Availability.PREORDER, Availability.BACKORDER, Availability.OUT_OF_STOCK)
_NO_LETTERS = re.compile(r"[\W_]+")


class Platform(Protocol):
    """Reads the exports of one platform."""

    @property
    def name(self) -> str:
        """What the platform is called."""
        ...

    @property
    def meanings(self) -> Mapping[str, str]:
        """The catalog's word for each column that is understood; other columns keep their names."""
        ...

    def recognizes(self, keys: frozenset[str]) -> bool:
        """Whether an export has these columns, compared by ``columns.column_key``."""
        ...

    def products(self, rows: Rows, findings: Findings) -> Iterator[Row]:
        """The products of an export, in its order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformTable:
    """A table whose rows a platform's reader turns into products."""

    format: TableFormat
    platform: Platform
    header_lines: None = None

    def columns(self, table: TableStream) -> tuple[str, ...]:  # noqa: ARG002 - a row may have any others
        """The columns that have a role; a product may have any others."""
        return ROLE_COLUMNS

    def rows(self, table: TableStream) -> Iterator[Row]:
        """The products."""

        def from_the_start(findings: Findings) -> Iterator[Row]:
            table.stream.seek(0)
            yield from self.format.rows(replace(table, findings=findings))

        return self.platform.products(from_the_start, table.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One variant of a product.

    Attributes:
        options: What it differs by, such as ``{"color": "Red", "size": "S"}``.
        cells: What else it has, in the catalog's words.
        images: Its own photos.
    """

    options: Mapping[str, str]
    cells: Mapping[str, Cell]
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A photo of a product's gallery, with the words that describe it."""

    address: str
    alt: str = ""


def option_name(name: str) -> str:
    """The catalog's word for an option: ``Colour`` and ``Farbe`` are ``color``; others keep their names."""
    key = column_key(name)
    return COLOR if key in _COLOR_KEYS else SIZE if key in _SIZE_KEYS else name.strip()


def colored_id(product_id: str, color: str) -> str:
    """The id of a product in one color; no platform has a colon in its own ids.

    Example:
        >>> colored_id("linen-shirt", "Navy Blue")
        'linen-shirt:navy-blue'
    """
    folded = unicodedata.normalize("NFKC", color).casefold()
    return f"{product_id}:{_NO_LETTERS.sub('-', folded).strip('-') or 'none'}"


def by_color(variants: Sequence[Variant]) -> dict[str, list[Variant]]:
    """The variants of each color, in their order; one group named ``""`` where there is no color."""
    names: dict[str, str] = {}
    groups: dict[str, list[Variant]] = {}
    for variant in variants:
        color = variant.options.get(COLOR, "")
        name = names.setdefault(colored_id("", color) if color else "", color)  # "Red" and "red " are one
        groups.setdefault(name, []).append(variant)
    return groups


def titled(title: str, color: str) -> str:
    """A product's title with its color, unless that is named there.

    Example:
        >>> titled("Linen Shirt", "Red"), titled("Red Shirt", "Red")
        ('Linen Shirt Red', 'Red Shirt')
    """
    return title if not color or _names(title, color) else f"{title} {color}".strip()


def stock_of(quantity: Cell, *, sells_without: bool = False) -> str | None:
    """The availability that a number in stock means; None if it is no number."""
    number = money_of(first_text(quantity), mark=".")
    if number is None:
        return None
    if number.amount > 0:
        return Availability.IN_STOCK.value
    return Availability.BACKORDER.value if sells_without else Availability.OUT_OF_STOCK.value


def own_columns(cells: Mapping[str, Cell], known: Collection[str]) -> dict[str, Cell]:
    """The cells that a reader has no meaning for; ``known`` are keys of columns."""
    return {column: cell for column, cell in cells.items() if column_key(column) not in known and texts(cell)}


def named(cells: Mapping[str, Cell]) -> dict[str, Cell]:
    """The cells by the keys of their columns."""
    return {column_key(column): cell for column, cell in cells.items()}


def photos_by_color(
    groups: Mapping[str, Sequence[Variant]], gallery: Sequence[Picture]
) -> dict[str, tuple[str, ...]]:
    """The photos of each color, its own first, then those of the gallery that may show it.

    A photo of the gallery belongs to the color that a variant shows it for, else to the color that its alt text
    names, else to the color of the photo before it, as shops sort them. One before all those belongs to all.
    """
    own = {
        color: [image for variant in variants for image in variant.images] for color, variants in groups.items()
    }
    if len(groups) == 1:
        return {color: _each_once([*images, *(each.address for each in gallery)]) for color, images in own.items()}
    shown_for = {image: color for color, images in own.items() for image in images}
    current: str | None = None
    photos = {color: list(images) for color, images in own.items()}
    for picture in gallery:
        named = [color for color in groups if color and _names(picture.alt, color)]
        if picture.address in shown_for:
            current = shown_for[picture.address]
        elif len(named) == 1:
            (current,) = named
        for color in groups if current is None else (current,):
            photos[color].append(picture.address)
    return {color: _each_once(images) for color, images in photos.items()}


def shares_gallery(photos: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether several colors have the same photos, so that nothing tells which one a photo shows."""
    return len(photos) > 1 and len(set(map(frozenset, photos.values()))) == 1 and any(photos.values())


def product_row(
    location: str, parent: Mapping[str, Cell], variants: Sequence[Variant], photos: Sequence[str]
) -> Row:
    """The row of one product: what its parent says, what its variants add, and its photos.

    Options of several variants, and further columns that differ, become lists. The price is that of the cheapest
    variant; where they differ, ``max_price`` is that of the dearest. It is in stock if any variant is.
    """
    cells: dict[str, Cell] = dict(parent)
    columns = dict.fromkeys(column for variant in variants for column in variant.cells)
    for column in columns:
        told = _several(variant.cells.get(column) for variant in variants)
        if told is not None:
            cells[column] = told
    for option in dict.fromkeys(option for variant in variants for option in variant.options):
        told = _several(variant.options.get(option) for variant in variants)
        if told is not None:
            cells[option] = told
    _price(cells, variants)
    _stock(cells, variants)
    if photos:
        cells["image_link"] = (photos[0],)
        cells["additional_image_link"] = tuple(photos[1:]) or None
    return Row(location=location, cells={column: cell for column, cell in cells.items() if texts(cell)})


def alts_of(gallery: Sequence[Picture], photos: Collection[str]) -> tuple[str, ...] | None:
    """The words that describe some photos; None without any."""
    return tuple(dict.fromkeys(each.alt for each in gallery if each.alt and each.address in photos)) or None


def one_or_several(values: Sequence[str]) -> Cell:
    """A value, or a tuple of several; None of none."""
    return tuple(values) if len(values) > 1 else next(iter(values), None)


def first_text(cell: Cell) -> str:
    """The first text of a cell; empty if it has none."""
    return next(iter(texts(cell)), "")


def _price(cells: dict[str, Cell], variants: Sequence[Variant]) -> None:
    priced = [
        (paid.amount, variant)
        for variant in variants
        if (
            paid := money_of(first_text(variant.cells.get("sale_price")) or first_text(variant.cells.get("price")))
        )
    ]
    if not priced:
        return
    low, cheapest = min(priced, key=lambda pair: pair[0])
    high, dearest = max(priced, key=lambda pair: pair[0])
    for column in ("price", "sale_price", "compare_at_price"):
        if any(column in variant.cells for variant in variants):
            cells[column] = cheapest.cells.get(column)
    if high > low:
        cells["max_price"] = first_text(dearest.cells.get("sale_price")) or dearest.cells.get("price")


def _stock(cells: dict[str, Cell], variants: Sequence[Variant]) -> None:
    states = [_state_of(variant) for variant in variants]
    known = [state for state in _ORDER if state.value in states]
    if known:
        cells["availability"] = known[0].value
    gone = [
        variant.options[SIZE]
        for variant, state in zip(variants, states, strict=True)
        if state == Availability.OUT_OF_STOCK.value and variant.options.get(SIZE)
    ]
    left = {
        variant.options.get(SIZE)
        for variant, state in zip(variants, states, strict=True)
        if state != Availability.OUT_OF_STOCK.value
    }
    if sizes := tuple(dict.fromkeys(size for size in gone if size not in left)):
        cells[SIZES_OUT_OF_STOCK] = sizes


def _state_of(variant: Variant) -> str:
    text = first_text(variant.cells.get("availability"))
    return availability_of(text) or text


def _several(cells: Iterable[Cell]) -> Cell:
    """The one value that all have, else a tuple of the distinct ones."""
    values: dict[object, Cell] = {}
    for cell in cells:
        for value in cell if isinstance(cell, tuple) else (cell,):
            if value not in {None, ""}:
                values.setdefault(str(value), value)
    if len(values) > 1:
        return tuple(map(str, values))
    return next(iter(values.values()), None)


def _names(alt: str, color: str) -> bool:
    """Whether a text has a color's words."""
    words = f" {_NO_LETTERS.sub(' ', alt).casefold()} "
    return f" {_NO_LETTERS.sub(' ', color).casefold().strip()} " in words


def _each_once(images: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, images)))
