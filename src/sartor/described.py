"""A product as it is listed: what the catalog tells of it, and what a model predicts where the catalog is silent.

Stores and indexes of listings write what is made here, and doors show it, so that a filter, a word and a title
mean the same everywhere. Nothing that is predicted ever takes the place of what the catalog tells.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from sartor.limits import MIN_SAID_PROBABILITY

if TYPE_CHECKING:
    from sartor.types import AttributeValue, Guesses, Product

_KIND = ("product_type", "articleType")
_COLOR = ("color", "baseColour")
_PICTURE = re.compile(r".*\.(?:jpe?g|png|webp|gif|bmp|tiff?|avif|hei[cf]|hif)", re.IGNORECASE | re.DOTALL)
# Names that cameras, phones and databases give to files: IMG_2034, DSC0001, PXL_20240101_1200, long hashes. A
# number alone may be a title, as that of a pair of jeans is.
_NUMBERED = re.compile(
    r"(?:img|dscn?|dscf|pxl|mvimg|gopr|dji|photo|image|picture|screenshot|whatsapp image)[\W_]*"
    r"[\dabcdef][\dabcdef\W_]{2,}(?:at [\d\W_]+)?",
    re.IGNORECASE,
)
_HASH = re.compile(r"[\da-f]{16,}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
# Kinds that have no singular as people say it.
_PAIRS = frozenset([
    "boots", "boxers", "briefs", "capris", "chinos", "cufflinks", "culottes", "earrings", "flats", "flops",
    "glasses", "gloves", "heels", "innerwear", "jeans", "jeggings", "joggers", "leggings", "loafers", "pajamas",
    "pants", "pumps", "pyjamas", "sandals", "shoes", "shorts", "slippers", "sneakers", "socks", "stockings",
    "sunglasses", "suspenders", "sweatpants", "tights", "trainers", "trousers", "trunks",
])  # fmt: skip
_SPOKEN = {
    "tshirts": "T-shirt",
    "tshirt": "T-shirt",
    "t-shirts": "T-shirt",
    "t-shirt": "T-shirt",
    "scarves": "scarf",
}
_MAX_SHORT = 4  # letters of "Ties", which is no plural of "Ty"


class Title(NamedTuple):
    """A product's title, and whether it was made from what a model predicts."""

    text: str
    is_predicted: bool


def described(product: Product, predicted: Guesses) -> Product:
    """The product with what is surely predicted and the catalog lacks, and with its title as it is shown."""
    if not predicted:
        return product
    attributes = sure_of(predicted) | dict(product.attributes)
    return replace(product, title=title_of(product, predicted).text, attributes=attributes)


def sure_of(predicted: Guesses) -> dict[str, AttributeValue]:
    """What is predicted with a probability from which it is said, filtered by and counted."""
    return {name: value for name, (value, probability) in predicted.items() if probability >= MIN_SAID_PROBABILITY}


def title_of(product: Product, predicted: Guesses) -> Title:
    """The product's own title; where it has none but a file's name, its color and kind if a model is sure of them.

    Example:
        >>> from sartor.types import Product
        >>> title_of(Product(id="IMG_2034"), {"articleType": ("Shirts", 0.9), "color": ("Navy Blue", 0.8)}).text
        'Navy blue shirt'
    """
    if not predicted or (product.title and not is_file_name(product.title, product.id)):
        return Title(product.title, is_predicted=False)
    sure = sure_of(predicted)
    known = {name: str(value) for name, value in product.attributes.items() if isinstance(value, str)}
    kind, color = (
        next(((name, str({**sure, **known}[name])) for name in names if name in sure or name in known), None)
        for names in (_KIND, _COLOR)
    )
    if kind is None or not any(part is not None and part[0] not in known for part in (kind, color)):
        return Title(product.title, is_predicted=False)
    words = [*([] if color is None else [_shade(color[1])]), _singular(kind[1].rpartition(">")[2].strip())]
    text = " ".join(words)
    return Title(text[:1].upper() + text[1:], is_predicted=True)


def is_file_name(title: str, product_id: str) -> bool:
    """Whether a title is only what a file is called.

    Example:
        >>> [is_file_name(title, "15970") for title in ("IMG_2034", "front.jpg", "15970", "501", "Air Max 90")]
        [True, True, True, False, False]
    """
    if title == product_id or _PICTURE.fullmatch(title) or _HASH.fullmatch(title):
        return True
    return bool(_NUMBERED.fullmatch(title) and _DIGIT.search(title))


def _shade(color: str) -> str:
    return "multicolored" if color.lower() == "multi" else color.lower()


def _singular(kind: str) -> str:
    """A kind as one product of it is called: ``Casual Shoes`` stay, of ``Dresses`` one is a ``dress``."""
    *others, last = kind.lower().split() or [""]
    return " ".join([*others, _one(last)])


def _one(word: str) -> str:
    if word in _SPOKEN:
        return _SPOKEN[word]
    if word in _PAIRS or not word.endswith("s") or word.endswith(("ss", "us")):
        return word
    if word.endswith("ies") and len(word) > _MAX_SHORT:
        return word[:-3] + "y"
    if word.endswith(("sses", "ches", "shes", "xes")):
        return word[:-2]
    return word[:-1]
