"""A training from sources to a model: read, split, learn, examine, export, report."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sartor.encoders.card import CARD_FILE, PixelScaling
from sartor.encoders.keras.backend import keras
from sartor.errors import NothingToLearn, OutputTaken
from sartor.evaluation.report.training import write_report
from sartor.training.augment import plain_view
from sartor.training.calibration import attribute_heads, match_calibration
from sartor.training.dataset import judges, read_dataset, targets_of, unlearned
from sartor.training.export import Outcome, export_encoder, feature_outputs, round_weights
from sartor.training.foreground import learn_foreground, lesson_of
from sartor.training.report import Exam, Run, examine, run_report, verdict
from sartor.training.stages import Course, learn_in_stages
from sartor.training.start import make_networks, settled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.choices import Scaling
    from sartor.encoders.card import ModelCard
    from sartor.evaluation.intervals import PairedTest
    from sartor.training.dataset import Dataset, Target
    from sartor.training.foreground import LearnedForeground
    from sartor.training.loop import State, TrainingProgress
    from sartor.training.recipe import Recipe
    from sartor.training.start import Networks, Start

REPORT_FILE = "report.html"
_WORK = "work"  # what a training needs until it is done: photos, checkpoints
_CACHE_MARGIN = 1.25  # cached photos are larger than what the network sees, so that crops stay sharp
_MIN_PRODUCTS = 10
_MIN_HELD_OUT = 2
_ROUNDING_PHOTOS, _BATCH = 512, 64  # photos by which rounded weights are corrected
_RNG_SEED = 0  # of intervals and tests, so that the same run gives the same figures

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to train.

    Attributes:
        sources: Where the products are.
        output: Directory of the model and its report, and of checkpoints until it is done.
        recipe: How to train.
        start: From what.
        resume: Continue what the output holds.
    """

    sources: Sequence[Path]
    output: Path
    recipe: Recipe
    start: Start
    resume: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A finished training.

    Attributes:
        card: The model.
        directory: Where its files are.
        test: New against old, on the share of the nearest that agrees in all attributes.
        verdict: The same in a sentence.
        rejected: Photos that could not be used, with the reason.
        unlearned: Labels of the recipe of which fewer than two values are known.
    """

    card: ModelCard
    directory: Path
    test: PairedTest
    verdict: str
    rejected: dict[str, str]
    unlearned: tuple[str, ...] = ()


def train(
    job: Job,
    *,
    on_photos: Callable[[int], None] = lambda _: None,
    on_progress: Callable[[TrainingProgress], None] = lambda _: None,
) -> Trained:
    """Train an encoder.

    Args:
        job: What to train, and how.
        on_photos: Called with the number of photos read.
        on_progress: Called with how far the learning is.

    Raises:
        SourceError: A source cannot be read.
        TrainingError: The sources have nothing to learn from, or the output cannot be used.
        UnusableModel: The start's weights do not fit.
    """
    work = _work_directory(job)
    recipe = settled(job.recipe, job.start)
    side_px = int(recipe.network.side_px * _CACHE_MARGIN)
    dataset = read_dataset(job.sources, work, recipe.split, side_px=side_px, on_progress=on_photos)
    _check(dataset)
    targets = targets_of(dataset.training, recipe)
    networks = make_networks(job.start, recipe, targets)
    course = Course(recipe=recipe, dataset=dataset, targets=targets, directory=work, resume=job.resume)
    state = learn_in_stages(course, networks, on_progress=on_progress)
    round_weights(networks.encoder, _some_photos(dataset, networks.encoder, job.start.network.scaling))
    trained = _examine(replace(job, recipe=recipe), dataset, targets, networks, state)
    logger.info("trained %s: %s", trained.card.id, trained.verdict)
    shutil.rmtree(work)
    return trained


def _foreground(
    dataset: Dataset, encoder: keras.Model, recipe: Recipe, scaling: Scaling
) -> LearnedForeground | None:
    """Learn to tell products from what is behind them; None if the recipe or the photos do not allow it."""
    if not recipe.foreground:
        return None
    maps = keras.Model(encoder.inputs[0], [encoder.output[name] for name in feature_outputs(encoder)])
    pixel_scaling = PixelScaling.named(scaling)

    def maps_of(photos: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.float32]]:
        found = maps.predict_on_batch(pixel_scaling.applied(photos))
        return [np.asarray(map_, np.float32) for map_ in (found if isinstance(found, list) else [found])]

    lesson = lesson_of(dataset, maps_of, side_px=encoder.input_shape[1], seed=recipe.seed)
    return None if lesson is None else learn_foreground(lesson)


def _some_photos(dataset: Dataset, encoder: keras.Model, scaling: Scaling) -> list[npt.NDArray[np.float32]]:
    """Some training photos in batches, scaled as the encoder takes them."""
    side_px, pixel_scaling = encoder.input_shape[1], PixelScaling.named(scaling)
    keys = [item.photos[0] for item in dataset.training]
    views = [
        pixel_scaling.applied(plain_view(dataset.photos.pixels(key), side_px=side_px))
        for key in keys[:: max(1, len(keys) // _ROUNDING_PHOTOS)]
    ]
    return [np.stack(views[start : start + _BATCH]) for start in range(0, len(views), _BATCH)]


def _work_directory(job: Job) -> Path:
    work = job.output / _WORK
    if (job.output / CARD_FILE).exists() or (work.exists() and not job.resume):
        raise OutputTaken(job.output)
    work.mkdir(parents=True, exist_ok=True)
    return work


def _check(dataset: Dataset) -> None:
    count, held_out = len(dataset.items), len(dataset.held_out)
    if count < _MIN_PRODUCTS:
        reason = f"{count} products with a photo are too few; it takes {_MIN_PRODUCTS}, and hundreds are better"
        raise NothingToLearn(reason=reason)
    if held_out < _MIN_HELD_OUT or held_out == count:
        reason = (
            f"the split holds out {held_out} of {count} products; change split.share or split.seed in a recipe"
        )
        raise NothingToLearn(reason=reason)
    logger.info("%d products to learn from, %d held out", count - held_out, held_out)


def _examine(job: Job, dataset: Dataset, targets: Sequence[Target], networks: Networks, state: State) -> Trained:
    recipe, cache = job.recipe, dataset.photos
    rng = np.random.default_rng(_RNG_SEED)
    exam = Exam.of(dataset.held_out, dataset.training, judges(recipe, targets), recipe.maps)
    new, old = examine(networks.learner, exam, cache), examine(networks.before, exam, cache)
    test, words = verdict(new, old, rng=rng)
    figures, base_figures = new.intervals(rng), old.intervals(rng)
    heads = attribute_heads(networks.learner, targets, dataset.held_out, recipe.maps, cache)
    foreground = _foreground(dataset, networks.encoder, recipe, job.start.network.scaling)
    mask_of = None if foreground is None else foreground.mask_of
    calibrated = match_calibration(networks.learner, heads, dataset, recipe, mask_of=mask_of)
    outcome = Outcome(
        foreground=None if foreground is None else foreground.weights,
        recipe=recipe,
        start=job.start,
        state=state,
        heads=heads,
        calibration=None if calibrated is None else calibrated.match,
        figures=figures,
        base_figures=base_figures,
        products=len(dataset.training),
        photos=sum(len(item.photos) for item in dataset.training),
    )
    card = export_encoder(networks.encoder, job.output, outcome)
    run = Run(
        card=card,
        sources=job.sources,
        rejected=len(cache.rejected),
        state=state,
        exam=exam,
        old=old,
        new=new,
        figures=figures,
        base_figures=base_figures,
        verdict=words,
        match_bins={} if calibrated is None else calibrated.bins,
    )
    write_report(job.output / REPORT_FILE, run_report(run, cache))
    return Trained(
        card=card,
        directory=job.output,
        test=test,
        verdict=words,
        rejected=dict(cache.rejected),
        unlearned=unlearned(recipe, targets),
    )
