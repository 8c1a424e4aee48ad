"""From an evaluation request to its task: which products are queries, and what is relevant to each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sartor.errors import NothingToEvaluate, UnknownAttribute
from sartor.evaluation.relevance import (
    MIN_COVERAGE,
    MappedLabels,
    SameLabels,
    SameProduct,
    choose_labels,
    labels_of,
)
from sartor.evaluation.splits import GROUP, SEED, SHARE, is_held_out, split_key
from sartor.ingest.photos import Embedder, OnProgress, PhotoEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sartor.encoders.card import MatchCalibration, TrainingRecord
    from sartor.encoders.encoder import Encoder
    from sartor.evaluation.ranking import Indices
    from sartor.evaluation.relevance import LabelMap, Labels, Mask, Relevance
    from sartor.ingest.embed import EmbeddedSource, Known
    from sartor.recommend.features import FeatureBuilder
    from sartor.types import Attributes

DEFAULT_KS = (1, 5, 10)
_MAIN_K = 5
# Kind, gender and color, as catalogs call them.
_USUAL = (("articleType", "product_type", "category", "label"), ("gender",), ("color", "colour", "baseColour"))
_MAX_CHOSEN = 3

# Opens a progress display with a title; evaluations and replays report to it.
ShowProgress: TypeAlias = Callable[[str], AbstractContextManager[OnProgress]]


@contextmanager
def silent(_: str) -> Iterator[OnProgress]:
    """A ``ShowProgress`` that shows nothing."""
    yield lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRequest:
    """What to evaluate.

    Attributes:
        gallery: Source of the products that are searched.
        queries: Source of the queries; None makes each product of the gallery a query that leaves itself out.
        relevance: Attributes that make products relevant to each other, the main one first. Empty takes those of
            kind, gender and color that most products have.
        label_map: Which labels of the queries mean which of the gallery, in place of ``relevance``.
        instances: Search for the same product, by its id in both sources, and by damaged photos.
        held_out: Take only queries that the first model was not trained on.
        as_recommended: Compare products as the shop does, by style, color and category, rather than by their
            embeddings alone.
        ann: Measure the approximate index against exact search.
        pictures: Make contact sheets of queries and a map of the gallery.
        ks: Lengths of lists.
        seed: For everything random.
        limit: Take only the first products of each source, up to this number.
        command: The command that asked for it.
    """

    gallery: Path
    queries: Path | None = None
    relevance: tuple[str, ...] = ()
    label_map: LabelMap | None = None
    instances: bool = False
    held_out: bool = False
    as_recommended: bool = False
    ann: bool = False
    pictures: bool = False
    ks: tuple[int, ...] = DEFAULT_KS
    seed: int = 0
    limit: int | None = None
    command: str = ""

    @property
    def main_k(self) -> int:
        """Length of the lists that are looked at more closely: 5, or the longest below."""
        return max((k for k in self.ks if k <= _MAIN_K), default=min(self.ks))

    @property
    def same_product(self) -> bool:
        """Whether queries search for the same product in another source."""
        return self.instances and self.queries is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateModel:
    """A model to evaluate.

    Attributes:
        name: Its id.
        open: Loads it.
        features: Builds from its embeddings what products are compared by.
        known: What the workspace has embedded with it.
        open_embedder: Opens what embeds the other photos.
        calibration: From closeness to match, if it has one.
        training: How Sartor trained it, if it did.
    """

    name: str
    open: Callable[[], Encoder]
    features: FeatureBuilder
    known: Known
    open_embedder: Callable[[Encoder], Embedder] = PhotoEmbedder
    calibration: MatchCalibration | None = None
    training: TrainingRecord | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The queries, and what is relevant to them.

    Attributes:
        name: In words.
        asked: ``(q,)`` rows of the query products in the source of queries.
        own: ``(q,)`` their own rows in the gallery, left out of their lists; -1 if they are not there.
        criteria: Name and relevance of each criterion, the main one first.
        categories: ``(q,)`` label of each query for the main criterion, or empty.
        gallery_categories: ``(n,)`` the same for the gallery; None if it has other categories.
    """

    name: str
    asked: Indices
    own: Indices
    criteria: tuple[tuple[str, Relevance], ...]
    categories: Labels
    gallery_categories: Labels | None


