"""From a trained encoder's weights to ONNX, where need be in a process of its own.

The converter reads TensorFlow's graphs. An encoder that JAX trained is built again from its weights file by a
second process, on TensorFlow: ``python -m sartor.training.convert DIR``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.encoders.card import MODEL_FILE
from sartor.encoders.keras.backend import BACKEND_VARIABLE, keras
from sartor.encoders.keras.export import in_eight_bits, with_small_weights
from sartor.errors import UnusableModel
from sartor.training.network import EMBEDDING, FEATURES, HIDDEN, NORM, Shape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]


_KEPT_BITS = 16  # of the 32 of a float, what bf16 has
_LEAST_VARIANCE = 1e-8
_MOST_CHANGE = 2.0


def round_weights(encoder: keras.Model, batches: Sequence[Floats]) -> None:
    """Round an encoder's kernels to what bf16 holds, and let its pooled features keep their mean and spread.

    Args:
        encoder: The encoder.
        batches: Photos as it takes them, ``(n, side_px, side_px, 3)`` each.
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
    change = (new_variance + _LEAST_VARIANCE) / (variance + _LEAST_VARIANCE)
    norm.moving_mean.assign(np.asarray(norm.moving_mean) + new_mean - mean)
    norm.moving_variance.assign(np.asarray(norm.moving_variance) * change.clip(1 / _MOST_CHANGE, _MOST_CHANGE))


def to_bf16(numbers: Floats) -> Floats:
    """The nearest numbers that bf16 holds, ties to even, as float32."""
    bits = numbers.astype(np.float32).view(np.uint32)
    odd = (bits >> _KEPT_BITS) & 1
    rounded = (bits + (1 << (_KEPT_BITS - 1)) - 1 + odd) >> _KEPT_BITS << _KEPT_BITS
    return rounded.astype(np.uint32).view(np.float32)


def _round(layer: Any, scale: Floats) -> None:
    usable = np.where(scale == 0, 1, scale)
    layer.kernel.assign(to_bf16(np.asarray(layer.kernel) * usable) / usable)


def _scale_behind(layer: Any) -> Floats:
    """What the batch norm behind a layer multiplies its channels with, ``(c,)``; 1 without one."""
    consumers = [node.operation for node in layer._outbound_nodes]  # noqa: SLF001 - Keras has no other way
    norms = [each for each in consumers if isinstance(each, keras.layers.BatchNormalization)]
    if len(norms) != 1 or len(consumers) != 1:
        return np.ones(1, np.float32)
    (norm,) = norms
    spread = np.sqrt(np.asarray(norm.moving_variance) + norm.epsilon)
    gamma = np.asarray(norm.gamma) if norm.scale else np.ones_like(spread)
    return np.asarray(gamma / spread, np.float32)


def _moments(pooled: keras.Model, batches: Sequence[Floats]) -> tuple[Floats, Floats]:
    found = np.concatenate([np.asarray(pooled.predict_on_batch(batch)) for batch in batches])
    return found.mean(axis=0), found.var(axis=0)


_PLAN = "network.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an encoder is built from, beside its weights.

    Attributes:
        id: Name of the network that comes out.
        base: Network that it stands on.
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
    """The same in a process of its own, on TensorFlow.

    Raises:
        UnusableModel: That process failed.
    """
    file = directory / _PLAN
    file.write_text(json.dumps(asdict(plan)), encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - nothing in it comes from outside
        [sys.executable, "-m", "sartor.training.convert", str(directory)],
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


def _main(directory: Path) -> None:
    from sartor.training.start import rebuilt

    content = json.loads((directory / _PLAN).read_text(encoding="utf-8"))
    plan = Plan(**content | {"shape": Shape(**content["shape"])})
    _write(rebuilt(plan.base, plan.shape, directory), plan, directory)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
