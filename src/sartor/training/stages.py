"""The stages of a training: the whole network first, then, where the recipe says so, its upper layers alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sartor.training.batches import Batches
from sartor.training.dataset import judges
from sartor.training.loop import HeldOut, Lesson, State, compiled, identity_of, learn
from sartor.training.network import follow_statistics
from sartor.training.upper import Activations, UpperBatches, halves_of, photo_keys, stored_view

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sartor.training.dataset import Dataset, Item, Target
    from sartor.training.loop import TrainingProgress
    from sartor.training.network import Learner
    from sartor.training.recipe import Recipe, Schedule
    from sartor.training.start import Networks

_UPPER = "upper"  # folder of the second stage, inside of the first one's
_VALIDATED = 1100  # held-out products that are looked at while it learns


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What the stages have in common.

    Attributes:
        recipe: How.
        dataset: The products.
        targets: The attributes to learn, by training product.
        directory: Where checkpoints lie.
        resume: Go on with what lies there.
    """

    recipe: Recipe
    dataset: Dataset
    targets: Sequence[Target]
    directory: Path
    resume: bool


def learn_in_stages(
    course: Course, networks: Networks, *, on_progress: Callable[[TrainingProgress], None]
) -> State:
    """Train the encoder's layers; they end with the best validation's weights."""
    whole = _whole(course, networks)
    first = learn(networks.learner, whole, resume=course.resume, on_progress=on_progress)
    if not course.recipe.upper.after:
        return first
    upper, part = _upper(course, networks, whole)
    return _joined(first, learn(upper, part, resume=course.resume, on_progress=on_progress))


def _whole(course: Course, networks: Networks) -> Lesson:
    recipe, dataset, targets = course.recipe, course.dataset, course.targets
    learned = dataset.training
    steps = _steps(recipe.schedule, recipe.sampling.views, learned)
    follow_statistics(networks.encoder, steps=steps)
    compiled(networks.learner, recipe.schedule, steps=steps)
    return Lesson(
        schedule=recipe.schedule,
        side_px=recipe.network.side_px,
        judged=networks.learner,
        identity=identity_of(recipe, [item.id for item in learned]),
        steps=steps,
        batches=Batches(learned, dataset.photos, targets, recipe),
        targets=targets,
        held_out=HeldOut.of(dataset.held_out, judges(recipe, targets), recipe.maps, at_most=_VALIDATED),
        cache=dataset.photos,
        directory=course.directory,
    )


def _upper(course: Course, networks: Networks, whole: Lesson) -> tuple[Learner, Lesson]:
    recipe, photos, learned = course.recipe, course.dataset.photos, course.dataset.training
    upper = recipe.upper
    directory = course.directory / _UPPER
    directory.mkdir(exist_ok=True)
    halves = halves_of(networks.encoder, networks.scaled, cut=upper.after)
    drawn = Batches(learned, photos, course.targets, recipe.changed(sampling=upper.sampling, seed=recipe.seed + 1))
    activations = Activations.compute(
        directory, halves.lower, photo_keys(learned), stored_view(drawn, photos, recipe), views=upper.views
    )
    steps = _steps(upper.schedule, upper.sampling.views, learned)
    halves.upper.set_objective(recipe, course.targets)
    follow_statistics(networks.encoder, steps=steps)
    compiled(halves.upper, upper.schedule, steps=steps)
    lesson = replace(
        whole,
        schedule=upper.schedule,
        steps=steps,
        batches=UpperBatches(drawn, activations, seed=recipe.seed),
        directory=directory,
        start_counts=True,
    )
    return halves.upper, lesson


def _joined(first: State, second: State) -> State:
    """Both stages as one, the second one's steps counted on."""
    return State(
        step=first.step + second.step,
        recipe=first.recipe,
        elapsed_s=first.elapsed_s + second.elapsed_s,
        losses=first.losses + [(first.step + step, loss) for step, loss in second.losses],
        validations=first.validations + [(first.step + step, found) for step, found in second.validations[1:]],
        best_step=first.step + second.best_step if second.best_step else first.best_step,
    )


def _steps(schedule: Schedule, views: int, learned: Sequence[Item]) -> int:
    if schedule.steps is not None:
        return schedule.steps
    photos = sum(len(item.photos) for item in learned)
    return max(1, math.ceil(schedule.epochs * photos / views))
