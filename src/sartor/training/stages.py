"""The stages of a training: the whole network first; then, if the recipe asks for it, its upper layers alone.

When the whole network has learned, its lower layers change little. For the second stage their activations for a
few views of each photo are computed once. The upper layers, most of the weights but a fraction of the work, then
see every view many times in the time in which the whole network would see it once.

Source: freezing layers from below while training goes on, Brock et al., "FreezeOut" (2017).
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.encoders.keras.backend import keras
from sartor.errors import UnusableRecipe
from sartor.training.augment import plain_view
from sartor.training.batches import Batch, Batches
from sartor.training.dataset import judges
from sartor.training.loop import HeldOut, Lesson, State, compiled, identity_of, learn
from sartor.training.network import FEATURES, follow_statistics
from sartor.training.objective import Learner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.training.dataset import Dataset, Item, Target
    from sartor.training.loop import TrainingProgress
    from sartor.training.recipe import Recipe, Schedule
    from sartor.training.start import Networks

_UPPER = "upper"  # folder of the second stage, inside the first one's
_MAX_VALIDATED = 1100  # held-out products for validation during training
_BATCH = 64
_LOG_EVERY = 100 * _BATCH
_POOLS = "pool_"
_DONE = "activations.done"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What the stages have in common.

    Attributes:
        recipe: How to train.
        dataset: The products.
        targets: The attributes to learn, by training product.
        directory: Where checkpoints are.
        resume: Continue from the checkpoint there.
    """

    recipe: Recipe
    dataset: Dataset
    targets: Sequence[Target]
    directory: Path
    resume: bool


def learn_in_stages(
    course: Course, networks: Networks, *, on_progress: Callable[[TrainingProgress], None]
) -> State:
    """Train the encoder; it ends with the weights of the best validation."""
    whole = _whole_stage(course, networks)
    first = learn(networks.learner, whole, resume=course.resume, on_progress=on_progress)
    if not course.recipe.upper.after:
        return first
    upper, lesson = _upper_stage(course, networks, whole)
    return _joined(first, learn(upper, lesson, resume=course.resume, on_progress=on_progress))


def _whole_stage(course: Course, networks: Networks) -> Lesson:
    recipe, dataset, targets = course.recipe, course.dataset, course.targets
    items = dataset.training
    steps = _steps(recipe.schedule, recipe.sampling.views, items)
    follow_statistics(networks.encoder, steps=steps)
    compiled(networks.learner, recipe.schedule, steps=steps)
    return Lesson(
        schedule=recipe.schedule,
        side_px=recipe.network.side_px,
        judged=networks.learner,
        identity=identity_of(recipe, [item.id for item in items]),
        steps=steps,
        batches=Batches(items, dataset.photos, targets, recipe),
        targets=targets,
        held_out=HeldOut.of(dataset.held_out, judges(recipe, targets), recipe.maps, limit=_MAX_VALIDATED),
        cache=dataset.photos,
        directory=course.directory,
    )


def _upper_stage(course: Course, networks: Networks, whole: Lesson) -> tuple[Learner, Lesson]:
    recipe, photos, items = course.recipe, course.dataset.photos, course.dataset.training
    upper = recipe.upper
    directory = course.directory / _UPPER
    directory.mkdir(exist_ok=True)
    halves = halves_of(networks.encoder, networks.scaled, cut=upper.after)
    batches = Batches(items, photos, course.targets, recipe.changed(sampling=upper.sampling, seed=recipe.seed + 1))
    keys = [key for item in items for key in item.photos]

    def view(key: str, number: int) -> npt.NDArray[np.uint8]:
        """The first view of a photo is the photo as it is, the others are augmented."""
        if number == 0:
            return plain_view(photos.pixels(key), side_px=recipe.network.side_px)
        seed = [recipe.seed, 2, int(key[:8], 16), number]  # keys are hexadecimal
        return batches.view(key, np.random.default_rng(seed))

    activations = Activations.compute(directory, halves.lower, keys, view, views=upper.views)
    steps = _steps(upper.schedule, upper.sampling.views, items)
    halves.upper.set_objective(recipe, course.targets)
    follow_statistics(networks.encoder, steps=steps)
    compiled(halves.upper, upper.schedule, steps=steps)
    lesson = replace(
        whole,
        schedule=upper.schedule,
        steps=steps,
        batches=UpperBatches(batches, activations, seed=recipe.seed),
        directory=directory,
        start_counts=True,
    )
    return halves.upper, lesson


