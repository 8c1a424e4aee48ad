"""The training loop: steps, validations, checkpoints, and when to stop."""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sartor.encoders.keras_backend import keras
from sartor.training.checkpoint import Checkpoint, State
from sartor.training.objective import PRODUCT, Learner
from sartor.training.progress import TrainingProgress
from sartor.training.validation import RETRIEVAL, validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sartor.training.batches import Batch
    from sartor.training.labels import Target
    from sartor.training.photo_cache import PhotoCache
    from sartor.training.recipe import Recipe, Schedule
    from sartor.training.validation import HeldOut

logger = logging.getLogger(__name__)

_BEST = "best.weights.npz"
_REPORT_EVERY = 10
_CHECKPOINT_EVERY_S = 120.0


class Steps(Protocol):
    """Where steps come from."""

    def from_step(self, start: int, stop: int) -> Iterator[Batch]:
        """The steps from one number up to another, in order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What a loop needs beside the model.

    Attributes:
        schedule: How long, and how fast.
        side_px: Side of the photos that ``judged`` takes.
        judged: What is validated and kept: the whole network, where a part of it learns.
        identity: Tells this training from others, for its checkpoints.
        steps: How many at most.
        batches: Where steps come from.
        targets: The attributes, by training product.
        held_out: The products for validation.
        cache: The photos of those.
        directory: Where checkpoints lie.
        start_counts: Whether the weights are kept as they are if nothing better comes.
    """

    schedule: Schedule
    side_px: int
    judged: keras.Model
    identity: str
    steps: int
    batches: Steps
    targets: Sequence[Target]
    held_out: HeldOut
    cache: PhotoCache
    directory: Path
    start_counts: bool = False


