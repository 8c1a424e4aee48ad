"""Columns by their names: which hold id, title and images, and what an attribute is called in the catalog.

Names are compared without case, accents, spaces, dashes and underscores: ``Image Link``, ``image_link`` and
``imageLink`` are one. The names of other languages are in ``catalog.languages``. If several columns fit one role,
the first name of the list here wins; the others stay attributes.
"""

from __future__ import annotations

import ast
import json
import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sartor.catalog import languages
from sartor.catalog.formats import texts
from sartor.errors import BadColumns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from sartor.catalog.formats import Cell

ID_COLUMNS = (
    "id",
    "product_id",
    "item_id",
    "sku",
    "article_id",
    "article_number",
    "asin",
    "parent_asin",
    "handle",
    "style_id",
    "product_code",
    "uniq_id",
    "offer_id",
    *languages.IDS,
)
TITLE_COLUMNS = (
    "title",
    "product_display_name",
    "product_title",
    "product_name",
    "prod_name",
    "display_name",
    "name",
    *languages.TITLES,
)
# A local path comes before a link, because only local files are read.
IMAGE_COLUMNS = (
    "image_path",
    "image_file",
    "image_filename",
    "image_name",
    "image",
    "images",
    "image_paths",
    "img",
    "img_path",
    "photo",
    "photos",
    "photo_path",
    "picture",
    "pictures",
    "image_link",
    "image_links",
    "image_src",
    "image_url",
    "image_urls",
    "img_url",
    "im_url",
    "image_id",
    "file_path",
    "filename",
    "filenames",
    "file",
    "path",
    "base_image",
    *languages.IMAGES,
)
FURTHER_IMAGE_COLUMNS = (
    "additional_image_link",
    "additional_image_links",
    "additional_images",
    "further_images",
    *languages.FURTHER_IMAGES,
)

# Source: https://support.google.com/merchants/answer/7052112 (product data specification)
_MERCHANT_NAMES = (
    "age_group",
    "availability",
    "brand",
    "color",
    "condition",
    "description",
    "gender",
    "google_product_category",
    "gtin",
    "image_link",
    "item_group_id",
    "link",
    "material",
    "mpn",
    "pattern",
    "price",
    "product_type",
    "sale_price",
    "size",
)
_SYNONYMS = {
    "base_colour": "color",
    "base_color": "color",
    "colour": "color",
    "brand_name": "brand",
    **languages.ATTRIBUTES,
}

