"""The report of a training, put together from what was measured; its looks are the evaluation's."""

from __future__ import annotations

from dataclasses import dataclass
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

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.encoders.card import ModelCard
    from sartor.encoders.keras.backend import keras
    from sartor.evaluation.intervals import PairedTest
    from sartor.evaluation.metrics import ReliabilityBin
    from sartor.training.dataset import Item
    from sartor.training.loop import State
    from sartor.training.photos import PhotoCache
    from sartor.training.recipe import LabelMap

    Values = npt.NDArray[np.str_]
    Scores = npt.NDArray[np.float64]


ALL = "all at once"
_GALLERY = 10_000  # products of the whole gallery that are embedded; more would only take longer
_EXAM_QUERIES = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """What encoders are examined with: held-out products as queries, two galleries, and their labels.

    Attributes:
        items: The gallery's products, the held-out ones first.
        photos: Key of each product's photo, ``(n,)``.
        queries: Number of held-out products.
        others: Place of a held-out product, and key of its second photo.
        labels: Value of each product by attribute, ``(n,)``; empty where it has none.
    """

    items: tuple[Item, ...]
    photos: tuple[str, ...]
    queries: int
    others: tuple[tuple[int, str], ...]
    labels: Mapping[str, Values]

    @classmethod
    def of(
        cls,
        held_out: Sequence[Item],
        training: Sequence[Item],
        names: Sequence[str],
        maps: Sequence[LabelMap],
    ) -> Exam:
        """Products with several photos first, of those that have a value for the first attribute."""
        asked = _best_known(held_out, names, maps)[:_EXAM_QUERIES]
        known = _best_known(training, names, maps)[: _GALLERY - len(asked)]
        items = (*asked, *known)
        return cls(
            items=items,
            photos=tuple(item.photos[0] for item in items),
            queries=len(asked),
            others=tuple((place, item.photos[-1]) for place, item in enumerate(asked) if len(item.photos) > 1),
            labels={name: values_of(items, name, maps) for name in names},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What an encoder reached.

    Attributes:
        embeddings: Of the gallery, ``(n, d)``.
        scores: By figure, one number from 0 to 1 for each query, NaN where it cannot be asked.
        near: Places of the nearest of the whole gallery, ``(q, k)``.
    """

    embeddings: npt.NDArray[np.float32]
    scores: Mapping[str, Scores]
    near: npt.NDArray[np.int64]

    def intervals(self, rng: np.random.Generator) -> dict[str, Interval]:
        """Mean and 95 % interval of each figure."""
        return {name: bootstrap_interval(values, rng=rng) for name, values in self.scores.items()}


def examine(model: keras.Model, exam: Exam, cache: PhotoCache) -> Marks:
    """Embed the exam's photos with a model, and score what it finds; heads are scored where it has them."""
    side_px = model.input_shape[1]
    heads = [name for name in exam.labels if name in model.output]
    found = embed_keys(model, exam.photos, cache, side_px=side_px, outputs=(EMBEDDING, *heads))
    embeddings = found[EMBEDDING]
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
        scores["same product first"] = (first == [place for place, _ in exam.others]).astype(np.float64)
    return Marks(embeddings=embeddings, scores=scores, near=near)


def verdict(new: Marks, old: Marks, *, rng: np.random.Generator) -> tuple[PairedTest, str]:
    """Whether the new encoder finds better neighbors than the old one, as a test and in a sentence."""
    test = paired_test(new.scores[ALL], old.scores[ALL], rng=rng)
    change = f"{test.difference:+.3f} (95 % {test.low:+.3f} to {test.high:+.3f}, p = {test.p_value:.3f})"
    if test.low > 0:
        word = "It helped"
    elif test.high < 0:
        word = "It made it worse"
    else:
        word = "It is not shown to help"
    return (
        test,
        f"{word}: of the {NEIGHBORS} nearest, the share that agrees in all attributes changed by {change}.",
    )


def _agreements(suffix: str, near: npt.NDArray[np.int64], exam: Exam) -> dict[str, Scores]:
    asked = {name: values[: exam.queries] for name, values in exam.labels.items()}
    scores = {name + suffix: agreement(near, asked[name], values) for name, values in exam.labels.items()}
    both = joint_agreement(near, list(asked.values()), list(exam.labels.values()))
    return scores | {ALL + suffix: both}


def _best_known(items: Sequence[Item], names: Sequence[str], maps: Sequence[LabelMap]) -> list[Item]:
    """Products with most attributes known first, then those with several photos."""
    known = sum((values_of(items, name, maps) != "").astype(int) for name in names)
    order = sorted(range(len(items)), key=lambda row: (-int(known[row]), -len(items[row].photos)))
    return [items[row] for row in order if known[row]]


_QUERIES = 20
_FEWEST = 5  # held-out products of a category, for a figure of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a report tells of.

    Attributes:
        card: The model.
        sources: Where the products came from.
        rejected: Number of photos that could not be used.
        state: How the training went.
        exam: What was asked.
        old: What it started from reached.
        new: What it reached.
        figures: Of the new one, with intervals.
        base_figures: Of the old one.
        verdict: Whether it helped, in a sentence.
        match_bins: Whether its matches keep their word.
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
    match_bins: Sequence[ReliabilityBin] = ()


def run_report(told: Told, cache: PhotoCache) -> RunReport:
    """The report, from its verdict to its contact sheets."""
    heads = tuple(
        Figure(name=f"predicts {head.name}", base=None, new=_exactly(head.accuracy, told.exam.queries))
        for head in told.card.attributes
        if head.accuracy is not None
    )
    found = tuple(
        Figure(name=name, base=told.base_figures.get(name), new=interval)
        for name, interval in told.figures.items()
    )
    return RunReport(
        title=f"Training of {told.card.id}",
        verdict=told.verdict,
        facts=_facts(told),
        curves=(*_curves(told.state), *_reliability(told.match_bins)),
        figures=found + heads,
        categories=_categories(told),
        sheets_before=_sheet(told.exam, told.old.near, cache),
        sheets_after=_sheet(told.exam, told.new.near, cache),
    )


def _exactly(accuracy: float, count: int) -> Interval:
    error = 1.96 * (accuracy * (1 - accuracy) / max(count, 1)) ** 0.5
    return Interval(mean=accuracy, low=max(accuracy - error, 0.0), high=min(accuracy + error, 1.0), count=count)


def _facts(told: Told) -> tuple[tuple[str, str], ...]:
    record = told.card.training
    if record is None:
        return ()
    versions = ", ".join(f"{name} {number}" for name, number in record.versions.items())
    return (
        ("Sources", ", ".join(path.name for path in told.sources)),
        ("Learned from", f"{record.products:,} products, {record.photos:,} photos"),
        ("Rejected photos", f"{told.rejected:,}"),
        ("Held out", f"{told.exam.queries:,} queries; split seed {record.split_seed}, {record.split_share:.0%}"),
        ("Started from", record.started_from),
        ("Steps", f"{record.steps:,}, the best at {told.state.best_step:,}"),
        ("Time", f"{record.seconds / 60:,.1f} minutes"),
        ("Seed", str(record.recipe["seed"])),
        ("Versions", versions),
    )


def _curves(state: State) -> tuple[Chart, ...]:
    names = list(state.validations[0][1]) if state.validations else []
    figures = tuple(
        Series(name=name, points=tuple((float(step), found[name]) for step, found in state.validations))
        for name in names
    )
    loss = Series(name="loss", points=tuple((float(step), loss) for step, loss in state.losses))
    return (
        Chart(title="Loss", x_label="step", y_label="loss", series=(loss,)),
        Chart(title="Held-out products", x_label="step", y_label="share", series=figures),
    )


def _reliability(bins: Sequence[ReliabilityBin]) -> tuple[Chart, ...]:
    if not bins:
        return ()
    right = Series(name="measured", points=tuple((each.said, each.right) for each in bins))
    kept = Series(name="as said", points=((0.0, 0.0), (1.0, 1.0)))
    title = f"Match on held-out products, mean error {calibration_error(bins):.3f}"
    return (Chart(title=title, x_label="match", y_label="share that agrees", series=(right, kept)),)


def _categories(told: Told) -> tuple[CategoryFigure, ...]:
    """Agreement by each value of the first attribute that has enough queries."""
    name = next(iter(told.exam.labels))
    values = told.exam.labels[name][: told.exam.queries]
    kinds, counts = np.unique(values[values != ""], return_counts=True)
    return tuple(
        CategoryFigure(
            attribute=name,
            value=str(kind),
            count=int(count),
            base=float(np.nanmean(told.old.scores[name][values == kind])),
            new=float(np.nanmean(told.new.scores[name][values == kind])),
        )
        for kind, count in zip(kinds, counts, strict=True)
        if count >= _FEWEST
    )


def _sheet(exam: Exam, near: npt.NDArray[np.int64], cache: PhotoCache) -> tuple[SheetRow, ...]:
    """The neighbors of queries spread over all held-out products."""
    rows = np.unique(np.linspace(0, exam.queries - 1, min(_QUERIES, exam.queries)).astype(int))
    return tuple(
        SheetRow(
            query=(_tile(exam, int(row), cache),),
            hits=tuple(_tile(exam, int(place), cache) for place in near[row][:NEIGHBORS]),
        )
        for row in rows
    )


def _tile(exam: Exam, place: int, cache: PhotoCache) -> Tile:
    pixels = cache.pixels(exam.photos[place])
    caption = (exam.items[place].id, *(str(values[place]) for values in exam.labels.values() if values[place]))
    return Tile(image=Image.fromarray(np.ascontiguousarray(pixels[..., :3])), caption=caption)
