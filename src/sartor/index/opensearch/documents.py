"""What a model's index in OpenSearch holds: its mapping, a document for each product, and filters as its queries.

A product is one document with all of its photos, so that it is replaced or deleted as a whole. The document's
version is the store's revision: OpenSearch refuses what is older, however late it comes. The photos' vectors are
nested documents, of which a search finds the closest one of each product. What a search returns is read from
columns (doc values), where the vectors of all photos lie packed in one value: ``_source`` would keep them as text,
and takes several times as long to read. The index of the listing (``listed.py``) has the same fields for filters.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, unquote

import numpy as np

from sartor.types import EVERYTHING, AnyOf, FacetValue, Not
from sartor.values import compared as compared_values
from sartor.values import compared_text, storable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sartor.index.opensearch.address import IndexOptions
    from sartor.types import Attributes, Between, IndexEntry, Matrix, Vector, Where

Json: TypeAlias = dict[str, Any]

FORMAT = 4  # of the mapping and the documents; an index of another format is built again
PRODUCT, PHOTOS, PHOTO_COUNT, SHA256, HAS_MAIN = "product", "photos", "photo_count", "sha256", "has_main"
VECTOR = f"{PHOTOS}.vector"
VECTORS = "vectors"  # of all photos, the main one's first: little-endian float32 in base64
REVISION, TERM, DELETED_S = "revision", "term", "deleted_s"
TEXT, NUMBER = "text", "number"  # of attributes, a field for each name
STATE = "state"  # the id of the document that says what the index is and how far it has followed, and its field
_HNSW = {"m": 16, "ef_construction": 100}
_DECIMALS = (
    8  # of a vector in the graph: half the text, which OpenSearch keeps for a while; scores come from VECTORS
)
_MAX_FIELDS = 20_000  # two for each attribute
_SHARD_VALUES = 10_000  # values of an attribute that each shard counts, so that their sums are right
_NAMELESS = "%"  # the attribute without a name
_ZERO = 0.0  # added to a number, turns -0.0 into 0.0, which OpenSearch would take for different numbers
MAX_TERMS = 65_536  # in one clause, OpenSearch's own limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an index was made for.

    Attributes:
        workspace: Id of the workspace.
        model: SHA-256 of the model.
        dimension: Length of the vectors.
        format: Format of the documents.
    """

    workspace: str
    model: str
    dimension: int
    format: int = FORMAT


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The document that says what an index is and how far it has followed.

    Attributes:
        facts: What it was made for.
        revision: Revision of the store that it has followed to.
        term: Term of the indexer that wrote it.
    """

    facts: Facts
    revision: int = 0
    term: int = 0

    @classmethod
    def of(cls, source: Mapping[str, Any]) -> State:
        """Read the document.

        Raises:
            KeyError: It is not Sartor's.
            TypeError: It is not Sartor's.
        """
        state = source[STATE]
        facts = Facts(**{name: state[name] for name in ("workspace", "model", "dimension", "format")})
        return cls(facts=facts, revision=int(state["revision"]), term=int(state["term"]))

    def document(self) -> Json:
        """What is written."""
        return {STATE: {**asdict(self.facts), "revision": self.revision, "term": self.term}}


def alias_of(options: IndexOptions, *, workspace: str, model_id: str) -> str:
    """The name by which the index of a workspace's model is read."""
    return f"{prefix_of(options, workspace)}{_name(model_id)}"


def prefix_of(options: IndexOptions, workspace: str) -> str:
    """What the names of a workspace's indexes begin with."""
    return f"{options.prefix}-{_name(workspace)}-"


def creation(options: IndexOptions, facts: Facts) -> Json:
    """The body that makes the index of a model."""
    column = {"type": "binary", "doc_values": True}
    method = {"name": "hnsw", "engine": options.engine, "parameters": _HNSW}
    vector = {
        "type": "knn_vector",
        "dimension": facts.dimension,
        "space_type": "innerproduct",
        "method": method,
    }
    return body_of(
        options,
        facts,
        settings={"knn": True},
        properties={
            PHOTOS: {"type": "nested", "dynamic": "strict", "properties": {"vector": vector}},
            PHOTO_COUNT: {"type": "integer"},
            SHA256: column,
            VECTORS: column,
            HAS_MAIN: {"type": "boolean"},
        },
        unsourced=[PHOTOS, VECTORS, SHA256],
    )


