"""What the index of a catalog's listing holds: its mapping, and a document for each product, photos or not.

A product's words are folded here as the embedded store folds them, and OpenSearch only splits them at the blanks
between. Of each word it also indexes all beginnings, so that a word which is still typed is a word like another:
``shirt$`` is the whole word, ``shir`` a beginning of it. What a text is also found by (``sartor.folding``) stands
in fields of its own, and its words once more as keywords, which typos are compared with.
"""

from __future__ import annotations

import json
import zlib
from enum import Enum
from typing import TYPE_CHECKING, Any

from sartor.browsing import phrases_of, tokens_of
from sartor.described import described
from sartor.folding import TWO_EDITS_CHARS, close_word, folded_of, variants_of, vocabulary_of
from sartor.index.opensearch.documents import (
    PRODUCT,
    Facts,
    body_of,
    filter_of,
    filtered,
    packed,
    prefix_of,
    text_field,
    unpacked,
)
from sartor.types import EVERYTHING, Photo, Product, StoredProduct
from sartor.values import price_of, searched_of, storable, title_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.browsing import Phrase
    from sartor.index.opensearch.address import IndexOptions
    from sartor.index.opensearch.documents import Json
    from sartor.types import ListedProduct, Where

_LISTING = "catalog_listing"  # in the place of a model in the name of the index; that of a model looks otherwise
STORED, NUMBER_ADDED = "stored", "added"
TITLE_KEY, PRICE = "title_key", "price"
UNTITLED, UNPRICED = "untitled", "unpriced"  # 1 for products that come last in an order, else 0
_FORMAT = 4
_TITLE, _ATTRIBUTES = "title_words", "attribute_words"
_FOLDED_TITLE, _FOLDED_ATTRIBUTES = "folded_title_words", "folded_attribute_words"
_VOCABULARY = "vocabulary"
_WEIGHTS = {_TITLE: 8.0, _ATTRIBUTES: 1.0}
_FOLDED_WEIGHTS = {_FOLDED_TITLE: 8.0, _FOLDED_ATTRIBUTES: 1.0}
_ALL_WEIGHTS = _WEIGHTS | _FOLDED_WEIGHTS
_LENGTHS = {
    _TITLE: 6,
    _ATTRIBUTES: 30,
    _FOLDED_TITLE: 6,
    _FOLDED_ATTRIBUTES: 30,
}  # words of a usual product; one with fewer is more about each of them
_ID_SCORE = 1e6
_EXACT_SCORE = 4096.0  # of products with all words as typed; above what words add up to, and still exact enough
_CLOSE_WORDS = 1000  # OpenSearch takes 1024
_WHOLE = "$"  # ends a word
_MAX_LETTERS = 65  # of a word with its end

# BM25 with k1 1.2 and b 0.75, but for two things: a word counts the same however many products have it, and the
# usual length is a constant. So the score of a product depends on that product alone. What OpenSearch would count
# differs between the copies of a shard and moves with each write, which would mix up the pages of a listing.
_BM25 = "return query.boost * doc.freq * 2.2 / (doc.freq + 1.2 * (0.25 + 0.75 * doc.length / {length}));"


def listing_facts(workspace: str) -> Facts:
    """What the index is made for."""
    return Facts(workspace=workspace, model=_LISTING, dimension=0, format=_FORMAT)


def listing_alias(options: IndexOptions, workspace: str) -> str:
    """The name by which the listing of a workspace is read."""
    return f"{prefix_of(options, workspace)}{_LISTING}"


def listing_body(options: IndexOptions, facts: Facts) -> Json:
    """The body that makes the index."""
    column, number = {"type": "binary", "doc_values": True}, {"type": "long"}
    words = {
        field: {"type": "text", "analyzer": "beginnings", "search_analyzer": "words", "similarity": field}
        for field in _ALL_WEIGHTS
    }
    return body_of(
        options,
        facts,
        settings={
            "analysis": {
                "filter": {"beginnings": {"type": "edge_ngram", "min_gram": 1, "max_gram": _MAX_LETTERS}},
                "analyzer": {
                    "beginnings": {"type": "custom", "tokenizer": "whitespace", "filter": ["beginnings"]},
                    "words": {"type": "custom", "tokenizer": "whitespace"},
                },
            },
            "similarity": {
                field: {"type": "scripted", "script": {"source": _BM25.format(length=float(length))}}
                for field, length in _LENGTHS.items()
            },
        },
        properties={
            **words,
            _VOCABULARY: {"type": "keyword", "doc_values": False},
            STORED: column,
            NUMBER_ADDED: number,
            TITLE_KEY: {"type": "keyword"},
            PRICE: {"type": "double"},
            UNTITLED: number,
            UNPRICED: number,
        },
        unsourced=[STORED, _VOCABULARY, *words],
    )


def listed_document(listed: ListedProduct) -> Json:
    """The document of a product."""
    product = described(listed.stored.product, listed.stored.predicted)
    title, price = title_key(product.title), price_of(product)
    said, searched = storable(product.title), searched_of(product)
    return {
        PRODUCT: storable(product.id),
        STORED: packed(_bytes_of(listed.stored)),
        NUMBER_ADDED: listed.number,
        TITLE_KEY: title or "",
        UNTITLED: int(title is None),
        PRICE: (price or 0.0) + 0.0,
        UNPRICED: int(price is None),
        _TITLE: _words(said),
        _ATTRIBUTES: _words(searched),
        _FOLDED_TITLE: _whole(folded_of(said).split()),
        _FOLDED_ATTRIBUTES: _whole(folded_of(searched).split()),
        _VOCABULARY: vocabulary_of([said, searched]),
        **filtered(product.attributes),
    }


