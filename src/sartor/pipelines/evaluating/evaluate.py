"""Evaluation: how good models are at a catalog, on the same queries, and whether one is better than another."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sartor.catalog import open_source
from sartor.errors import NothingToEvaluate
from sartor.evaluation.intervals import intervals, paired_tests
from sartor.evaluation.lists import category_results, confusion, list_statistics, macro
from sartor.evaluation.metrics import measure
from sartor.evaluation.results import Comparison, CriterionResult, Evaluation, ModelResult, Setup
from sartor.pipelines.evaluating.calibration import attribute_calibration, match_calibration
from sartor.pipelines.evaluating.checks import ann_recall, copies
from sartor.pipelines.evaluating.pictures import examples, map_of
from sartor.pipelines.evaluating.robustness import robustness
from sartor.pipelines.evaluating.sight import Sight
from sartor.pipelines.evaluating.task import task_of
from sartor.pipelines.evaluating.view import view_of
from sartor.pipelines.gather import gather
from sartor.pipelines.report import OnProgress
from sartor.pipelines.surroundings import machine_words, now, versions
from sartor.recommend.tuning import DEFAULT_DIALS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.encoders.card_parts import TrainingRecord
    from sartor.encoders.encoder import Encoder
    from sartor.evaluation.results import Calibration
    from sartor.imaging import UrlPolicy
    from sartor.pipelines.evaluating.order import Contender, EvaluationOrder
    from sartor.pipelines.gather import Gathered

    Places = npt.NDArray[np.int64]

ShowProgress: TypeAlias = Callable[[str], AbstractContextManager[OnProgress]]

_SHOWN_REJECTED = 3


@contextmanager
def silent(_: str) -> Iterator[OnProgress]:
    """Shows nothing."""
    yield lambda _: None


def evaluate(
    order: EvaluationOrder, contenders: Sequence[Contender], *, urls: UrlPolicy, show: ShowProgress
) -> Evaluation:
    """Evaluate models one after the other, and compare each with the first one.

    Args:
        order: What is to be evaluated.
        contenders: The models, at least one.
        urls: Whether photos may be fetched by URL.
        show: Shows the progress of something named.

    Raises:
        SourceError: A source cannot be read.
        UnknownAttribute: No product has an attribute that makes relevant.
        NothingToEvaluate: There is nothing to ask, or nothing to find.
    """
    models: list[ModelResult] = []
    comparisons: list[Comparison] = []
    first: Sight | None = None
    for contender in contenders:
        with contender.open() as encoder:
            sight = _look(order, contender, encoder, training=contenders[0].training, urls=urls, show=show)
            models.append(_result(order, sight))
        if first is None:
            first = sight
        else:
            comparisons += _comparisons(sight, first, seed=order.seed)
    if first is None:
        raise NothingToEvaluate(reason="no model was named")
    return Evaluation(setup=_setup(order, first), models=tuple(models), comparisons=tuple(comparisons))


def _look(  # noqa: PLR0913 - each is a keyword of its own
    order: EvaluationOrder,
    contender: Contender,
    encoder: Encoder,
    *,
    training: TrainingRecord | None,
    urls: UrlPolicy,
    show: ShowProgress,
) -> Sight:
    def gathered(path: Path) -> Gathered:
        with open_source(path) as source, show(f"{contender.name}: {path.name}") as on_progress:
            return gather(
                source, encoder, urls=urls, known=contender.known, limit=order.limit, on_progress=on_progress
            )

    start_s = time.perf_counter()
    gallery = gathered(order.gallery)
    queries = gallery if order.queries is None else gathered(order.queries)
    if not gallery.products or not queries.products:
        raise NothingToEvaluate(reason="no photo of a source could be used")
    ready_s = time.perf_counter()
    task = task_of(order, gallery, queries, training)
    asking = [queries.photos[queries.firsts[place]] for place in task.asked]
    view = view_of(gallery, asking, contender.compose, as_recommended=order.as_recommended)
    relevances = [relevance for _, relevance in task.criteria]
    measured = measure(view.queries, view.gallery, relevances, own=task.own, ks=order.ks)
    return Sight(
        contender=contender,
        encoder=encoder,
        gallery=gallery,
        queries=queries,
        asking=asking,
        task=task,
        view=view,
        measured=measured,
        seconds={"embedding": ready_s - start_s, "ranking": time.perf_counter() - ready_s},
    )


def _result(order: EvaluationOrder, sight: Sight) -> ModelResult:
    start_s = time.perf_counter()
    task, measured = sight.task, sight.measured
    lists = measured.neighbors[:, : order.main_k]
    categories = category_results(measured.scores[0], task.categories, task.criteria[0][1].totals)
    shown = examples(order, sight) if order.pictures else ((), (), ())
    result = ModelResult(
        model=sight.contender.name,
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


def _calibration(sight: Sight, lists: Places) -> tuple[Calibration, ...]:
    contender, rows = sight.contender, sight.rows
    found = list(attribute_calibration(sight.asking, rows, contender.compose))
    if contender.calibration is not None and sight.view.traits is not None:
        gallery = [product.attributes for product in sight.gallery.products]
        match = match_calibration(sight.view, lists, contender.calibration, rows, gallery)
        found += [] if match is None else [match]
    return tuple(found)


def _comparisons(sight: Sight, first: Sight, *, seed: int) -> Iterator[Comparison]:
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
                model=sight.contender.name, against=first.contender.name, criterion=name, metric=metric, test=test
            )


def _setup(order: EvaluationOrder, sight: Sight) -> Setup:
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
        dials=DEFAULT_DIALS.shares if order.as_recommended else None,
        command=order.command,
        versions=versions(),
        machine=machine_words(),
        made_at=now(),
        notes=tuple(_notes(order, sight)),
    )


def _notes(order: EvaluationOrder, sight: Sight) -> Iterator[str]:
    rejected = sight.gallery.rejected + (sight.queries.rejected if order.queries else ())
    if rejected:
        some = "; ".join(f"{each.photo}: {each.reason}" for each in rejected[:_SHOWN_REJECTED])
        yield f"{len(rejected):,} photos could not be used, such as {some}."
    training = sight.contender.training
    if order.held_out:
        yield f"Only held-out products ask: those that {sight.contender.name} has not learned from."
    elif training is not None:
        yield (
            f"{sight.contender.name} was trained on {training.data or 'photos of its own'}; "
            "if these are among them, its figures are too good: ask with --held-out."
        )
    if len(sight.task.asked) < len(sight.gallery.products):
        yield f"Coverage and hubness are those of {len(sight.task.asked):,} lists, fewer than there are products."
    if order.as_recommended:
        yield "As in the shop, what the catalog tells of a product is compared with what is predicted of a query."