def _joined(first: State, second: State) -> State:
    """Both stages as one, with the second one's steps after the first one's."""
    return State(
        step=first.step + second.step,
        recipe=first.recipe,
        elapsed_s=first.elapsed_s + second.elapsed_s,
        losses=first.losses + [(first.step + step, loss) for step, loss in second.losses],
        validations=first.validations + [(first.step + step, figures) for step, figures in second.validations[1:]],
        best_step=first.step + second.best_step if second.best_step else first.best_step,
    )


def _steps(schedule: Schedule, views: int, items: Sequence[Item]) -> int:
    if schedule.steps is not None:
        return schedule.steps
    photos = sum(len(item.photos) for item in items)
    return max(1, math.ceil(schedule.epochs * photos / views))


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """An encoder in two halves, with the same layers and weights.

    Attributes:
        lower: Takes uint8 photos; gives a list of the activations that the upper half needs.
        upper: Takes those and learns; has the outputs of the encoder.
    """

    lower: keras.Model
    upper: Learner


def halves_of(encoder: keras.Model, scaled: tuple[Any, Any], *, cut: str) -> Halves:
    """Cut an encoder after a layer.

    Args:
        encoder: The encoder.
        scaled: An input for uint8 photos, and that input scaled.
        cut: Name of the last layer of the lower half.

    Raises:
        UnusableRecipe: There is no such layer.
    """
    names = [layer.name for layer in encoder.layers]
    if cut not in names:
        raise UnusableRecipe(None, reason=f"upper.after: the network has no layer {cut!r}")
    last = names.index(cut)
    pools = [layer for layer in encoder.layers if layer.name.startswith(_POOLS)]
    index_of = {id(layer.output): index for index, layer in enumerate(encoder.layers)}
    crossing = [encoder.layers[last].output]
    crossing += [pool.output for pool in pools if index_of[id(pool.input)] < last]
    photo, floats = scaled
    lower = keras.Model(photo, keras.Model(encoder.inputs[0], crossing)(floats))
    outputs = {name: output for name, output in encoder.output.items() if not name.startswith(FEATURES)}
    return Halves(lower=lower, upper=Learner(inputs=crossing, outputs=outputs))


class Activations:
    """Activations of some views of each photo, float16, in memory-mapped files."""

    def __init__(self, arrays: Sequence[npt.NDArray[np.float16]], keys: Sequence[str], views: int) -> None:
        self._arrays = arrays
        self._rows = {key: row * views for row, key in enumerate(keys)}
        self._views = views

    def take(self, keys: Sequence[str], rng: np.random.Generator) -> list[npt.NDArray[np.float32]]:
        """One random view of each photo."""
        rows = np.array([self._rows[key] for key in keys]) + rng.integers(self._views, size=len(keys))
        return [array[rows].astype(np.float32) for array in self._arrays]

    @classmethod
    def compute(
        cls,
        directory: Path,
        lower: keras.Model,
        keys: Sequence[str],
        view: Callable[[str, int], npt.NDArray[np.uint8]],
        *,
        views: int,
    ) -> Activations:
        """Compute them, or open what was computed before.

        Args:
            directory: Where the files are.
            lower: The lower half.
            keys: Of the photos.
            view: Gives a view of a photo by key and number.
            views: Number of views of each photo.
        """
        shapes = [tuple(tensor.shape[1:]) for tensor in lower.outputs]
        files = [directory / f"activations{number}.npy" for number in range(len(shapes))]
        count = len(keys) * views
        if not (directory / _DONE).exists():
            arrays = [
                np.lib.format.open_memmap(file, mode="w+", dtype=np.float16, shape=(count, *shape))
                for file, shape in zip(files, shapes, strict=True)
            ]
            for start in range(0, count, _BATCH):
                rows = range(start, min(start + _BATCH, count))
                photos = np.stack([view(keys[row // views], row % views) for row in rows])
                for array, activations in zip(arrays, lower.predict_on_batch(photos), strict=True):
                    array[rows.start : rows.stop] = activations
                if start % _LOG_EVERY == 0:
                    logger.info("activations: %d of %d views", rows.stop, count)
            for array in arrays:
                array.flush()
            (directory / _DONE).touch()
        return cls([np.load(file, mmap_mode="r") for file in files], keys, views)


class UpperBatches:
    """The steps that ``Batches`` draws, with activations instead of photos."""

    def __init__(self, batches: Batches, activations: Activations, *, seed: int) -> None:
        self._batches, self._activations, self._seed = batches, activations, seed

    def from_step(self, start: int, stop: int) -> Iterator[Batch]:
        """The steps from ``start`` to before ``stop``, in order."""
        for step in range(start, stop):
            products, keys = self._batches.draw(step)
            rng = np.random.default_rng([self._seed, 3, step])
            yield Batch(photos=self._activations.take(keys, rng), products=products)
