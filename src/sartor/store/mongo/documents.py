"""What the documents of the catalog hold: products, photos with what was computed of them, and API keys.

A product's attributes are a document of their own, so that they can be queried. Where BSON cannot hold them (a
name with a zero byte, an integer above 64 bits, half of a surrogate pair), they are JSON text instead.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, unquote

import numpy as np
from bson.binary import Binary, BinaryVectorDtype
from bson.int64 import Int64

from sartor.store.base import ApiKey
from sartor.store.sqlite.encoding import load_attributes, load_palette, load_vector
from sartor.store.sqlite.replica import ReplicaPhoto
from sartor.types import Photo, Product, StoredProduct
from sartor.values import storable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sartor.types import Attributes, AttributeValue, Palette, Vector

Document: TypeAlias = dict[str, Any]

_INT64 = range(-(2**63), 2**63)


def product_document(stored: StoredProduct, *, revision: int, added: int) -> Document:
    """A product's document; ``added`` is its number in the order in which products were first added."""
    product, attributes = stored.product, dict(stored.product.attributes)
    held: Document = (
        {
            "attributes": {
                name: list(value) if isinstance(value, tuple) else value for name, value in attributes.items()
            }
        }
        if _fits(attributes)
        else {"attributes_json": json.dumps(attributes)}
    )
    return {
        "_id": product.id,
        "title": product.title,
        **held,
        "source": stored.source,
        "photos": [{"sha256": photo.sha256, "name": photo.name} for photo in stored.photos],
        "revision": revision,
        "added": added,
    }


def product_of(document: Document, photos: Mapping[str, ReplicaPhoto]) -> StoredProduct:
    """A product from its document; its photos by SHA-256."""
    shown = []
    for row in document["photos"]:
        photo = photos[row["sha256"]].photo
        shown.append(
            Photo(
                sha256=photo.sha256,
                name=row["name"],
                width_px=photo.width_px,
                height_px=photo.height_px,
                thumbnail=photo.thumbnail,
                fingerprint=photo.fingerprint,
            )
        )
    return StoredProduct(
        product=Product(id=document["_id"], title=document["title"], attributes=attributes_of(document)),
        photos=tuple(shown),
        source=document["source"],
    )


def attributes_of(document: Document) -> Attributes:
    """The attributes of a product's document."""
    if "attributes" not in document:
        return load_attributes(document["attributes_json"])
    return {name: _value(value) for name, value in document["attributes"].items()}


def _value(value: Any) -> AttributeValue:
    if isinstance(value, list):
        return tuple(value)
    return int(value) if isinstance(value, Int64) else value


def photo_document(photo: Photo) -> Document:
    """A photo's document, without what was computed of it."""
    return {
        "_id": photo.sha256,
        "width_px": photo.width_px,
        "height_px": photo.height_px,
        "thumbnail": photo.thumbnail,
        "fingerprint": Binary(photo.fingerprint),
    }


def photo_of(document: Document) -> ReplicaPhoto:
    """A photo from its document."""
    palette = document.get("palette")
    return ReplicaPhoto(
        photo=Photo(
            sha256=document["_id"],
            name="",
            width_px=document["width_px"],
            height_px=document["height_px"],
            thumbnail=document["thumbnail"],
            fingerprint=bytes(document["fingerprint"]),
        ),
        embeddings={
            model_of(name): _float_bytes(vector) for name, vector in document.get("embeddings", {}).items()
        },
        palette=None if palette is None else _float_bytes(palette),
    )


def embedding_name(model: str) -> str:
    """The name of a model's embedding in a photo's ``embeddings``; a dot would be a path."""
    return quote(model, safe="").replace(".", "%2E")


def model_of(name: str) -> str:
    """The model of an embedding's name."""
    return unquote(name)


def vector_of(binary: Binary) -> Vector:
    """An embedding, ``(d,)`` float32."""
    return load_vector(_float_bytes(binary))


def palette_of(binary: Binary) -> Palette:
    """A palette."""
    return load_palette(_float_bytes(binary))


def vector_binary(vector: Vector) -> Binary:
    """An embedding as a BSON vector of float32."""
    return Binary.from_vector(vector, BinaryVectorDtype.FLOAT32)


def palette_binary(palette: Palette) -> Binary:
    """A palette as a BSON vector of float32: for each color its OKLab and its share."""
    return vector_binary(np.column_stack([palette.colors, palette.shares]).astype(np.float32).ravel())


def key_document(key: ApiKey, digest: bytes) -> Document:
    """An API key's document."""
    return {
        "_id": key.id,
        "name": key.name,
        "scope": key.scope,
        "digest": Binary(digest),
        "created_s": key.created_s,
    }


def key_of(document: Document) -> tuple[bytes, ApiKey]:
    """An API key behind the digest of its secret."""
    key = ApiKey(
        id=document["_id"], name=document["name"], scope=document["scope"], created_s=document["created_s"]
    )
    return bytes(document["digest"]), key


def _float_bytes(binary: Binary) -> bytes:
    """A BSON vector as little-endian float32."""
    return np.asarray(binary.as_vector(return_numpy=True).data).astype("<f4").tobytes()


def _fits(attributes: Attributes) -> bool:
    """Whether BSON holds the attributes as they are."""
    for name, value in attributes.items():
        if "\0" in name or storable(name) != name:
            return False
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, str) and storable(item) != item:
                return False
            if isinstance(item, int) and item not in _INT64:
                return False
    return True
