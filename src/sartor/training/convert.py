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
from typing import TYPE_CHECKING

from sartor.encoders.card import MODEL_FILE
from sartor.encoders.keras_backend import BACKEND_VARIABLE, keras
from sartor.encoders.onnx_small import with_small_weights
from sartor.errors import UnusableModel
from sartor.training.network import EMBEDDING, FEATURES, Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    from sartor.encoders.keras_onnx import to_onnx  # needs TensorFlow

    outputs = {name: model.output[name] for name in (EMBEDDING, *feature_outputs(model))}
    outputs |= {output: model.output[name] for name, output in plan.outputs.items()}
    network = with_small_weights(to_onnx(keras.Model(model.inputs[0], outputs), name=plan.id))
    (directory / MODEL_FILE).write_bytes(network.SerializeToString())


def _main(directory: Path) -> None:
    from sartor.training.base import rebuilt

    content = json.loads((directory / _PLAN).read_text(encoding="utf-8"))
    plan = Plan(**content | {"shape": Shape(**content["shape"])})
    _write(rebuilt(plan.base, plan.shape, directory), plan, directory)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
