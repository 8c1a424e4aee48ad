"""A trained encoder as files: the ONNX network, its card, and the weights that a later training starts from.

The converter reads TensorFlow's graphs. An encoder that JAX trained is built again from its weights file by a
second process, on TensorFlow: ``python -m sartor.training.export DIR``.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.choices import Layout
from sartor.encoders.card import (
    CARD_FILE,
    FOREGROUND_FILE,
    MODEL_FILE,
    WEIGHTS_FILE,
    Measured,
    ModelCard,
    PixelScaling,
    TrainingRecord,
)
from sartor.encoders.keras.backend import BACKEND_VARIABLE, keras
from sartor.encoders.keras.export import in_eight_bits, with_small_weights
from sartor.encoders.registry import sha256_of
from sartor.errors import UnusableModel
from sartor.training.foreground import write_foreground
from sartor.training.network import EMBEDDING, FEATURES, HIDDEN, NORM, Shape
from sartor.training.start import keep_weights, rebuilt, shape_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from sartor.encoders.card import AttributeHead, MatchCalibration
    from sartor.evaluation.intervals import Interval
    from sartor.training.loop import State
    from sartor.training.recipe import Recipe
    from sartor.training.start import Start

    Floats = npt.NDArray[np.float32]

_PACKAGES = ("sartor", "keras", "tensorflow-cpu", "numpy", "pillow")
_PLAN = "network.json"
_KEPT_BITS = 16  # of the 32 of a float, as in bf16
_MIN_VARIANCE = 1e-8
_MAX_CHANGE = 2.0  # of a variance, by rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is known of a trained encoder when it is exported.

    Attributes:
        recipe: How it was trained.
        start: What it started from.
        state: How far the training came.
        heads: What it predicts.
        calibration: From closeness to match.
        figures: On held-out products.
        base_figures: The same for what it started from.
        foreground: Weights of its foreground head; None without one.
        products: Number of products that it was trained on.
        photos: Number of their photos.
    """

    recipe: Recipe
    start: Start
    state: State
    heads: tuple[AttributeHead, ...]
    calibration: MatchCalibration | None
    figures: Mapping[str, Interval]
    base_figures: Mapping[str, Interval]
    products: int
    photos: int
    foreground: Mapping[str, npt.NDArray[np.float16]] | None = None


def export_encoder(model: keras.Model, directory: Path, outcome: Outcome) -> ModelCard:
    """Write ``model.onnx``, ``card.json``, ``weights.npz``, and ``foreground.npz`` if learned, into a directory.

    Raises:
        UnusableModel: The installed TensorFlow cannot be converted to ONNX.
    """
    keep_weights(model, directory / WEIGHTS_FILE)
    recipe, heads = outcome.recipe, outcome.heads
    plan = Plan(
        id=recipe.id,
        base=outcome.start.network.name,
        shape=shape_of(recipe, {head.name: len(head.classes) for head in heads}),
        outputs={head.name: head.output for head in heads},
    )
    write_onnx(model, plan, directory)
    if outcome.foreground is not None:
        write_foreground(directory / FOREGROUND_FILE, outcome.foreground)
    card = _card(model, directory, outcome)
    card.write(directory / CARD_FILE)
    return card


