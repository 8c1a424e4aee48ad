"""The training loop: steps, validations, checkpoints, and when to stop."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sartor.encoders.keras.backend import keras
from sartor.errors import UnusableCheckpoint
from sartor.evaluation.metrics import agreement, joint_agreement
from sartor.evaluation.ranking import nearest
from sartor.ingest.photos import batched
from sartor.training.augment import plain_view
from sartor.training.dataset import values_of
from sartor.training.network import EMBEDDING, embed
from sartor.training.objective import PRODUCT, Learner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.evaluation.relevance import Labels
    from sartor.training.batches import Batch
    from sartor.training.dataset import Item, Target
    from sartor.training.photos import PhotoCache
    from sartor.training.recipe import LabelMap, Recipe, Schedule

    Embeddings = npt.NDArray[np.float32]

NEIGHBORS = 5
RETRIEVAL = "retrieval"  # the figure that decides: the mean over the attributes, and over all of them at once
SAME_PRODUCT = "same product"
_FILE = "checkpoint.npz"
_STATE = "state"
_BEST = "best.weights.npz"
_BATCH = 64
_REPORT_EVERY = 10
_CHECKPOINT_EVERY_S = 120.0

logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class State:
    """How far a training is; checkpoints have the fields' names.

    Attributes:
        step: Steps done.
        recipe: SHA-256 of the recipe and the ids of the training products.
        elapsed_s: Time spent so far, in all runs together.
        losses: Step, and mean loss since the entry before.
        validations: Step, and figures by name.
        best_step: Step of the best retrieval figure so far.
    """

    step: int = 0
    recipe: str = ""
    elapsed_s: float = 0.0
    losses: list[tuple[int, float]] = field(default_factory=list)
    validations: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    best_step: int = 0


class Checkpoint:
    """A file with the state and every variable of the model and its optimizer."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / _FILE

    def write(self, state: State, variables: Sequence[keras.Variable]) -> None:
        """Replace the checkpoint."""
        arrays = _numbered(variables)
        arrays[_STATE] = np.frombuffer(json.dumps(asdict(state)).encode(), dtype=np.uint8)
        draft = self._file.with_suffix(".part")
        with draft.open("wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._file)

    def exists(self) -> bool:
        """Whether there is a checkpoint."""
        return self._file.is_file()

    def read(self, variables: Sequence[keras.Variable], *, recipe: str) -> State:
        """Assign the variables, and return the state.

        Raises:
            UnusableCheckpoint: It is damaged, or from another recipe or other products.
        """
        try:
            with self._file.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                state = State(**json.loads(arrays[_STATE].tobytes()))
                values = [arrays[f"{number:05d}"] for number in range(len(variables))]
        except Exception as error:
            raise UnusableCheckpoint(self._file, reason="it is damaged") from error
        if state.recipe != recipe:
            raise UnusableCheckpoint(self._file, reason="it is of another recipe or of other products")
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        state.losses = [(step, loss) for step, loss in state.losses]  # JSON has lists
        state.validations = [(step, figures) for step, figures in state.validations]
        return state


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingProgress:
    """What is reported of a running training.

    Attributes:
        step: Steps done.
        steps: Number of all steps.
        loss: Mean since the report before.
        figures: Of the last validation.
        left_s: Expected time to the end.
    """

    step: int
    steps: int
    loss: float
    figures: dict[str, float]
    left_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """Held-out products with one photo each as the gallery, and another photo of those that have two.

    Attributes:
        items: The products.
        labels: Value of each product by attribute, ``(n,)``; empty if unknown.
        photos: Key of the photo of each product in the gallery, ``(n,)``.
        others: Row of a product, and key of its second photo.
    """

    items: tuple[Item, ...]
    labels: dict[str, Labels]
    photos: tuple[str, ...]
    others: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, items: Sequence[Item], names: Sequence[str], maps: Sequence[LabelMap], *, limit: int) -> HeldOut:
        """Up to ``limit`` products, those with two photos first."""
        chosen = tuple(sorted(items, key=lambda item: -len(item.photos))[:limit])
        return cls(
            items=chosen,
            labels={name: values_of(chosen, name, maps) for name in names},
            photos=tuple(item.photos[0] for item in chosen),
            others=tuple((row, item.photos[-1]) for row, item in enumerate(chosen) if len(item.photos) > 1),
        )


def validate(model: keras.Model, held_out: HeldOut, cache: PhotoCache, *, side_px: int) -> dict[str, float]:
    """Figures of retrieval among the products, by name, each from 0 to 1."""
    keys = [*held_out.photos, *(key for _, key in held_out.others)]
    outputs = embed_keys(model, keys, cache, side_px=side_px, outputs=(EMBEDDING, *held_out.labels))
    gallery, others = np.split(outputs[EMBEDDING], [len(held_out.photos)])
    return retrieval_figures(gallery, held_out.labels) | same_product(others, gallery, held_out.others)


