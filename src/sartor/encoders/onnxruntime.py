"""The ONNX Runtime adapter, for CUDA, CoreML and machines that OpenVINO does not support."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort

from sartor.choices import ChannelOrder, Layout, Precision
from sartor.encoders.base import Port, Signature
from sartor.errors import DeviceUnavailable, UnusableModel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.encoders.base import Pixels
    from sartor.encoders.card import ModelCard
    from sartor.types import Matrix

_PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
_BATCH_SIZE = 16


def signature(file: Path) -> Signature:
    """Read the inputs and outputs of a network, without running it.

    Raises:
        UnusableModel: ONNX Runtime cannot read the file.
    """
    session = _session(file, device="cpu")
    return Signature(
        inputs=tuple(_port(port) for port in session.get_inputs()),
        outputs=tuple(_port(port) for port in session.get_outputs()),
    )


def reads(file: Path) -> bool:
    """Whether the installed ONNX Runtime can load a network."""
    try:
        _session(file, device="cpu")
    except UnusableModel:
        return False
    return True


def devices() -> tuple[str, ...]:
    """Devices that this build of ONNX Runtime supports, the fastest first."""
    present = set(ort.get_available_providers())
    return tuple(device for device, provider in _PROVIDERS.items() if provider in present)


class OnnxRuntime:
    """A network on a device that ONNX Runtime drives; pixels are scaled in NumPy before it runs."""

    streams = 1  # a session uses all its threads by itself
    batch_size = _BATCH_SIZE

    def __init__(
        self,
        file: Path,
        card: ModelCard,
        *,
        device: str = "cpu",
        precision: Precision = Precision.AUTO,
        threads: int = 0,
    ) -> None:
        """``threads`` is how many a processor uses; 0 is one for each core."""
        if device not in devices():
            raise DeviceUnavailable(device, available=devices())
        if precision is Precision.BF16:
            raise DeviceUnavailable(f"{device} with bf16", available=(f"{device} with f32",))
        self._file = file
        self._card = card
        self._session = _session(file, device=device, threads=threads)
        self._input = self._session.get_inputs()[0].name
        self.description = f"onnxruntime {ort.__version__}, {device}, {Precision.F32}"

    def infer(self, pixels: Pixels) -> Matrix:
        """Run the network on ``(n, h, w, 3)`` uint8 RGB; returns ``(n, d)`` float32."""
        return self.infer_outputs(pixels, (self._card.output,))[self._card.output]

    def infer_outputs(self, pixels: Pixels, names: Sequence[str]) -> dict[str, npt.NDArray[np.float32]]:
        """Run the network once, and return several of its outputs by name, ``(n, ...)`` each."""
        try:
            results = self._session.run(list(names), {self._input: scale(pixels, self._card)})
        except Exception as error:
            # ONNX Runtime raises classes of its own C++ module, which share no base but Exception.
            raise UnusableModel(self._file, reason=_first_line(error)) from error
        return {name: np.asarray(result, np.float32) for name, result in zip(names, results, strict=True)}


def scale(pixels: Pixels, card: ModelCard) -> npt.NDArray[np.float32]:
    """Turn ``(n, h, w, 3)`` uint8 RGB into the network's input, in the card's layout and scaling."""
    ordered = pixels[..., ::-1] if card.scaling.channel_order is ChannelOrder.BGR else pixels
    mean = np.asarray(card.scaling.mean, np.float32)
    std = np.asarray(card.scaling.std, np.float32)
    scaled = (ordered.astype(np.float32) - mean) / std  # (n, h, w, 3)
    return scaled if card.layout is Layout.NHWC else np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def _session(file: Path, *, device: str, threads: int = 0) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors only: warnings about the graph do not help users
    providers = list(dict.fromkeys((_PROVIDERS[device], _PROVIDERS["cpu"])))
    try:
        return ort.InferenceSession(file, options, providers=providers)
    except Exception as error:
        raise UnusableModel(
            file, reason=f"ONNX Runtime cannot read it ({_first_line(error)}){_remedy(str(error))}"
        ) from error


def _port(port: Any) -> Port:
    return Port(name=port.name, shape=tuple(axis if isinstance(axis, int) else None for axis in port.shape))


def _remedy(error: str) -> str:
    """The way out for a network that was written with a newer ONNX than the runtime knows."""
    if "IR version" not in error and "opset" not in error.casefold():
        return ""
    return (
        "; export it with an older opset, convert it with onnx.version_converter and a lower ir_version, "
        "or set SARTOR_RUNTIME=openvino"
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
