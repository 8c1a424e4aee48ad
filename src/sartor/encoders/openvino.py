"""OpenVINO: the default runtime, for Intel and other processors, GPUs and NPUs that it knows."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import openvino as ov
from openvino.preprocess import ColorFormat, PrePostProcessor

from sartor.choices import ChannelOrder, Precision
from sartor.encoders.base import Port, Signature
from sartor.errors import DeviceUnavailable, UnusableModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from sartor.encoders.base import Pixels
    from sartor.encoders.card import ModelCard
    from sartor.types import Matrix

# MobileNetV2 at float32 on 2 cores: 152 photos/s in batches of 8, 144 at 16, 147 at 32: the smallest that
# keeps the device busy costs the least memory.
_BATCH_SIZE = 16
_PROCESSOR, _MATRIX_UNITS = Path("/proc/cpuinfo"), "amx_bf16"  # as Linux tells them


def signature(file: Path) -> Signature:
    """Read what a network takes and gives, without running it.

    Raises:
        UnusableModel: The file is no network that OpenVINO can read.
    """
    model = _read(ov.Core(), file)
    return Signature(
        inputs=tuple(_port(port) for port in model.inputs),
        outputs=tuple(_port(port) for port in model.outputs),
    )


def devices() -> tuple[str, ...]:
    """Devices that OpenVINO finds here, in lower case, such as ``cpu``, ``gpu``, ``npu``."""
    return tuple(dict.fromkeys(name.split(".")[0].lower() for name in ov.Core().available_devices))


class _Program(NamedTuple):
    """A compiled network, and its requests that run nothing, since making one takes 0.2 ms."""

    compiled: Any
    idle: list[Any]


class OpenVinoRuntime:
    """A network on a device that OpenVINO drives.

    Pixel scaling, channel order and layout are compiled into the network, so bytes go in as they are. Programs
    are compiled when first needed, for the outputs that are asked for and nothing else: for a single photo one
    that uses all cores for the shortest answer, for batches of any size one that runs several side by side.
    """

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
        # Two threads that make the first call of this at once wait for each other for ever: one holds a guard of
        # pybind11 and wants the interpreter, the other the reverse (OpenVINO 2026.4). Here there is one thread.
        ov.Type.u8.to_dtype()
        self._core = ov.Core()
        self._file = file
        self._card = card
        self._device = device.upper()
        if device not in devices():
            raise DeviceUnavailable(device, available=devices())
        can_bf16 = "BF16" in self._core.get_property(self._device, "OPTIMIZATION_CAPABILITIES")
        self._precision = _choose(precision, can_bf16=can_bf16, device=device)
        self._more = _options(threads) if self._device == "CPU" else {}
        self._programs: dict[tuple[bool, tuple[str, ...]], _Program] = {}
        self._compiling = Lock()
        self.description = f"openvino {ov.__version__.split('-')[0]}, {device}, {self._precision}"

    @cached_property
    def streams(self) -> int:
        """Batches that the device runs side by side."""
        program = self._program((self._card.output,), single=False)
        return int(program.compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))

    def infer(self, pixels: Pixels) -> Matrix:
        """Run the network on ``(n, h, w, 3)`` uint8 RGB; returns ``(n, d)`` float32."""
        return self.infer_outputs(pixels, (self._card.output,))[self._card.output]

    def infer_outputs(self, pixels: Pixels, names: Sequence[str]) -> dict[str, npt.NDArray[np.float32]]:
        """Run the network once, and return several of its outputs by name, ``(n, ...)`` each."""
        program = self._program(tuple(names), single=len(pixels) == 1)
        try:
            request = program.idle.pop()  # its own until it is put back: a request runs once at a time
        except IndexError:
            request = program.compiled.create_infer_request()
        result = request.infer({0: pixels}, share_inputs=True)
        found = {name: np.asarray(result[name], np.float32) for name in names}
        program.idle.append(request)
        return found

    def _program(self, names: tuple[str, ...], *, single: bool) -> _Program:
        with self._compiling:  # several threads ask for the first one at once
            if (single, names) not in self._programs:
                batch, hint = (1, "LATENCY") if single else (-1, "THROUGHPUT")
                self._programs[single, names] = _Program(self._compile(names, batch=batch, hint=hint), [])
            return self._programs[single, names]

    def _compile(self, names: tuple[str, ...], *, batch: int, hint: str) -> Any:
        model = _read(self._core, self._file)
        try:
            model = ov.Model([model.output(name) for name in names], model.get_parameters(), self._card.id)
            model = _with_preprocessing(model, self._card, batch=batch)
            return self._core.compile_model(
                model,
                self._device,
                {"INFERENCE_PRECISION_HINT": self._precision.value, "PERFORMANCE_HINT": hint} | self._more,
            )
        except RuntimeError as error:
            raise UnusableModel(self._file, reason=_first_line(error)) from error


def _options(threads: int) -> dict[str, Any]:
    # Where weights are stored in eight bits, OpenVINO would round their inputs to eight bits, too.
    options: dict[str, Any] = {"DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}
    if threads:  # other processes have the other cores, and pinned threads of all would sit on the first ones
        options |= {"INFERENCE_NUM_THREADS": threads, "ENABLE_CPU_PINNING": False}
    return options


def _choose(precision: Precision, *, can_bf16: bool, device: str) -> Precision:
    # Without hardware for it, OpenVINO emulates bf16: 63 photos/s instead of 150 for MobileNetV2. With AVX-512
    # instructions alone it is slower than float32, too, by up to a third: `python -m benchmarks runtimes`.
    if precision is Precision.BF16 and not can_bf16:
        raise DeviceUnavailable(f"{device} with bf16", available=(f"{device} with f32",))
    if precision is Precision.AUTO:
        return Precision.BF16 if can_bf16 and _has_matrix_units() else Precision.F32
    return precision


def _has_matrix_units() -> bool:
    """Whether the processor has AMX; False if unknown."""
    try:
        return _MATRIX_UNITS in _PROCESSOR.read_text(encoding="utf-8").split()
    except OSError:
        return False


def _read(core: Any, file: Path) -> Any:
    try:
        return core.read_model(file)
    except RuntimeError as error:
        raise UnusableModel(file, reason=f"OpenVINO cannot read it ({_first_line(error)})") from error


def _with_preprocessing(model: Any, card: ModelCard, *, batch: int) -> Any:
    height_px, width_px = card.size_px
    spatial = {"N": batch, "H": height_px, "W": width_px, "C": 3}
    model.reshape([spatial[axis] for axis in card.layout.value])
    pipeline = PrePostProcessor(model)
    source = pipeline.input()
    source.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC")).set_color_format(ColorFormat.RGB)
    source.model().set_layout(ov.Layout(card.layout.value))
    steps = source.preprocess().convert_element_type(ov.Type.f32)
    if card.scaling.channel_order is ChannelOrder.BGR:
        steps = steps.convert_color(ColorFormat.BGR)
    steps.mean(list(card.scaling.mean)).scale(list(card.scaling.std))
    return pipeline.build()


def _port(port: Any) -> Port:
    shape = tuple(axis.get_length() if axis.is_static else None for axis in port.partial_shape)
    return Port(name=min(port.names, default=""), shape=shape)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
