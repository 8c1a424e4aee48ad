"""The report of a training, put together from what was measured; its looks are the evaluation's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from sartor.evaluation.curves import Series
from sartor.evaluation.reliability import calibration_error
from sartor.evaluation.sheets import SheetRow, Tile
from sartor.evaluation.training_report import CategoryFigure, Chart, Figure, RunReport
from sartor.training.validation import NEIGHBORS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.encoders.card import ModelCard
    from sartor.evaluation.agreement import Interval
    from sartor.evaluation.reliability import ReliabilityBin
    from sartor.training.checkpoint import State
    from sartor.training.figures import Exam, Marks
    from sartor.training.photo_cache import PhotoCache

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
    from sartor.evaluation.agreement import Interval

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