def _card(model: keras.Model, directory: Path, outcome: Outcome) -> ModelCard:
    recipe, start = outcome.recipe, outcome.start
    side_px = recipe.network.side_px
    return ModelCard(
        id=recipe.id,
        sha256=sha256_of(directory / MODEL_FILE),
        size_px=(side_px, side_px),
        layout=Layout.NHWC,
        scaling=PixelScaling.named(start.network.scaling),
        output=EMBEDDING,
        dimension=model.output[EMBEDDING].shape[-1],
        license=recipe.license,
        origin=f"sartor train, from {start.words}",
        attributes=outcome.heads,
        feature_maps=tuple(feature_outputs(model)),
        foreground_sha256=None if outcome.foreground is None else sha256_of(directory / FOREGROUND_FILE),
        calibration=outcome.calibration,
        training=TrainingRecord(
            base=start.network.name,
            multi_level=recipe.network.multi_level,
            hidden=recipe.network.hidden or 0,
            scale=recipe.objective.scale,
            started_from=start.words,
            split_seed=recipe.split.seed,
            split_share=recipe.split.share,
            data=recipe.data,
            products=outcome.products,
            photos=outcome.photos,
            steps=outcome.state.step,
            seconds=round(outcome.state.elapsed_s, 1),
            recipe=recipe.model_dump(mode="json"),
            figures=_measured(outcome.figures),
            base_figures=_measured(outcome.base_figures),
            versions={"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        ),
    )


def _measured(intervals: Mapping[str, Interval]) -> dict[str, Measured]:
    return {
        name: Measured(
            mean=round(each.mean, 4), low=round(each.low, 4), high=round(each.high, 4), count=each.count
        )
        for name, each in intervals.items()
        if each.count
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an encoder is built from, beside its weights.

    Attributes:
        id: Name of the exported network.
        base: Name of its base network.
        shape: Of its own layers.
        outputs: Name of the output with each attribute's logits.
    """

    id: str
    base: str
    shape: Shape
    outputs: Mapping[str, str]


def write_onnx(model: keras.Model, plan: Plan, directory: Path) -> None:
    """Write ``model.onnx`` beside the weights that ``keep_weights`` wrote.

    Raises:
        UnusableModel: The installed TensorFlow cannot be converted to ONNX.
    """
    if keras.config.backend() == "tensorflow":
        _write(model, plan, directory)
    else:
        write_elsewhere(plan, directory)


def write_elsewhere(plan: Plan, directory: Path) -> None:
    """Write ``model.onnx`` in a separate process, on TensorFlow.

    Raises:
        UnusableModel: That process failed.
    """
    file = directory / _PLAN
    file.write_text(json.dumps(asdict(plan)), encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - nothing in it comes from outside
        [sys.executable, "-m", "sartor.training.export", str(directory)],
        env=os.environ | {BACKEND_VARIABLE: "tensorflow"},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    file.unlink()
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UnusableModel(plan.id, reason=f"it could not be converted to ONNX ({last})")


def feature_outputs(model: keras.Model) -> list[str]:
    """Names of the outputs with pooled feature maps, the finest first."""
    return [name for name in model.output if name.startswith(FEATURES)]


def _write(model: keras.Model, plan: Plan, directory: Path) -> None:
    from sartor.encoders.keras.export import to_onnx  # needs TensorFlow

    outputs = {name: model.output[name] for name in (EMBEDDING, *feature_outputs(model))}
    outputs |= {output: model.output[name] for name, output in plan.outputs.items()}
    network = with_small_weights(to_onnx(keras.Model(model.inputs[0], outputs), name=plan.id))
    (directory / MODEL_FILE).write_bytes(network.SerializeToString())


def round_weights(encoder: keras.Model, batches: Sequence[Floats]) -> None:
    """Round an encoder's kernels to bf16, and let its batch norm keep the mean and spread of pooled features.

    Args:
        encoder: The encoder.
        batches: Scaled photos, ``(n, side_px, side_px, 3)`` each.
    """
    norm = encoder.get_layer(NORM)
    pooled = keras.Model(encoder.inputs[0], norm.input)
    mean, variance = _moments(pooled, batches)
    for layer in encoder.layers:
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            _round(layer, _scale_behind(layer)[:, None])
        elif layer.name == HIDDEN:
            levels, factors = in_eight_bits(np.asarray(layer.kernel))
            layer.kernel.assign(levels * factors)
        elif isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            _round(layer, _scale_behind(layer))
    new_mean, new_variance = _moments(pooled, batches)
    change = (new_variance + _MIN_VARIANCE) / (variance + _MIN_VARIANCE)
    norm.moving_mean.assign(np.asarray(norm.moving_mean) + new_mean - mean)
    norm.moving_variance.assign(np.asarray(norm.moving_variance) * change.clip(1 / _MAX_CHANGE, _MAX_CHANGE))


def to_bf16(numbers: Floats) -> Floats:
    """The nearest bf16 numbers, ties to even, as float32."""
    bits = numbers.astype(np.float32).view(np.uint32)
    odd = (bits >> _KEPT_BITS) & 1
    rounded = (bits + (1 << (_KEPT_BITS - 1)) - 1 + odd) >> _KEPT_BITS << _KEPT_BITS
    return rounded.astype(np.uint32).view(np.float32)


def _round(layer: Any, scale: Floats) -> None:
    usable = np.where(scale == 0, 1, scale)
    layer.kernel.assign(to_bf16(np.asarray(layer.kernel) * usable) / usable)


def _scale_behind(layer: Any) -> Floats:
    """What the batch norm behind a layer multiplies its channels with, ``(c,)``; 1 if there is none."""
    consumers = [node.operation for node in layer._outbound_nodes]  # noqa: SLF001 - Keras has no other way
    norms = [layer for layer in consumers if isinstance(layer, keras.layers.BatchNormalization)]
    if len(norms) != 1 or len(consumers) != 1:
        return np.ones(1, np.float32)
    (norm,) = norms
    spread = np.sqrt(np.asarray(norm.moving_variance) + norm.epsilon)
    gamma = np.asarray(norm.gamma) if norm.scale else np.ones_like(spread)
    return np.asarray(gamma / spread, np.float32)


def _moments(pooled: keras.Model, batches: Sequence[Floats]) -> tuple[Floats, Floats]:
    features = np.concatenate([np.asarray(pooled.predict_on_batch(batch)) for batch in batches])
    return features.mean(axis=0), features.var(axis=0)


def _main(directory: Path) -> None:
    content = json.loads((directory / _PLAN).read_text(encoding="utf-8"))
    plan = Plan(**content | {"shape": Shape(**content["shape"])})
    _write(rebuilt(plan.base, plan.shape, directory), plan, directory)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