def task_of(
    request: EvaluationRequest, gallery: EmbeddedSource, queries: EmbeddedSource, training: TrainingRecord | None
) -> Task:
    """Choose the queries and what is relevant to them.

    Args:
        request: What to evaluate.
        gallery: The products that are searched.
        queries: The products that may be queries; the gallery itself if each of its products is one.
        training: Of the first model, which says what it was trained on.

    Raises:
        UnknownAttribute: No product has an attribute that makes relevant.
        NothingToEvaluate: No query is left.
    """
    asked = np.arange(len(queries.products))
    if request.held_out:
        asked = asked[_held_out(queries, training)]
    row_of = {product.id: row for row, product in enumerate(gallery.products)}
    own = np.array([row_of.get(queries.products[row].id, -1) for row in asked], np.int64)
    if request.same_product:
        return _same_product(request, gallery, asked[own >= 0], own[own >= 0])
    gallery_rows = [product.attributes for product in gallery.products]
    query_rows = [queries.products[row].attributes for row in asked]
    if request.label_map is not None:
        return _mapped(request.label_map, gallery_rows, query_rows, asked, own)
    names = request.relevance or _usual(gallery_rows)
    for name in names:
        _require(name, gallery_rows)
        _require(name, query_rows)
    of_gallery = [labels_of(gallery_rows, name) for name in names]
    of_queries = [labels_of(query_rows, name) for name in names]
    criteria: list[tuple[str, Relevance]] = [
        (name, SameLabels([mine], [others], own))
        for name, mine, others in zip(names, of_queries, of_gallery, strict=True)
    ]
    if len(names) > 1:
        criteria.append((" + ".join(names), SameLabels(of_queries, of_gallery, own)))
    return Task(
        name="leave one out" if request.queries is None else "queries against a gallery",
        asked=asked,
        own=own,
        criteria=tuple(criteria),
        categories=of_queries[0],
        gallery_categories=of_gallery[0],
    )


def _same_product(request: EvaluationRequest, gallery: EmbeddedSource, asked: Indices, own: Indices) -> Task:
    if not len(asked):
        raise NothingToEvaluate(reason="no product id is in both sources")
    rows = [product.attributes for product in gallery.products]
    names = request.relevance or _usual(rows, required=False)
    categories = labels_of(rows, names[0]) if names else None
    return Task(
        name="the same product",
        asked=asked,
        own=np.full(len(asked), -1),
        criteria=(("the same product", SameProduct(own)),),
        categories=np.full(len(own), "") if categories is None else categories[own],
        gallery_categories=categories,
    )


def _mapped(
    mapping: LabelMap,
    gallery_rows: Sequence[Attributes],
    query_rows: Sequence[Attributes],
    asked: Indices,
    own: Indices,
) -> Task:
    _require(mapping.gallery, gallery_rows)
    _require(mapping.queries, query_rows)
    labels = labels_of(query_rows, mapping.queries)
    mapped = np.isin(labels, list(mapping.classes))
    if not mapped.any():
        raise NothingToEvaluate(reason=f"no query has a {mapping.queries} that the map has")
    relevance = MappedLabels(
        labels[mapped], labels_of(gallery_rows, mapping.gallery), own[mapped], mapping.classes
    )
    return Task(
        name="queries against a gallery",
        asked=asked[mapped],
        own=own[mapped],
        criteria=((f"{mapping.queries} as {mapping.gallery}", relevance),),
        categories=labels[mapped],
        gallery_categories=None,
    )


def _usual(rows: Sequence[Attributes], *, required: bool = True) -> tuple[str, ...]:
    """Those of kind, gender and color that most products have, or else other categories."""
    covered = {name for names in _USUAL for name in names if np.mean(labels_of(rows, name) != "") >= MIN_COVERAGE}
    usual = [next((name for name in names if name in covered), None) for names in _USUAL]
    chosen = tuple(name for name in usual if name) or choose_labels(rows)[:_MAX_CHOSEN]
    if required and not chosen:
        reason = "no attribute is a category that most products have; name one with --relevance"
        raise NothingToEvaluate(reason=reason)
    return chosen


def _require(name: str, rows: Sequence[Attributes]) -> None:
    if not any(labels_of(rows, name)):
        raise UnknownAttribute(name, known=sorted({known for row in rows for known in row}))


def _held_out(queries: EmbeddedSource, training: TrainingRecord | None) -> Mask:
    seed, share = (SEED, SHARE) if training is None else (training.split_seed, training.split_share)
    split = {} if training is None else training.recipe.get("split", {})
    group_by = split.get("group_by", (GROUP,))
    held_out = [
        is_held_out(split_key(product.id, product.attributes, group_by=group_by), seed=seed, share=share)
        for product in queries.products
    ]
    if not any(held_out):
        raise NothingToEvaluate(reason="no product is held out; leave out --held-out")
    return np.array(held_out, np.bool_)