def retrieval_figures(gallery: Embeddings, labels: dict[str, Labels]) -> dict[str, float]:
    """Mean agreement of ``(n, d)`` with their nearest: for each attribute, for all at once, and their mean."""
    if len(gallery) < 2:  # noqa: PLR2004
        return {RETRIEVAL: 0.0}
    near = nearest(gallery, gallery, k=NEIGHBORS, own=np.arange(len(gallery)))
    figures = {name: _mean(agreement(near, values, values)) for name, values in labels.items()}
    figures["all at once"] = _mean(joint_agreement(near, list(labels.values()), list(labels.values())))
    return {**figures, RETRIEVAL: float(np.nanmean(list(figures.values())))}


def same_product(others: Embeddings, gallery: Embeddings, products: Sequence[tuple[int, str]]) -> dict[str, float]:
    """How often a second photo's nearest in the gallery is its own product."""
    if not products:
        return {}
    near = nearest(others, gallery, k=1, own=np.full(len(others), -1))
    own = np.array([row for row, _ in products])
    return {SAME_PRODUCT: float((near[:, 0] == own).mean())}


def embed_keys(
    model: keras.Model, keys: Sequence[str], cache: PhotoCache, *, side_px: int, outputs: Sequence[str]
) -> dict[str, Embeddings]:
    """Outputs of a model for photos of the cache without augmentation, in batches of one size."""
    return embed_views(model, (plain_view(cache.pixels(key), side_px=side_px) for key in keys), outputs=outputs)


def embed_views(
    model: keras.Model, views: Iterable[npt.NDArray[np.uint8]], *, outputs: Sequence[str]
) -> dict[str, Embeddings]:
    """Outputs of a model for photos as it takes them, ``(side_px, side_px, 3)`` each, in batches of one size."""
    parts: dict[str, list[Embeddings]] = {name: [] for name in outputs}
    for batch in batched(views, _BATCH):
        short = _BATCH - len(batch)
        found = embed(model, batch + [batch[-1]] * short, outputs=outputs)
        for name in outputs:
            parts[name].append(found[name][: len(batch)])
    return {name: np.concatenate(part) for name, part in parts.items()}


def _mean(values: npt.NDArray[np.float64]) -> float:
    return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")


class Steps(Protocol):
    """A source of steps."""

    def from_step(self, start: int, stop: int) -> Iterator[Batch]:
        """The steps from ``start`` to before ``stop``, in order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What the loop needs beside the model.

    Attributes:
        schedule: How long, and how fast.
        side_px: Side of the photos that ``judged`` takes.
        judged: The network that is validated and kept; the whole one if only a part of it learns.
        identity: Identifies this training in its checkpoints.
        steps: Maximum number of steps.
        batches: The source of steps.
        targets: The attributes, by training product.
        held_out: The products for validation.
        cache: Their photos.
        directory: Where checkpoints are.
        start_counts: Whether the initial weights are kept if no validation is better.
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
        UnusableCheckpoint: It cannot continue from the checkpoint that is there.
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
    """One run of the loop, and its counters."""

    def __init__(self, model: Learner, lesson: Lesson, *, clock: Callable[[], float]) -> None:
        self.state = State(recipe=lesson.identity)
        self._model, self._lesson, self._clock = model, lesson, clock
        self._variables = [*model.variables, *model.optimizer.variables]
        self._checkpoint = Checkpoint(lesson.directory)
        self._started = self._kept = clock()
        self._started_step, self._earlier_s = 0, 0.0
        self._losses: list[float] = []

    def go_on(self) -> None:
        """Continue from the last checkpoint, if there is one."""
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
    """Write all weights of a model, float32, into one file that replaces an older one at once."""
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        np.savez(file, **_numbered(model.variables))
    draft.replace(path)


def load_weights(model: keras.Model, path: Path) -> None:
    """Assign the weights that ``save_weights`` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        for number, variable in enumerate(model.variables):
            variable.assign(arrays[f"{number:05d}"])


def _numbered(variables: Sequence[keras.Variable]) -> dict[str, Any]:
    """Values of variables by their number, as files have them."""
    return {f"{number:05d}": np.asarray(variable) for number, variable in enumerate(variables)}


def identity_of(recipe: Recipe, ids: Sequence[str]) -> str:
    """SHA-256 of a recipe and the products it trains on."""
    digest = hashlib.sha256(recipe.model_dump_json().encode())
    for product_id in ids:
        digest.update(product_id.encode() + b"\0")
    return digest.hexdigest()