_FILE_SCHEME = "file://"
_LOCALHOST = frozenset({"", "localhost"})
_SEPARATOR = re.compile(r"[,;|]")
_SEPARATOR_OF_URLS = re.compile(r"[,;|\s]+(?=[A-Za-z][A-Za-z0-9+.-]*://)")  # a URL may itself have commas
_DRIVE = re.compile(r"^/(?=[A-Za-z]:/)")  # "file:///C:/1.jpg" is "C:/1.jpg"
_QUERY = re.compile(r"[?#]")
_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]+://|data:)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which columns of a table hold the id, the title and the images, by their names in the table.

    Attributes:
        id: None if products are named after their photos.
        title: None if products have no title.
        images: The main image first; empty if photos are named after the product's id.
        fallbacks: Other columns of images; the first that has one counts for a row without a main image.
    """

    id: str | None
    title: str | None
    images: tuple[str, ...]
    fallbacks: tuple[str, ...] = field(default=(), compare=False)


IMAGE, IMAGES = "image", "images"
"""What a mapping of columns calls the main image and the further ones, beside ``id`` and ``title``."""


def roles_of(columns: Sequence[str], given: Mapping[str, str] | None = None) -> Roles:
    """Find the columns that have a role.

    Args:
        columns: Names of all columns.
        given: Columns by what they hold, as the user said; they win over what their names say.
    """
    given = given or {}
    columns = [column for column in columns if column not in given.values()]
    by_key = {column_key(column): column for column in reversed(columns)}

    def present(names: Iterable[str]) -> list[str]:
        return [by_key[column_key(name)] for name in names if column_key(name) in by_key]

    main, fallbacks = (mains := present(IMAGE_COLUMNS))[:1], mains[1:]
    if IMAGE in given:
        main, fallbacks = [given[IMAGE]], mains
    further = [given[IMAGES]] if IMAGES in given else present(FURTHER_IMAGE_COLUMNS)
    if not (main or further):  # as image folders of Hugging Face name several photos: "front_file_name"
        further = [column for column in columns if column_key(column).endswith(("filename", "filenames"))]
    return Roles(
        id=given.get("id") or next(iter(present(ID_COLUMNS)), None),
        title=given.get("title") or next(iter(present(TITLE_COLUMNS)), None),
        images=(*main, *further),
        fallbacks=tuple(fallbacks),
    )


def image_columns_of(columns: Iterable[str]) -> frozenset[str]:
    """The columns that hold photos by their names."""
    return frozenset(column for column in columns if column_key(column) in _IMAGE_KEYS)


def columns_of(parts: Iterable[str]) -> dict[str, str]:
    """Read a mapping as people write it: ``image=Bild,title=Bezeichnung``, in one text or several.

    Raises:
        BadColumns: A part is not NAME=COLUMN, or names something twice.

    Example:
        >>> columns_of(["image=Bild,title=Bezeichnung", "price=Preis"])
        {'image': 'Bild', 'title': 'Bezeichnung', 'price': 'Preis'}
    """
    given: dict[str, str] = {}
    for part in (piece for text in parts for piece in text.split(",")):
        name, equals, column = (piece.strip() for piece in part.partition("="))
        if not (name and equals and column):
            raise BadColumns(part.strip(), reason="it is not NAME=COLUMN, such as image=Photo")
        if name in given or column in given.values():
            raise BadColumns(part.strip(), reason="each name has one column, and each column one name")
        given[name] = column
    return given


def decimal_mark_of(columns: Iterable[str]) -> str | None:
    """The decimal mark of the language that names of columns are in; None for English and unknown ones.

    Example:
        >>> decimal_mark_of(("id", "Bezeichnung", "Preis")), decimal_mark_of(("id", "title", "price"))
        (',', None)
    """
    return "," if any(column_key(column) in _FOREIGN_KEYS for column in columns) else None


@lru_cache(maxsize=256)  # the rows of a table have the same columns, or a few variants
def attribute_names(columns: tuple[str, ...], given: tuple[tuple[str, str], ...] = ()) -> Mapping[str, str]:
    """The attribute's name of each column: what the user said, else its Google Merchant name, else its own.

    A column whose name was ``given`` to another one is called ``original_{name}``. If two columns fit one Merchant
    name, the column of that name gets it, else the first; the other keeps its own.
    """
    said = {column: name for name, column in given}
    names = {column: f"original_{column}" if column in dict(given) else column for column in columns} | said
    taken = {*columns, *said.values()}
    for column in columns:
        if column in said:
            continue
        merchant_name = _MERCHANT_NAME_OF.get(column_key(column))
        if merchant_name and merchant_name not in taken:
            names[column] = merchant_name
            taken.add(merchant_name)
    return names


@lru_cache(maxsize=4096)  # each row has the same columns
def column_key(column: str) -> str:
    """The form in which names of columns are compared."""
    folded = column.casefold()
    if not folded.isascii():
        folded = unicodedata.normalize("NFKD", folded).replace("ł", "l").replace("ø", "o").replace("æ", "ae")
    return "".join(letter for letter in folded if letter.isalnum())


_MERCHANT_NAME_OF = {
    **{column_key(name): name for name in _MERCHANT_NAMES},
    **{column_key(synonym): name for synonym, name in _SYNONYMS.items()},
}
_IMAGE_KEYS = frozenset(map(column_key, (*IMAGE_COLUMNS, *FURTHER_IMAGE_COLUMNS)))
_FOREIGN_KEYS = frozenset(
    column_key(name) for name in (*languages.IDS, *languages.TITLES, *languages.IMAGES, *languages.ATTRIBUTES)
).difference(map(column_key, (*ID_COLUMNS[: -len(languages.IDS)], *_MERCHANT_NAMES)))


def references(cell: Cell, *, is_file: Callable[[str], bool]) -> Iterator[str]:
    """The images that a cell names, in its order.

    A text with separators is one image if ``is_file`` knows it, else several; ``[a, b]`` is a list as JSON or
    Python writes it, and ``[a]`` a list of one.
    """
    for text in texts(cell):
        is_one = not (_is_list(text) or _SEPARATOR.search(text)) or is_file(text)
        yield from filter(None, map(local_reference, (text,) if is_one else _separated(text)))


def is_url(reference: str) -> bool:
    """Whether a reference is a URL rather than a local file."""
    return _URL.match(reference) is not None


def local_reference(text: str) -> str:
    """A ``file://`` URL as a path, and backslashes as slashes; other text as it is."""
    if text[: len(_FILE_SCHEME)].lower() == _FILE_SCHEME:
        host, slash, path = text[len(_FILE_SCHEME) :].partition("/")
        # "file://images/1.jpg" has "images" for a host; it is a slip for a relative path
        return _DRIVE.sub("", ("" if host in _LOCALHOST else host) + slash + unquote(path))
    return text if is_url(text) else text.replace("\\", "/")


def base_name(reference: str) -> str:
    """The last part of a path, or of a URL without its query; empty for a ``data:`` URL."""
    if reference.lower().startswith("data:"):
        return ""
    path = _QUERY.split(reference, maxsplit=1)[0] if is_url(reference) else reference
    return path.rpartition("/")[2]


def _is_list(text: str) -> bool:
    return text.startswith("[") and text.endswith("]")


def _list_of(text: str) -> list[str] | None:
    """The texts of a list as JSON or Python writes it, in quotes; None if it is no such list."""
    for read in (json.loads, ast.literal_eval):
        try:
            items = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(items, list) and all(isinstance(item, str) for item in items):
            return [item.strip() for item in items]
    return None


def _separated(text: str) -> Iterable[str]:
    if _is_list(text):
        listed = _list_of(text)
        if listed is not None:
            return listed
        text = text[1:-1]
    separator = _SEPARATOR_OF_URLS if "://" in text else _SEPARATOR
    return (part.strip(" '\"") for part in separator.split(text))
