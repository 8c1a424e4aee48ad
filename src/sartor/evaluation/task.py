"""From an order to its task: which products ask, and what is relevant to each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
from sartor.evaluation.splits import SEED, SHARE, is_held_out, split_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.encoders.card import MatchCalibration, TrainingRecord
    from sartor.encoders.encoder import Encoder
    from sartor.evaluation.relevance import LabelMap, Relevance
    from sartor.ingest.embed import EmbeddedSource, Known
    from sartor.recommend.features import FeatureBuilder
    from sartor.types import Attributes

    Labels = npt.NDArray[np.str_]
    Places = npt.NDArray[np.int64]


DEFAULT_KS = (1, 5, 10)
_MAIN_K = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRequest:
    """What is to be evaluated.

    Attributes:
        gallery: Source of the products that are searched.
        queries: Source of the queries; None asks with each product of the gallery, and leaves itself out.
        relevance: Attributes that make products relevant to each other, the main one first; none takes kind,
            gender and color, as far as most products have them.
        label_map: Which labels of the queries mean which of the gallery, in place of ``relevance``.
        instances: Whether the same product is looked for, by its id in both sources, and by damaged photos.
        held_out: Whether only products are asked about that the first model has not learned from.
        as_recommended: Whether products are compared as the shop does, with style, color and category, rather than
            by their embeddings alone.
        ann: Whether the approximate index is measured against exact search.
        pictures: Whether queries to look at and a map of the gallery are made.
        ks: Lengths of lists.
        seed: Of all that is random.
        limit: Take only the first so many products of each source.
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
        """Whether the same product is what is looked for in another source."""
        return self.instances and self.queries is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateModel:
    """A model that is evaluated.

    Attributes:
        name: Its id.
        open: Loads it.
        compose: What it says of photos, beside their embeddings.
        known: What the workspace knows of photos by it.
        calibration: From closeness to match, where it has one.
        training: How it was made, where Sartor made it.
    """

    name: str
    open: Callable[[], Encoder]
    compose: FeatureBuilder
    known: Known
    calibration: MatchCalibration | None = None
    training: TrainingRecord | None = None


# Kind, gender and color, as catalogs call them.
_USUAL = (("articleType", "product_type", "category", "label"), ("gender",), ("color", "colour", "baseColour"))
_MOST_CHOSEN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is asked, and what is relevant.

    Attributes:
        name: In words.
        asked: ``(q,)`` places of the products that ask, in the source of queries.
        own: ``(q,)`` their own place in the gallery, left out of their lists; -1 for none.
        criteria: Name and relevance of each criterion, the main one first.
        categories: ``(q,)`` the queries by the main criterion; empty text where it has none.
        gallery_categories: ``(n,)`` the same of the gallery; None where it has other categories.
    """

    name: str
    asked: Places
    own: Places
    criteria: tuple[tuple[str, Relevance], ...]
    categories: Labels
    gallery_categories: Labels | None


def task_of(
    order: EvaluationRequest, gallery: EmbeddedSource, queries: EmbeddedSource, training: TrainingRecord | None
) -> Task:
    """Choose what is asked.

    Args:
        order: What is to be evaluated.
        gallery: The products that are searched.
        queries: The products that may ask; the gallery itself where each of it does.
        training: Of the first model, which says what it has not learned from.

    Raises:
        UnknownAttribute: No product has an attribute that makes relevant.
        NothingToEvaluate: No query is left.
    """
    asked = np.arange(len(queries.products))
    if order.held_out:
        asked = asked[_held_out(queries, training)]
    places = {product.id: place for place, product in enumerate(gallery.products)}
    own = np.array([places.get(queries.products[each].id, -1) for each in asked], np.int64)
    if order.same_product:
        return _same_product(order, gallery, asked[own >= 0], own[own >= 0])
    rows = [product.attributes for product in gallery.products]
    asking = [queries.products[each].attributes for each in asked]
    if order.label_map is not None:
        return _mapped(order, rows, asking, asked, own)
    names = order.relevance or _usual(rows)
    for name in names:
        _require(name, rows)
        _require(name, asking)
    theirs = [labels_of(rows, name) for name in names]
    ours = [labels_of(asking, name) for name in names]
    criteria: list[tuple[str, Relevance]] = [
        (name, SameLabels([mine], [other], own)) for name, mine, other in zip(names, ours, theirs, strict=True)
    ]
    if len(names) > 1:
        criteria.append((" + ".join(names), SameLabels(ours, theirs, own)))
    return Task(
        name="leave one out" if order.queries is None else "queries against a gallery",
        asked=asked,
        own=own,
        criteria=tuple(criteria),
        categories=ours[0],
        gallery_categories=theirs[0],
    )


def _same_product(order: EvaluationRequest, gallery: EmbeddedSource, asked: Places, own: Places) -> Task:
    if not len(asked):
        raise NothingToEvaluate(reason="no product id is in both sources")
    rows = [product.attributes for product in gallery.products]
    names = order.relevance or _usual(rows, required=False)
    categories = labels_of(rows, names[0])[own] if names else np.full(len(own), "")
    return Task(
        name="the same product",
        asked=asked,
        own=np.full(len(asked), -1),
        criteria=(("the same product", SameProduct(own)),),
        categories=categories,
        gallery_categories=labels_of(rows, names[0]) if names else None,
    )


def _mapped(
    order: EvaluationRequest, rows: Sequence[Attributes], asking: Sequence[Attributes], asked: Places, own: Places
) -> Task:
    mapping = order.label_map
    assert mapping is not None  # noqa: S101 - the caller has asked
    _require(mapping.gallery, rows)
    _require(mapping.queries, asking)
    labels = labels_of(asking, mapping.queries)
    fits = np.isin(labels, list(mapping.classes))
    if not fits.any():
        raise NothingToEvaluate(reason=f"no query has a {mapping.queries} that the map has")
    relevance = MappedLabels(labels[fits], labels_of(rows, mapping.gallery), own[fits], mapping.classes)
    return Task(
        name="queries against a gallery",
        asked=asked[fits],
        own=own[fits],
        criteria=((f"{mapping.queries} as {mapping.gallery}", relevance),),
        categories=labels[fits],
        gallery_categories=None,
    )


def _usual(rows: Sequence[Attributes], *, required: bool = True) -> tuple[str, ...]:
    """Kind, gender and color as far as most products have them, or else other categories."""
    covered = {name for names in _USUAL for name in names if np.mean(labels_of(rows, name) != "") >= MIN_COVERAGE}
    usual = [next((name for name in names if name in covered), None) for names in _USUAL]
    chosen = tuple(name for name in usual if name) or choose_labels(rows)[:_MOST_CHOSEN]
    if required and not chosen:
        reason = "no attribute is a category that most products have; name one with --relevance"
        raise NothingToEvaluate(reason=reason)
    return chosen


def _require(name: str, rows: Sequence[Attributes]) -> None:
    if not any(labels_of(rows, name)):
        raise UnknownAttribute(name, known=sorted({each for row in rows for each in row}))


def _held_out(queries: EmbeddedSource, training: TrainingRecord | None) -> npt.NDArray[np.bool_]:
    seed, share = (SEED, SHARE) if training is None else (training.split_seed, training.split_share)
    split = {} if training is None else training.recipe.get("split", {})
    group_by = split.get("group_by", ("item_group_id",))
    held = [
        is_held_out(split_key(product.id, product.attributes, group_by=group_by), seed=seed, share=share)
        for product in queries.products
    ]
    if not any(held):
        raise NothingToEvaluate(reason="no product is held out; leave out --held-out")
    return np.array(held, np.bool_)