def stored_of(hit: Json) -> StoredProduct:
    """A product as the store has it."""
    product, photos, source, predicted = json.loads(zlib.decompress(unpacked(hit["fields"][STORED][0])))
    product_id, title, attributes = product
    return StoredProduct(
        product=Product(
            id=product_id,
            title=title,
            attributes={
                name: tuple(value) if isinstance(value, list) else value for name, value in attributes.items()
            },
        ),
        photos=tuple(
            Photo(
                sha256=sha256,
                name=name,
                width_px=width_px,
                height_px=height_px,
                thumbnail=thumbnail,
                fingerprint=bytes.fromhex(fingerprint),
            )
            for sha256, name, width_px, height_px, thumbnail, fingerprint in photos
        ),
        source=source,
        predicted={name: (value, probability) for name, (value, probability) in predicted.items()},
    )


def has_words(words: str) -> bool:
    """Whether there is a word to search for."""
    return bool(phrases_of(words))


class Reading(Enum):
    """How a word is read: as it is, or as the words of products that it may stand for."""

    AS_IT_IS = "as it is"
    INSIDE = "inside"
    ONE_EDIT = "one edit"
    TWO_EDITS = "two edits"


def query_of(where: Where = EVERYTHING, words: str = "", readings: Sequence[Reading] = ()) -> Json:
    """The query for the products that pass a filter and have the words, scored by how well they match.

    Args:
        where: The filter.
        words: The words.
        readings: How each of them is read; by default as it is.
    """
    condition = filter_of(where)
    passing = [{"exists": {"field": PRODUCT}}, *([] if condition is None else [condition])]
    query: dict[str, Any] = {"filter": passing}
    if phrases := phrases_of(words):
        read = list(readings) or [Reading.AS_IT_IS] * len(phrases)
        said = [found for phrase, way in zip(phrases, read, strict=True) if (found := word_query(phrase, way))]
        named = {"constant_score": {"filter": {"term": {PRODUCT: storable(words).strip()}}, "boost": _ID_SCORE}}
        query["must"] = [
            {"bool": {"should": [named, *([{"bool": {"must": said}}] if said else [])], "minimum_should_match": 1}}
        ]
        exact = [found for phrase in phrases if (found := _exact(phrase))]
        if exact and not readings:
            query["should"] = [{"constant_score": {"filter": {"bool": {"must": exact}}, "boost": _EXACT_SCORE}}]
    return {"bool": query}


def word_query(phrase: Phrase, reading: Reading) -> Json | None:
    """The query for the products that have a word, read in a way; None if it cannot be read so."""
    if reading is Reading.AS_IT_IS:
        exact = _exact(phrase)
        folded = [
            _phrase(text.split(), field, weight, is_prefix=phrase.is_prefix)
            for text in variants_of(phrase.text)
            for field, weight in _ALL_WEIGHTS.items()
        ]
        return _any([*([] if exact is None else [exact]), *folded])
    word = close_word(phrase.text)
    if word is None or (reading is Reading.TWO_EDITS and len(word) < TWO_EDITS_CHARS):
        return None
    if reading is Reading.INSIDE:
        return {"constant_score": {"filter": {"wildcard": {_VOCABULARY: {"value": f"*{word}*"}}}}}
    is_two = reading is Reading.TWO_EDITS
    close = {
        "value": word,
        "fuzziness": 2 if is_two else 1,
        "prefix_length": int(is_two),
        "max_expansions": _CLOSE_WORDS,
        "transpositions": True,
    }
    return {"constant_score": {"filter": {"fuzzy": {_VOCABULARY: close}}}}


def having(attribute: str) -> Json:
    """The query for the products that have a text of an attribute."""
    return {"exists": {"field": text_field(attribute)}}


def _exact(phrase: Phrase) -> Json | None:
    tokens = tokens_of(phrase.text)
    return _any(
        [
            _phrase(tokens, field, weight, is_prefix=phrase.is_prefix)
            for field, weight in _WEIGHTS.items()
            if tokens
        ]
    )


def _phrase(tokens: Sequence[str], field: str, weight: float, *, is_prefix: bool) -> Json:
    query = " ".join([*(f"{token}{_WHOLE}" for token in tokens[:-1]), tokens[-1] + ("" if is_prefix else _WHOLE)])
    return {"match_phrase": {field: {"query": query, "boost": weight / len(tokens)}}}


def _any(queries: Sequence[Json]) -> Json | None:
    return {"bool": {"should": list(queries), "minimum_should_match": 1}} if queries else None


def _words(text: str) -> str:
    return _whole(tokens_of(text))


def _whole(tokens: Sequence[str]) -> str:
    return " ".join(f"{token}{_WHOLE}" for token in tokens)


def _bytes_of(stored: StoredProduct) -> bytes:
    product = stored.product
    content = (
        (product.id, product.title, dict(product.attributes)),
        [
            (
                photo.sha256,
                photo.name,
                photo.width_px,
                photo.height_px,
                photo.thumbnail,
                photo.fingerprint.hex(),
            )
            for photo in stored.photos
        ],
        stored.source,
        {name: (value, round(probability, 4)) for name, (value, probability) in stored.predicted.items()},
    )
    return zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 1)