def body_of(
    options: IndexOptions, facts: Facts, *, settings: Json, properties: Json, unsourced: Sequence[str]
) -> Json:
    """The body that makes an index of products which can be filtered by their attributes.

    Args:
        options: What the address says.
        facts: What it is made for.
        settings: More of the index.
        properties: More fields.
        unsourced: Fields that ``_source`` leaves out.
    """
    keyword = {"type": "keyword"}
    return {
        "settings": {
            "index": {
                "number_of_shards": options.shards,
                "number_of_replicas": options.replicas,
                "refresh_interval": "-1",  # the writer refreshes, and notes the revision afterwards
                "mapping.total_fields.limit": _MAX_FIELDS,
                "max_terms_count": MAX_TERMS,
                **settings,
            }
        },
        "mappings": {
            "_meta": asdict(facts),
            "_source": {"excludes": unsourced},
            "dynamic": "strict",
            "date_detection": False,
            "numeric_detection": False,
            "dynamic_templates": [
                {"texts": {"path_match": f"{TEXT}.*", "mapping": keyword}},
                {"numbers": {"path_match": f"{NUMBER}.*", "mapping": {"type": "double"}}},
            ],
            "properties": {
                PRODUCT: keyword,
                TEXT: {"type": "object", "dynamic": True},
                NUMBER: {"type": "object", "dynamic": True},
                REVISION: {"type": "long"},
                TERM: {"type": "long"},
                DELETED_S: {"type": "double"},
                STATE: {"type": "object", "enabled": False},
                **properties,
            },
        },
    }


def document_id(product_id: str) -> str:
    """The id of a product's document, of the same length for all."""
    return hashlib.blake2b(storable(product_id).encode(), digest_size=16).hexdigest()


def document(entries: Sequence[IndexEntry]) -> Json:
    """The document of a product with these photos, at least one."""
    ordered = sorted(entries, key=lambda entry: not entry.is_main)  # stable: the others stay as they were
    return {
        PRODUCT: storable(ordered[0].product_id),
        PHOTOS: [{"vector": np.asarray(entry.vector, np.float64).round(_DECIMALS).tolist()} for entry in ordered],
        PHOTO_COUNT: len(ordered),
        SHA256: packed(",".join(entry.sha256 for entry in ordered).encode()),
        VECTORS: packed(np.asarray([entry.vector for entry in ordered], "<f4").tobytes()),
        HAS_MAIN: ordered[0].is_main,
        **filtered(ordered[0].attributes),
    }


def filtered(attributes: Attributes) -> Json:
    """The fields that filters and facets ask for."""
    found = {_key(name): values for name, values in compared_values(attributes).items()}
    return {
        TEXT: {name: list(values.texts) for name, values in found.items() if values.texts},
        NUMBER: {
            name: [number + _ZERO for number in values.numbers] for name, values in found.items() if values.numbers
        },
    }


def counting(attributes: Sequence[str], *, limit: int) -> Json:
    """The aggregations that count products by the values of attributes, by rank of the attribute."""
    return {
        str(rank): {
            "terms": {
                "field": text_field(name),
                "size": limit,
                "shard_size": max(limit, _SHARD_VALUES),
                "order": [{"_count": "desc"}, {"_key": "asc"}],
            }
        }
        for rank, name in enumerate(attributes)
    }


def counted(attributes: Sequence[str], answer: Json) -> dict[str, list[FacetValue]]:
    """What ``counting`` found: nothing where there is no index."""
    found = answer.get("aggregations", {})
    return {
        name: [
            FacetValue(bucket["key"], bucket["doc_count"])
            for bucket in found.get(str(rank), {}).get("buckets", ())
        ]
        for rank, name in enumerate(attributes)
    }


def tombstone(*, revision: int, term: int, now_s: float) -> Json:
    """What stands for a product that was deleted, so that an older version of it is refused."""
    return {REVISION: revision, TERM: term, DELETED_S: now_s}


def old_tombstones(*, before_s: float) -> Json:
    """The query for products that were deleted before a moment."""
    return {"range": {DELETED_S: {"lt": before_s}}}


def packed(content: bytes) -> str:
    """Bytes as a column takes them."""
    return base64.b64encode(content).decode("ascii")


def unpacked(column: str) -> bytes:
    """What a column holds: OpenSearch sends it without padding, in the alphabet of URLs."""
    return base64.urlsafe_b64decode(column + "=" * (-len(column) % 4))