def compiled(model: Learner, schedule: Schedule, *, steps: int) -> Learner:
    """The model with AdamW, warm-up, cosine decay and a running average of its weights."""
    warmup = int(steps * schedule.warmup_share)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else schedule.learning_rate,
        decay_steps=max(steps - warmup, 1),
        warmup_target=schedule.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.AdamW(
        rate,
        weight_decay=schedule.weight_decay,
        use_ema=schedule.averaging > 0,
        ema_momentum=schedule.averaging or 0.99,
        ema_overwrite_frequency=None,
        clipnorm=5.0,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(optimizer=optimizer, jit_compile=keras.config.backend() == "jax")
    optimizer.build(model.trainable_variables)
    return model


def learn(
    model: Learner,
    lesson: Lesson,
    *,
    resume: bool = False,
    on_progress: Callable[[TrainingProgress], None] = lambda _: None,
    clock: Callable[[], float] = time.perf_counter,
) -> State:
    """Train a compiled model; it ends with the averaged weights of the best validation.

    Raises:
        UnusableCheckpoint: It cannot go on from the checkpoint that is there.
    """
    run = _Run(model, lesson, clock=clock)
    if resume:
        run.go_on()
    state = run.state
    schedule = lesson.schedule
    if lesson.start_counts and not state.validations:
        run.validate()
    for batch in lesson.batches.from_step(state.step, lesson.steps):
        run.step(batch)
        if state.step % _REPORT_EVERY == 0 or state.step == lesson.steps:
            on_progress(run.report())
        if state.step % schedule.validate_every == 0 or state.step == lesson.steps:
            run.validate()
            on_progress(run.progress())
            if run.validations_since_best() >= schedule.patience:
                logger.info("stopped at step %d: no better since step %d", state.step, state.best_step)
                break
    run.load_best()
    return state


class _Run:
    """One pass of the loop, with what it counts."""

    def __init__(self, model: Learner, lesson: Lesson, *, clock: Callable[[], float]) -> None:
        self.state = State(recipe=lesson.identity)
        self._model, self._lesson, self._clock = model, lesson, clock
        self._variables = [*model.variables, *model.optimizer.variables]
        self._checkpoint = Checkpoint(lesson.directory)
        self._started = self._kept = clock()
        self._started_step, self._earlier_s = 0, 0.0
        self._losses: list[float] = []

    def go_on(self) -> None:
        """Take up the last checkpoint, if there is one."""
        if self._checkpoint.exists():
            self.state = self._checkpoint.read(self._variables, recipe=self._lesson.identity)
            self._started_step, self._earlier_s = self.state.step, self.state.elapsed_s

    def step(self, batch: Batch) -> None:
        targets = {
            target.name: target.allowed[batch.products].astype(np.float32) for target in self._lesson.targets
        }
        loss = self._model.train_on_batch(batch.photos, {PRODUCT: batch.products, **targets})
        self._model.reset_metrics()
        self._losses.append(float(np.ravel(loss)[0]))
        self.state.step += 1
        self.state.elapsed_s = self._earlier_s + self._clock() - self._started
        if self._clock() - self._kept > _CHECKPOINT_EVERY_S:
            self._keep()

    def report(self) -> TrainingProgress:
        self.state.losses.append((self.state.step, float(np.mean(self._losses))))
        self._losses.clear()
        return self.progress()

    def progress(self) -> TrainingProgress:
        state = self.state
        done = max(state.step - self._started_step, 1)
        pace_s = (self._clock() - self._started) / done
        return TrainingProgress(
            step=state.step,
            steps=self._lesson.steps,
            loss=state.losses[-1][1] if state.losses else float("nan"),
            figures=state.validations[-1][1] if state.validations else {},
            left_s=pace_s * (self._lesson.steps - state.step),
        )

    def validate(self) -> None:
        """Measure the averaged weights, and keep them if they are the best so far."""
        model, state = self._model, self.state
        now = [variable.numpy() for variable in model.trainable_variables]
        if self._lesson.schedule.averaging and state.step:
            model.optimizer.finalize_variable_values(model.trainable_variables)
        lesson = self._lesson
        figures = validate(lesson.judged, lesson.held_out, lesson.cache, side_px=lesson.side_px)
        best = max((earlier[RETRIEVAL] for _, earlier in state.validations), default=-1.0)
        state.validations.append((state.step, figures))
        if figures[RETRIEVAL] > best:
            state.best_step = state.step
            save_weights(lesson.judged, lesson.directory / _BEST)
        for variable, value in zip(model.trainable_variables, now, strict=True):
            variable.assign(value)
        logger.info("step %d: %s", state.step, ", ".join(f"{name} {value:.3f}" for name, value in figures.items()))
        self._keep()

    def validations_since_best(self) -> int:
        return sum(step > self.state.best_step for step, _ in self.state.validations)

    def load_best(self) -> None:
        if self.state.validations:
            load_weights(self._lesson.judged, self._lesson.directory / _BEST)

    def _keep(self) -> None:
        self._checkpoint.write(self.state, self._variables)
        self._kept = self._clock()


def save_weights(model: keras.Model, path: Path) -> None:
    """All weights of a model as numbers, float32, in one file that replaces an older one at once."""
    draft = path.with_suffix(".part")
    arrays: dict[str, Any] = {f"{place:05d}": np.asarray(each) for place, each in enumerate(model.variables)}
    with draft.open("wb") as file:
        np.savez(file, **arrays)
    draft.replace(path)


def load_weights(model: keras.Model, path: Path) -> None:
    """Put the weights of ``save_weights`` back."""
    with np.load(path, allow_pickle=False) as arrays:
        for place, variable in enumerate(model.variables):
            variable.assign(arrays[f"{place:05d}"])


def identity_of(recipe: Recipe, ids: Sequence[str]) -> str:
    """SHA-256 of a recipe and the products it trains on."""
    digest = hashlib.sha256(recipe.model_dump_json().encode())
    for product_id in ids:
        digest.update(product_id.encode() + b"\0")
    return digest.hexdigest()
