"""An evaluation: how well models find what is relevant, on the same queries, and whether one is better."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from sartor.catalog import open_source
from sartor.errors import NothingToEvaluate
from sartor.evaluation.calibration import attribute_calibration, match_calibration
from sartor.evaluation.intervals import intervals, paired_tests
from sartor.evaluation.metrics import measure
from sartor.evaluation.model_run import ModelRun, ann_recall, copies, evaluation_matrices
from sartor.evaluation.pictures import examples, map_of
from sartor.evaluation.relevance import labels_of
from sartor.evaluation.reranking import Reranking
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
from sartor.evaluation.task import task_of
from sartor.ingest.embed import embed_source
from sartor.recommend.matching import Matcher
from sartor.recommend.similar import candidates_of
from sartor.recommend.weights import DEFAULT_FEATURE_WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sartor.encoders.card import TrainingRecord
    from sartor.encoders.encoder import Encoder
    from sartor.evaluation.intervals import Values
    from sartor.evaluation.ranking import Indices
    from sartor.evaluation.relevance import Labels
    from sartor.evaluation.results import Calibration
    from sartor.evaluation.task import CandidateModel, EvaluationRequest, ShowProgress
    from sartor.imaging import UrlPolicy
    from sartor.ingest.embed import EmbeddedSource

_OTHER = "other"
_TOP_SHARE = 0.01  # of the products, for ``in_most_lists``
_REJECTED_SHOWN = 3
_FEW_QUERIES = 20


def evaluate(
    request: EvaluationRequest, models: Sequence[CandidateModel], *, urls: UrlPolicy, show: ShowProgress
) -> Evaluation:
    """Evaluate models one after the other, and compare each with the first one.

    Args:
        request: What to evaluate.
        models: At least one.
        urls: Whether photos may be fetched by URL.
        show: Opens a progress display.

    Raises:
        SourceError: A source cannot be read.
        UnknownAttribute: No product has an attribute that makes relevant.
        NothingToEvaluate: There are no queries, or no products to find.
    """
    results: list[ModelResult] = []
    comparisons: list[Comparison] = []
    first: ModelRun | None = None
    for model in models:
        with model.open() as encoder:
            run = _run(request, model, encoder, training=models[0].training, urls=urls, show=show)
            results.append(_result(request, run))
        if first is None:
            first = run
        else:
            comparisons += _comparisons(run, first, seed=request.seed)
    if first is None:
        raise NothingToEvaluate(reason="no model was named")
    return Evaluation(setup=_setup(request, first), models=tuple(results), comparisons=tuple(comparisons))


def _run(  # noqa: PLR0913 - each is a keyword of its own
    request: EvaluationRequest,
    model: CandidateModel,
    encoder: Encoder,
    *,
    training: TrainingRecord | None,
    urls: UrlPolicy,
    show: ShowProgress,
) -> ModelRun:
    def embedded(path: Path) -> EmbeddedSource:
        with open_source(path) as source, show(f"{model.name}: {path.name}") as on_progress:
            return embed_source(
                source,
                encoder,
                urls=urls,
                known=model.known,
                limit=request.limit,
                on_progress=on_progress,
                open_embedder=model.open_embedder,
            )

    start_s = time.perf_counter()
    gallery = embedded(request.gallery)
    queries = gallery if request.queries is None else embedded(request.queries)
    if not gallery.products or not queries.products:
        raise NothingToEvaluate(reason="no photo of a source could be used")
    ready_s = time.perf_counter()
    task = task_of(request, gallery, queries, training)
    photos = [queries.photos[queries.firsts[row]] for row in task.asked]
    matrices = evaluation_matrices(gallery, photos, model.features, as_recommended=request.as_recommended)
    relevances = [relevance for _, relevance in task.criteria]
    reranking = None
    if model.calibration is not None and request.as_recommended:
        reranking = Reranking(
            matcher=Matcher(model.calibration, model.features.heads),
            closeness=matrices.closeness,
            gallery=gallery,
            photos=photos,
            candidates=candidates_of(request.main_k, diversity=0.0),
        )
    measured = measure(
        matrices.queries, matrices.gallery, relevances, own=task.own, ks=request.ks, reranking=reranking
    )
    return ModelRun(
        model=model,
        encoder=encoder,
        gallery=gallery,
        queries=queries,
        query_photos=photos,
        task=task,
        matrices=matrices,
        reranking=reranking,
        measured=measured,
        seconds={"embedding": ready_s - start_s, "ranking": time.perf_counter() - ready_s},
    )


def _result(request: EvaluationRequest, run: ModelRun) -> ModelResult:
    from sartor.evaluation.robustness import robustness

    start_s = time.perf_counter()
    task, measured = run.task, run.measured
    lists = measured.neighbors[:, : request.main_k]
    categories = category_results(measured.scores[0], task.categories, task.criteria[0][1].totals)
    best, median, worst = examples(request, run) if request.pictures else ((), (), ())
    result = ModelResult(
        model=run.model.name,
        dimension=run.matrices.dimension,
        criteria=tuple(
            CriterionResult(
                criterion=name,
                metrics=intervals(scores, rng=np.random.default_rng(request.seed)),
                queries=int(relevance.labelled.sum()),
                without_relevant=int((relevance.labelled & (relevance.totals == 0)).sum()),
            )
            for (name, relevance), scores in zip(task.criteria, measured.scores, strict=True)
        ),
        categories=categories,
        macro=macro(categories),
        lists=list_statistics(
            lists,
            product_ids=[product.id for product in run.gallery.products],
            copies=copies(run.gallery, run.query_photos, measured.neighbors[:, 0]),
        ),
        confusion=None
        if task.gallery_categories is None or not any(task.categories)
        else confusion(lists, task.categories, task.gallery_categories),
        calibration=_calibration(run, lists),
        ann_recall=ann_recall(run.matrices, run.gallery, seed=request.seed) if request.ann else None,
        robustness=robustness(request, run) if request.instances else (),
        best=best,
        median=median,
        worst=worst,
        map=map_of(request, run) if request.pictures else None,
        embedded=run.gallery.embedded + (run.queries.embedded if request.queries else 0),
        seconds=run.seconds,
    )
    run.seconds["the rest"] = time.perf_counter() - start_s
    return result


def _calibration(run: ModelRun, lists: Indices) -> tuple[Calibration, ...]:
    found = attribute_calibration(run.query_photos, run.query_rows, run.model.features)
    if run.reranking is None:
        return found
    gallery_rows = [product.attributes for product in run.gallery.products]
    match = match_calibration(run.reranking, lists, run.query_rows, gallery_rows)
    return found if match is None else (*found, match)


def _comparisons(run: ModelRun, first: ModelRun, *, seed: int) -> Iterator[Comparison]:
    """Tests on the queries that both models have."""
    row_in_first = {product_id: row for row, product_id in enumerate(first.query_ids)}
    both = [(row, row_in_first[name]) for row, name in enumerate(run.query_ids) if name in row_in_first]
    new_rows, old_rows = (np.array(rows, np.int64) for rows in zip(*both, strict=True))
    for (name, _), new, old in zip(run.task.criteria, run.measured.scores, first.measured.scores, strict=True):
        tests = paired_tests(
            {metric: values[new_rows] for metric, values in new.items()},
            {metric: values[old_rows] for metric, values in old.items()},
            rng=np.random.default_rng(seed),
        )
        for metric, test in tests.items():
            yield Comparison(
                model=run.model.name, against=first.model.name, criterion=name, metric=metric, test=test
            )


def _setup(request: EvaluationRequest, run: ModelRun) -> Setup:
    return Setup(
        task=run.task.name,
        gallery=str(request.gallery),
        queries=str(request.queries or request.gallery),
        products=len(run.gallery.products),
        photos=len(run.gallery.photos),
        asked=len(run.task.asked),
        criteria=tuple(name for name, _ in run.task.criteria),
        ks=request.ks,
        seed=request.seed,
        dials=DEFAULT_FEATURE_WEIGHTS.shares if request.as_recommended else None,
        command=request.command,
        versions=versions(),
        machine=machine_words(),
        made_at=now(),
        notes=tuple(_notes(request, run)),
    )


def _notes(request: EvaluationRequest, run: ModelRun) -> Iterator[str]:
    model, training = run.model.name, run.model.training
    rejected = run.gallery.rejected + (run.queries.rejected if request.queries else ())
    if rejected:
        some = "; ".join(f"{each.photo}: {each.reason}" for each in rejected[:_REJECTED_SHOWN])
        yield f"{len(rejected):,} photos could not be used, such as {some}."
    if request.held_out:
        yield f"Only held-out products are queries: those that {model} was not trained on."
    elif training is not None:
        yield (
            f"{model} was trained on {training.data or 'photos of its own'}; if these are among them, its figures "
            "are too good: add --held-out."
        )
    asked = [run.queries.products[row].attributes for row in run.task.asked]
    if len(asked) < _FEW_QUERIES:
        yield f"{len(asked)} queries tell little: the next products may give other figures."
    for name in (name for name, _ in run.task.criteria if any(name in attributes for attributes in asked)):
        if missing := int((labels_of(asked, name) == "").sum()):
            yield f"{missing:,} of {len(asked):,} queries have no {name}: nothing is relevant to them by it."
    if len(run.task.asked) < len(run.gallery.products):
        yield f"Coverage and hubness are those of {len(run.task.asked):,} lists, fewer than there are products."
    if request.as_recommended:
        yield "As in the shop, what the catalog says of a product is compared with what is predicted for a query."


def list_statistics(
    neighbors: Indices, *, product_ids: Sequence[str], copies: float, examples: int = 20
) -> ListStatistics:
    """How evenly lists show the gallery. Without products, or without lists, shares are 0.

    Source: hubness is the skewness of the number of lists that products are in, as in Radovanović, Nanopoulos
    and Ivanović, Hubs in Space: Popular Nearest Neighbors in High-Dimensional Data, 2010.

    Args:
        neighbors: ``(q, k)`` rows of the gallery; -1 for a missing neighbor.
        product_ids: ``(n,)`` in the gallery's order.
        copies: Share of queries whose nearest product shows a copy of their photo.
        examples: Number of products to name, of those shown most and of those never shown.
    """
    from scipy.stats import skew

    counts = np.bincount(neighbors[neighbors >= 0], minlength=len(product_ids))  # (n,) lists that have a product
    never = np.flatnonzero(counts == 0)
    by_count = np.argsort(-counts, kind="stable")
    top = by_count[: int(np.ceil(_TOP_SHARE * len(counts)))]
    return ListStatistics(
        k=neighbors.shape[1],
        coverage=1 - len(never) / len(counts) if len(counts) else 0.0,
        never_shown=len(never),
        never_shown_ids=tuple(product_ids[row] for row in never[:examples]),
        hubness=float(skew(counts)) if len(counts) and np.ptp(counts) else 0.0,
        most_shown=tuple((product_ids[row], int(counts[row])) for row in by_count[:examples] if counts[row]),
        in_most_lists=float(counts[top].sum()) / max(1, int(counts.sum())),
        copies=copies,
    )


def confusion(neighbors: Indices, query_labels: Labels, gallery_labels: Labels, *, limit: int = 20) -> Confusion:
    """To which categories the neighbors of the most frequent categories' queries belong.

    Only queries with neighbors count. Neighbors of a less frequent category, or without one, are ``other``.

    Args:
        neighbors: ``(q, k)`` rows of the gallery; -1 for a missing neighbor.
        query_labels: ``(q,)``; empty if the query has no label.
        gallery_labels: ``(n,)``.
        limit: Number of categories; of equally frequent ones those that come first by name.
    """
    shown = neighbors >= 0  # (q, k)
    categories = _by_frequency(query_labels[shown.any(axis=1)])[:limit]
    number_of = {label: number for number, label in enumerate(categories)}
    other = len(categories)
    of_queries, of_gallery = (
        np.array([number_of.get(label, other) for label in labels.tolist()], np.int64)
        for labels in (query_labels, gallery_labels)
    )
    of_query = np.broadcast_to(of_queries[:, np.newaxis], neighbors.shape)[shown]
    cells = of_query * (other + 1) + of_gallery[neighbors[shown]]
    counts = np.bincount(cells, minlength=(other + 1) ** 2).reshape(other + 1, other + 1)[:other]
    return Confusion(
        categories=categories, found=(*categories, _OTHER), shares=counts / counts.sum(axis=1, keepdims=True)
    )


def category_results(
    scores: Mapping[str, Values], labels: Labels, totals: Indices, *, minimum: int = 1
) -> tuple[CategoryResult, ...]:
    """The means of each category's queries, the most frequent category first, equals by name.

    Args:
        scores: ``(q,)`` for each metric; NaN is left out.
        labels: ``(q,)`` the category of each query; empty if it has none.
        totals: ``(q,)`` relevant products in the gallery for each query.
        minimum: Categories with fewer queries are left out.
    """
    names, codes = np.unique(labels, return_inverse=True)
    queries = np.bincount(codes, minlength=len(names))
    relevant = _means(totals.astype(np.float64), codes, len(names))
    means = {metric: _means(values, codes, len(names)) for metric, values in scores.items()}
    code_of = {name: code for code, name in enumerate(names.tolist())}
    return tuple(
        CategoryResult(
            category=name,
            queries=int(queries[code_of[name]]),
            in_gallery=float(relevant[code_of[name]]),
            metrics={metric: float(values[code_of[name]]) for metric, values in means.items()},
        )
        for name in _by_frequency(labels)
        if queries[code_of[name]] >= minimum
    )


def macro(categories: Sequence[CategoryResult]) -> dict[str, float]:
    """Mean of each metric over categories, each counting the same; NaN if none has a value."""
    metrics = categories[0].metrics if categories else {}
    means = {}
    for name in metrics:
        values = np.array([each.metrics[name] for each in categories])
        known = values[~np.isnan(values)]
        means[name] = float(known.mean()) if len(known) else np.nan
    return means


def _by_frequency(labels: Labels) -> tuple[str, ...]:
    """The different labels without the empty one, the most frequent first, equals by name."""
    counts = Counter(labels.tolist())
    return tuple(sorted((label for label in counts if label), key=lambda label: (-counts[label], label)))


def _means(values: Values, codes: Indices, size: int) -> Values:
    """Mean of the values of each code, ``(size,)``, NaN left out; NaN if that leaves none."""
    known = ~np.isnan(values)
    counts = np.bincount(codes[known], minlength=size)
    sums = np.bincount(codes[known], values[known], minlength=size)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
