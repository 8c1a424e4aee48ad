"""The contract of an inference runtime, which the OpenVINO and ONNX Runtime adapters fulfill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from sartor.encoders.card import ModelCard
from sartor.types import Matrix  # noqa: TC001 - the signature below is read at run time

Pixels: TypeAlias = npt.NDArray[np.uint8]  # (h, w, 3) or (n, h, w, 3), RGB in 0..255


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """An input or output of a network; ``None`` in the shape is an axis of any length."""

    name: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The inputs and outputs of a network."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


class Runtime(Protocol):
    """A loaded network; thread-safe."""

    @property
    def description(self) -> str:
        """Runtime, device and precision in words, for reports."""
        ...

    @property
    def streams(self) -> int:
        """The number of parallel calls of ``infer`` that uses the device best."""
        ...

    @property
    def batch_size(self) -> int:
        """The number of photos in one call that uses the device best."""
        ...

    def infer(self, pixels: Pixels) -> Matrix:
        """Run the network on ``(n, h, w, 3)`` uint8 RGB; returns its output, ``(n, d)`` float32."""
        ...

    def infer_outputs(self, pixels: Pixels, names: Sequence[str]) -> dict[str, npt.NDArray[np.float32]]:
        """Run the network once, and return several of its outputs by name, ``(n, ...)`` each."""
        ...


LoadRuntime: TypeAlias = Callable[[Path, ModelCard], Runtime]
