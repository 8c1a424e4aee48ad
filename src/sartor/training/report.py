"""The exam of a trained encoder beside the one it started from, and the report of the training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from sartor.evaluation.intervals import Interval, bootstrap_interval, paired_test
from sartor.evaluation.metrics import agreement, calibration_error, joint_agreement
from sartor.evaluation.ranking import nearest
from sartor.evaluation.report.plots import Series
from sartor.evaluation.report.training import CategoryFigure, Chart, Figure, RunReport
from sartor.evaluation.sheets import SheetRow, Tile
from sartor.training.dataset import values_of
from sartor.training.loop import NEIGHBORS, embed_keys
from sartor.training.network import EMBEDDING
from sartor.types import QueryKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sartor.encoders.card import ModelCard
    from sartor.encoders.keras.backend import keras
    from sartor.evaluation.intervals import PairedTest, Values
    from sartor.evaluation.metrics import ReliabilityBin
    from sartor.evaluation.ranking import Indices
    from sartor.evaluation.relevance import Labels
    from sartor.training.dataset import Item
    from sartor.training.loop import State
    from sartor.training.photos import PhotoCache
    from sartor.training.recipe import LabelMap

ALL = "all at once"
_MAX_GALLERY = 10_000  # products of the whole gallery; more would only take longer
_MAX_QUERIES = 1500
_SHEET_QUERIES = 20
_MIN_QUERIES = 5  # of a category, for a figure of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """What encoders are examined with: held-out products as queries, a gallery, and labels.

    Attributes:
        items: The gallery's products, the held-out ones first.
        photos: Key of each product's photo, ``(n,)``.
        queries: Number of held-out products.
        others: Row of a held-out product, and key of its second photo.
        labels: Value of each product by attribute, ``(n,)``; empty if it has none.
    """

    items: tuple[Item, ...]
    photos: tuple[str, ...]
    queries: int
    others: tuple[tuple[int, str], ...]
    labels: Mapping[str, Labels]

    @classmethod
    def of(
        cls,
        held_out: Sequence[Item],
        training: Sequence[Item],
        names: Sequence[str],
        maps: Sequence[LabelMap],
    ) -> Exam:
        """Held-out products as queries, with training products as further ones of the gallery."""
        queries = _best_known(held_out, names, maps)[:_MAX_QUERIES]
        items = (*queries, *_best_known(training, names, maps)[: _MAX_GALLERY - len(queries)])
        return cls(
            items=items,
            photos=tuple(item.photos[0] for item in items),
            queries=len(queries),
            others=tuple((row, item.photos[-1]) for row, item in enumerate(queries) if len(item.photos) > 1),
            labels={name: values_of(items, name, maps) for name in names},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The result of an exam.

    Attributes:
        scores: By figure, ``(q,)`` from 0 to 1, NaN if a query lacks what it asks about.
        near: Rows of the nearest in the whole gallery, ``(q, k)``.
    """

    scores: Mapping[str, Values]
    near: Indices

    def intervals(self, rng: np.random.Generator) -> dict[str, Interval]:
        """Mean and 95 % interval of each figure."""
        return {name: bootstrap_interval(values, rng=rng) for name, values in self.scores.items()}


def examine(model: keras.Model, exam: Exam, cache: PhotoCache) -> Marks:
    """Embed the exam's photos with a model, and score the neighbors that it finds."""
    side_px = model.input_shape[1]
    embeddings = embed_keys(model, exam.photos, cache, side_px=side_px, outputs=(EMBEDDING,))[EMBEDDING]
    queries = embeddings[: exam.queries]
    own = np.arange(exam.queries)
    near = nearest(queries, embeddings, k=NEIGHBORS, own=own)
    scores = _agreements("", near, exam)
    if exam.queries > 1:
        scores |= _agreements(", held-out gallery", nearest(queries, queries, k=NEIGHBORS, own=own), exam)
    if exam.others:
        keys = [key for _, key in exam.others]
        second = embed_keys(model, keys, cache, side_px=side_px, outputs=(EMBEDDING,))[EMBEDDING]
        first = nearest(second, embeddings, k=1, own=np.full(len(second), -1))[:, 0]
        scores["same product first"] = (first == [row for row, _ in exam.others]).astype(np.float64)
    return Marks(scores=scores, near=near)


def verdict(new: Marks, old: Marks, *, rng: np.random.Generator) -> tuple[PairedTest, str]:
    """Whether the new encoder finds better neighbors than the old one: a test, and the same in a sentence."""
    test = paired_test(new.scores[ALL], old.scores[ALL], rng=rng)
    change = f"{test.difference:+.3f} (95 % {test.low:+.3f} to {test.high:+.3f}, p = {test.p_value:.3f})"
    word = "It is not shown to help"
    if test.low > 0:
        word = "It helped"
    elif test.high < 0:
        word = "It made it worse"
    words = f"{word}: of the {NEIGHBORS} nearest, the share that agrees in all attributes changed by {change}."
    return test, words


def _agreements(suffix: str, near: Indices, exam: Exam) -> dict[str, Values]:
    of_queries = {name: values[: exam.queries] for name, values in exam.labels.items()}
    scores = {name + suffix: agreement(near, of_queries[name], values) for name, values in exam.labels.items()}
    return scores | {ALL + suffix: joint_agreement(near, list(of_queries.values()), list(exam.labels.values()))}


