"""Evaluation: how good models are at a catalog, on the same queries, and whether one is better than another."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sartor.catalog import open_source
from sartor.errors import NothingToEvaluate
from sartor.evaluation.calibration import attribute_calibration, match_calibration
from sartor.evaluation.examples import examples, map_of
from sartor.evaluation.intervals import intervals, paired_tests
from sartor.evaluation.metrics import measure
from sartor.evaluation.model_run import ModelRun, ann_recall, copies, evaluation_matrices
from sartor.evaluation.results import (
    CategoryResult,
    Comparison,
    Confusion,
    CriterionResult,
    Evaluation,
    ListStatistics,
    ModelResult,
    Setup,
    machine_words,
    now,
    versions,
)
from sartor.evaluation.robustness import robustness
from sartor.evaluation.task import task_of
from sartor.ingest.embed import embed_source
from sartor.ingest.photos import OnProgress
from sartor.recommend.weights import DEFAULT_FEATURE_WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.encoders.card import TrainingRecord
    from sartor.encoders.encoder import Encoder
    from sartor.evaluation.intervals import Indices, Labels, Values
    from sartor.evaluation.results import Calibration
    from sartor.evaluation.task import CandidateModel, EvaluationRequest
    from sartor.imaging import UrlPolicy
    from sartor.ingest.embed import EmbeddedSource

    Places = npt.NDArray[np.int64]


OTHER = "other"


_MOST_SHOWN_SHARE = 0.01  # of the products, of which ``in_most_lists`` tells


def list_statistics(
    neighbors: Indices, *, product_ids: Sequence[str], copies: float, examples: int = 20
) -> ListStatistics:
    """How evenly lists show the gallery. Of no products, or no lists, shares are 0.

    Source: hubness is the skewness of the number of lists that products are in, as in Radovanović, Nanopoulos
    and Ivanović, Hubs in Space: Popular Nearest Neighbors in High-Dimensional Data, 2010.

    Args:
        neighbors: ``(q, k)`` places in the gallery.
        product_ids: ``(n,)`` in the gallery's order.
        copies: Share of queries whose nearest product shows a copy of their photo.
        examples: How many products to name at most, of those shown most and of those never shown.
    """
    counts = np.bincount(neighbors[neighbors >= 0], minlength=len(product_ids))  # (n,) lists that have a product
    never = np.flatnonzero(counts == 0)
    by_count = np.argsort(-counts, kind="stable")
    top = by_count[: int(np.ceil(_MOST_SHOWN_SHARE * len(counts)))]
    return ListStatistics(
        k=neighbors.shape[1],
        coverage=1 - len(never) / len(counts) if len(counts) else 0.0,
        never_shown=len(never),
        never_shown_ids=tuple(product_ids[place] for place in never[:examples]),
        hubness=_skewness(counts),
        most_shown=tuple(
            (product_ids[place], int(counts[place])) for place in by_count[:examples] if counts[place]
        ),
        in_most_lists=float(counts[top].sum()) / max(1, int(counts.sum())),
        copies=copies,
    )


def confusion(neighbors: Indices, query_labels: Labels, gallery_labels: Labels, *, most: int = 20) -> Confusion:
    """Of which categories the neighbors of the most frequent categories' queries are.

    Only queries with neighbors count. Neighbors of a less frequent category, or of none, are ``other``.

    Args:
        neighbors: ``(q, k)`` places in the gallery.
        query_labels: ``(q,)``; an empty one is none.
        gallery_labels: ``(n,)``.
        most: How many categories at most; of equally frequent ones those that come first by name.
    """
    shown = neighbors >= 0  # (q, k)
    categories = _by_frequency(query_labels[shown.any(axis=1)])[:most]
    place_of = {label: place for place, label in enumerate(categories)}
    other = len(categories)
    mine = np.array([place_of.get(label, other) for label in query_labels.tolist()], np.int64)
    theirs = np.array([place_of.get(label, other) for label in gallery_labels.tolist()], np.int64)
    asked = np.broadcast_to(mine[:, np.newaxis], neighbors.shape)[shown]
    cells = asked * (other + 1) + theirs[neighbors[shown]]
    counts = np.bincount(cells, minlength=(other + 1) ** 2).reshape(other + 1, other + 1)[:other]
    return Confusion(
        categories=categories, found=(*categories, OTHER), shares=counts / counts.sum(axis=1, keepdims=True)
    )


def category_results(
    scores: Mapping[str, Values], labels: Labels, totals: Indices, *, fewest: int = 1
) -> tuple[CategoryResult, ...]:
    """The means of each category's queries, the most frequent category first, equals by name.

    Args:
        scores: ``(q,)`` for each metric; NaN is left out.
        labels: ``(q,)`` the category of each query; an empty one is none.
        totals: ``(q,)`` relevant products in the gallery for each query.
        fewest: Categories with fewer queries are left out.
    """
    names, codes = np.unique(labels, return_inverse=True)
    queries = np.bincount(codes, minlength=len(names))
    relevant = _means(totals.astype(np.float64), codes, len(names))
    means = {metric: _means(values, codes, len(names)) for metric, values in scores.items()}
    place_of = {name: place for place, name in enumerate(names.tolist())}
    return tuple(
        CategoryResult(
            category=name,
            queries=int(queries[place_of[name]]),
            in_gallery=float(relevant[place_of[name]]),
            metrics={metric: float(values[place_of[name]]) for metric, values in means.items()},
        )
        for name in _by_frequency(labels)
        if queries[place_of[name]] >= fewest
    )


def macro(categories: Sequence[CategoryResult]) -> dict[str, float]:
    """Mean of each metric over categories, each alike however many queries it has; NaN of nothing."""
    metrics = categories[0].metrics if categories else {}
    means = {}
    for name in metrics:
        values = np.array([each.metrics[name] for each in categories])
        known = values[~np.isnan(values)]
        means[name] = float(known.mean()) if len(known) else np.nan
    return means


def _by_frequency(labels: Labels) -> tuple[str, ...]:
    """The different labels, the most frequent first, equals by name, the empty one left out."""
    counts = Counter(labels.tolist())
    return tuple(sorted((label for label in counts if label), key=lambda label: (-counts[label], label)))


def _means(values: Values, codes: Indices, size: int) -> Values:
    """Mean of the values of each code, ``(size,)``, without NaN; NaN where that leaves none."""
    known = ~np.isnan(values)
    counts = np.bincount(codes[known], minlength=size)
    sums = np.bincount(codes[known], values[known], minlength=size)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _skewness(counts: Indices) -> float:
    """Third standardized moment; 0 where all are equal."""
    if not len(counts) or counts.min() == counts.max():
        return 0.0
    away = counts - counts.mean()
    return float((away**3).mean() / (away**2).mean() ** 1.5)


ShowProgress: TypeAlias = Callable[[str], AbstractContextManager[OnProgress]]


_SHOWN_REJECTED = 3


@contextmanager
def silent(_: str) -> Iterator[OnProgress]:
    """Shows nothing."""
    yield lambda _: None


def evaluate(
    order: EvaluationRequest, candidate_models: Sequence[CandidateModel], *, urls: UrlPolicy, show: ShowProgress
) -> Evaluation:
    """Evaluate models one after the other, and compare each with the first one.

    Args:
        order: What is to be evaluated.
        candidate_models: The models, at least one.
        urls: Whether photos may be fetched by URL.
        show: Shows the progress of something named.

    Raises:
        SourceError: A source cannot be read.
        UnknownAttribute: No product has an attribute that makes relevant.
        NothingToEvaluate: There is nothing to ask, or nothing to find.
    """
    models: list[ModelResult] = []
    comparisons: list[Comparison] = []
    first: ModelRun | None = None
    for candidate_model in candidate_models:
        with candidate_model.open() as encoder:
            sight = _look(
                order, candidate_model, encoder, training=candidate_models[0].training, urls=urls, show=show
            )
            models.append(_result(order, sight))
        if first is None:
            first = sight
        else:
            comparisons += _comparisons(sight, first, seed=order.seed)
    if first is None:
        raise NothingToEvaluate(reason="no model was named")
    return Evaluation(setup=_setup(order, first), models=tuple(models), comparisons=tuple(comparisons))


def _look(  # noqa: PLR0913 - each is a keyword of its own
    order: EvaluationRequest,
    candidate_model: CandidateModel,
    encoder: Encoder,
    *,
    training: TrainingRecord | None,
    urls: UrlPolicy,
    show: ShowProgress,
) -> ModelRun:
    def gathered(path: Path) -> EmbeddedSource:
        with open_source(path) as source, show(f"{candidate_model.name}: {path.name}") as on_progress:
            return embed_source(
                source, encoder, urls=urls, known=candidate_model.known, limit=order.limit, on_progress=on_progress
            )

    start_s = time.perf_counter()
    gallery = gathered(order.gallery)
    queries = gallery if order.queries is None else gathered(order.queries)
    if not gallery.products or not queries.products:
        raise NothingToEvaluate(reason="no photo of a source could be used")
    ready_s = time.perf_counter()
    task = task_of(order, gallery, queries, training)
    asking = [queries.photos[queries.firsts[place]] for place in task.asked]
    view = evaluation_matrices(gallery, asking, candidate_model.compose, as_recommended=order.as_recommended)
    relevances = [relevance for _, relevance in task.criteria]
    measured = measure(view.queries, view.gallery, relevances, own=task.own, ks=order.ks)
    return ModelRun(
        candidate_model=candidate_model,
        encoder=encoder,
        gallery=gallery,
        queries=queries,
        asking=asking,
        task=task,
        view=view,
        measured=measured,
        seconds={"embedding": ready_s - start_s, "ranking": time.perf_counter() - ready_s},
    )


def _result(order: EvaluationRequest, sight: ModelRun) -> ModelResult:
    start_s = time.perf_counter()
    task, measured = sight.task, sight.measured
    lists = measured.neighbors[:, : order.main_k]
    categories = category_results(measured.scores[0], task.categories, task.criteria[0][1].totals)
    shown = examples(order, sight) if order.pictures else ((), (), ())
    result = ModelResult(
        model=sight.candidate_model.name,
        dimension=sight.view.dimension,
        criteria=tuple(
            CriterionResult(
                criterion=name,
                metrics=intervals(scores, rng=np.random.default_rng(order.seed)),
                queries=int(relevance.labelled.sum()),
                without_relevant=int((relevance.labelled & (relevance.totals == 0)).sum()),
            )
            for (name, relevance), scores in zip(task.criteria, measured.scores, strict=True)
        ),
        categories=categories,
        macro=macro(categories),
        lists=list_statistics(
            lists,
            product_ids=[product.id for product in sight.gallery.products],
            copies=copies(sight.gallery, sight.asking, measured.neighbors[:, 0]),
        ),
        confusion=None
        if task.gallery_categories is None or not any(task.categories)
        else confusion(lists, task.categories, task.gallery_categories),
        calibration=_calibration(sight, lists),
        ann_recall=ann_recall(sight.view, sight.gallery, seed=order.seed) if order.ann else None,
        robustness=robustness(order, sight) if order.instances else (),
        best=shown[0],
        median=shown[1],
        worst=shown[2],
        map=map_of(order, sight) if order.pictures else None,
        embedded=sight.gallery.embedded + (sight.queries.embedded if order.queries else 0),
        seconds=sight.seconds,
    )
    sight.seconds["the rest"] = time.perf_counter() - start_s
    return result


def _calibration(sight: ModelRun, lists: Places) -> tuple[Calibration, ...]:
    candidate_model, rows = sight.candidate_model, sight.rows
    found = list(attribute_calibration(sight.asking, rows, candidate_model.compose))
    if candidate_model.calibration is not None and sight.view.traits is not None:
        gallery = [product.attributes for product in sight.gallery.products]
        match = match_calibration(sight.view, lists, candidate_model.calibration, rows, gallery)
        found += [] if match is None else [match]
    return tuple(found)


def _comparisons(sight: ModelRun, first: ModelRun, *, seed: int) -> Iterator[Comparison]:
    """Tests on the queries that both models could ask."""
    places = {product_id: place for place, product_id in enumerate(first.ids)}
    both = [(row, places[each]) for row, each in enumerate(sight.ids) if each in places]
    mine, theirs = (np.array(rows, np.int64) for rows in zip(*both, strict=True))
    for (name, _), new, old in zip(sight.task.criteria, sight.measured.scores, first.measured.scores, strict=True):
        tests = paired_tests(
            {metric: values[mine] for metric, values in new.items()},
            {metric: values[theirs] for metric, values in old.items()},
            rng=np.random.default_rng(seed),
        )
        for metric, test in tests.items():
            yield Comparison(
                model=sight.candidate_model.name,
                against=first.candidate_model.name,
                criterion=name,
                metric=metric,
                test=test,
            )


def _setup(order: EvaluationRequest, sight: ModelRun) -> Setup:
    task, gallery = sight.task, sight.gallery
    return Setup(
        task=task.name,
        gallery=str(order.gallery),
        queries=str(order.queries or order.gallery),
        products=len(gallery.products),
        photos=len(gallery.photos),
        asked=len(task.asked),
        criteria=tuple(name for name, _ in task.criteria),
        ks=order.ks,
        seed=order.seed,
        dials=DEFAULT_FEATURE_WEIGHTS.shares if order.as_recommended else None,
        command=order.command,
        versions=versions(),
        machine=machine_words(),
        made_at=now(),
        notes=tuple(_notes(order, sight)),
    )


def _notes(order: EvaluationRequest, sight: ModelRun) -> Iterator[str]:
    rejected = sight.gallery.rejected + (sight.queries.rejected if order.queries else ())
    if rejected:
        some = "; ".join(f"{each.photo}: {each.reason}" for each in rejected[:_SHOWN_REJECTED])
        yield f"{len(rejected):,} photos could not be used, such as {some}."
    training = sight.candidate_model.training
    if order.held_out:
        yield f"Only held-out products ask: those that {sight.candidate_model.name} has not learned from."
    elif training is not None:
        yield (
            f"{sight.candidate_model.name} was trained on {training.data or 'photos of its own'}; "
            "if these are among them, its figures are too good: ask with --held-out."
        )
    if len(sight.task.asked) < len(sight.gallery.products):
        yield f"Coverage and hubness are those of {len(sight.task.asked):,} lists, fewer than there are products."
    if order.as_recommended:
        yield "As in the shop, what the catalog tells of a product is compared with what is predicted of a query."