def sha256s_of(column: str) -> list[str]:
    """The photos of a product, the main one first."""
    return unpacked(column).decode().split(",")


def vectors_of(column: str, dimension: int) -> Matrix:
    """The vectors of its photos, ``(n, dimension)`` float32, in the same order."""
    return np.frombuffer(unpacked(column), "<f4").astype(np.float32).reshape(-1, dimension)


def filter_of(
    where: Where = EVERYTHING,
    *,
    of: Collection[str] | None = None,
    without: Collection[str] = (),
    main: bool = False,
) -> Json | None:
    """What a product has to be to be found, as a query; None if it may be any, or no product at all.

    Args:
        where: It passes this filter.
        of: It is one of these; None is any.
        without: It is not one of these.
        main: It has a main photo. Only products have one.
    """
    must = [_condition(part) for part in where.conditions if not isinstance(part, Not)]
    must_not = [_condition(part.condition) for part in where.conditions if isinstance(part, Not)]
    if of is not None:
        must.append(_among(of))
    if without:
        must_not.append(_among(without))
    if main:
        must.append({"term": {HAS_MAIN: True}})
    if not must and not must_not:
        return None
    return {"bool": {"filter": must, "must_not": must_not}}


def nearest(vector: Vector, *, k: int, candidates: int, condition: Json | None) -> Json:
    """The query for the ``k`` products whose photos are closest, by the graph."""
    search: Json = {"vector": vector.tolist(), "k": k, "method_parameters": {"ef_search": max(k, candidates)}}
    if condition is not None:
        search["filter"] = condition
    return {"nested": {"path": PHOTOS, "score_mode": "max", "query": {"knn": {VECTOR: search}}}}


def compared(vector: Vector, *, condition: Json | None) -> Json:
    """The query that compares a vector with every photo that passes a filter."""
    script = {
        "lang": "knn",
        "source": "knn_score",
        "params": {"field": VECTOR, "query_value": vector.tolist(), "space_type": "innerproduct"},
    }
    scored = {"script_score": {"query": {"match_all": {}}, "script": script}}
    nested = {"nested": {"path": PHOTOS, "score_mode": "max", "query": scored}}
    return {"bool": {"must": [nested], "filter": [condition or {"exists": {"field": PRODUCT}}]}}


def dot_of(score: float) -> float:
    """The dot product that a score was made from: one below 0 becomes ``1 / (1 - s)``, another one ``1 + s``."""
    return score - 1 if score >= 1 else 1 - 1 / score


def text_field(attribute: str) -> str:
    """The field of an attribute's texts."""
    return f"{TEXT}.{_key(attribute)}"


def number_field(attribute: str) -> str:
    """The field of an attribute's numbers."""
    return f"{NUMBER}.{_key(attribute)}"


def attribute_of(name: str) -> str:
    """The attribute of a field, by the last part of the field's name."""
    return "" if name == _NAMELESS else unquote(name)


def _key(attribute: str) -> str:
    """An attribute's name as the name of a field: a dot would make a field of a field, and none may be empty."""
    return quote(storable(attribute), safe=" ").replace(".", "%2E").replace(" ", "%20") or _NAMELESS


def _condition(condition: AnyOf | Between) -> Json:
    if isinstance(condition, AnyOf):
        values = [compared_text(condition.attribute, value) for value in condition.values]
        return {"terms": {text_field(condition.attribute): values}}
    bounds = {"gte": condition.low, "lte": condition.high}
    within = {name: _bound(number) for name, number in bounds.items() if number is not None}
    return {"range": {number_field(condition.attribute): within}}


def _bound(number: float) -> float | str:
    if math.isfinite(number):
        return number + _ZERO
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _among(product_ids: Collection[str]) -> Json:
    ids = [storable(product_id) for product_id in product_ids]
    parts = [ids[start : start + MAX_TERMS] for start in range(0, len(ids), MAX_TERMS)] or [[]]
    return {"bool": {"should": [{"terms": {PRODUCT: part}} for part in parts]}}


def _name(text: str) -> str:
    """A part of an index's name, without the dash that stands between parts; another one for each text."""
    if re.fullmatch(r"[a-z0-9]{1,40}", text):
        return text
    digest = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
    return f"{re.sub(r'[^a-z0-9]', '_', text.lower())[:30]}_{digest}"