def _best_known(items: Sequence[Item], names: Sequence[str], maps: Sequence[LabelMap]) -> list[Item]:
    """Products that have a label, those with most labels first, then those with several photos."""
    known = sum((values_of(items, name, maps) != "").astype(int) for name in names)
    order = sorted(range(len(items)), key=lambda row: (-int(known[row]), -len(items[row].photos)))
    return [items[row] for row in order if known[row]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a report is about.

    Attributes:
        card: The model.
        sources: Where the products came from.
        rejected: Number of photos that could not be used.
        state: How the training went.
        exam: The exam.
        old: Result of the encoder that it started from.
        new: Result of the trained encoder.
        figures: Of the new one, with intervals.
        base_figures: Of the old one.
        verdict: Whether it helped, in a sentence.
        match_bins: Whether its matches come true, by kind of photo.
    """

    card: ModelCard
    sources: Sequence[Path]
    rejected: int
    state: State
    exam: Exam
    old: Marks
    new: Marks
    figures: Mapping[str, Interval]
    base_figures: Mapping[str, Interval]
    verdict: str
    match_bins: Mapping[QueryKind, Sequence[ReliabilityBin]] = field(default_factory=dict)


def run_report(run: Run, cache: PhotoCache) -> RunReport:
    """The report, from its verdict to its contact sheets."""
    heads = tuple(
        Figure(name=f"predicts {head.name}", base=None, new=_exactly(head.accuracy, run.exam.queries))
        for head in run.card.attributes
        if head.accuracy is not None
    )
    figures = tuple(
        Figure(name=name, base=run.base_figures.get(name), new=interval) for name, interval in run.figures.items()
    )
    return RunReport(
        title=f"Training of {run.card.id}",
        verdict=run.verdict,
        facts=_facts(run),
        curves=(*_curves(run.state), *_reliability(run.match_bins)),
        figures=figures + heads,
        categories=_categories(run),
        sheets_before=_sheet(run.exam, run.old.near, cache),
        sheets_after=_sheet(run.exam, run.new.near, cache),
    )


def _exactly(accuracy: float, count: int) -> Interval:
    error = 1.96 * (accuracy * (1 - accuracy) / max(count, 1)) ** 0.5
    return Interval(mean=accuracy, low=max(accuracy - error, 0.0), high=min(accuracy + error, 1.0), count=count)


def _facts(run: Run) -> tuple[tuple[str, str], ...]:
    record = run.card.training
    if record is None:
        return ()
    versions = ", ".join(f"{name} {number}" for name, number in record.versions.items())
    return (
        ("Sources", ", ".join(path.name for path in run.sources)),
        ("Learned from", f"{record.products:,} products, {record.photos:,} photos"),
        ("Rejected photos", f"{run.rejected:,}"),
        ("Held out", f"{run.exam.queries:,} queries; split seed {record.split_seed}, {record.split_share:.0%}"),
        ("Started from", record.started_from),
        ("Steps", f"{record.steps:,}, the best at {run.state.best_step:,}"),
        ("Time", f"{record.seconds / 60:,.1f} minutes"),
        ("Seed", str(record.recipe["seed"])),
        ("Versions", versions),
    )


def _curves(state: State) -> tuple[Chart, ...]:
    names = list(state.validations[0][1]) if state.validations else []
    figures = tuple(
        Series(name=name, points=tuple((float(step), validation[name]) for step, validation in state.validations))
        for name in names
    )
    loss = Series(name="loss", points=tuple((float(step), loss) for step, loss in state.losses))
    return (
        Chart(title="Loss", x_label="step", y_label="loss", series=(loss,)),
        Chart(title="Held-out products", x_label="step", y_label="share", series=figures),
    )


def _reliability(by_kind: Mapping[QueryKind, Sequence[ReliabilityBin]]) -> Iterator[Chart]:
    predicted = Series(name="as said", points=((0.0, 0.0), (1.0, 1.0)))
    for kind, bins in by_kind.items():
        if bins:
            measured = Series(name="measured", points=tuple((each.said, each.right) for each in bins))
            photos = "products" if kind is QueryKind.SHOP_PHOTO else "people's photos"
            title = f"Match on held-out {photos}, mean error {calibration_error(bins):.3f}"
            yield Chart(title=title, x_label="match", y_label="share that agrees", series=(measured, predicted))


def _categories(run: Run) -> tuple[CategoryFigure, ...]:
    """Agreement for each value of the first attribute that has enough queries."""
    name = next(iter(run.exam.labels))
    values = run.exam.labels[name][: run.exam.queries]
    kinds, counts = np.unique(values[values != ""], return_counts=True)
    return tuple(
        CategoryFigure(
            attribute=name,
            value=str(kind),
            count=int(count),
            base=float(np.nanmean(run.old.scores[name][values == kind])),
            new=float(np.nanmean(run.new.scores[name][values == kind])),
        )
        for kind, count in zip(kinds, counts, strict=True)
        if count >= _MIN_QUERIES
    )


def _sheet(exam: Exam, near: Indices, cache: PhotoCache) -> tuple[SheetRow, ...]:
    """Queries spread over all held-out products, with their neighbors."""
    rows = np.unique(np.linspace(0, exam.queries - 1, min(_SHEET_QUERIES, exam.queries)).astype(int))
    return tuple(
        SheetRow(
            query=(_tile(exam, int(row), cache),),
            hits=tuple(_tile(exam, int(neighbor), cache) for neighbor in near[row][:NEIGHBORS]),
        )
        for row in rows
    )


def _tile(exam: Exam, row: int, cache: PhotoCache) -> Tile:
    pixels = cache.pixels(exam.photos[row])
    caption = (exam.items[row].id, *(str(values[row]) for values in exam.labels.values() if values[row]))
    return Tile(image=Image.fromarray(np.ascontiguousarray(pixels[..., :3])), caption=caption)
