"""Networks by runtime and precision: photos a second, the time of one photo, and whether all say the same."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated
from zipfile import ZipFile

import numpy as np
import typer

from benchmarks.data import MOBILENET_V2_FILE, PHOTOS_224, SHARED_DATA, Data, data_file
from benchmarks.own_process import OwnProcess
from benchmarks.report import Figure, Report
from benchmarks.workspaces import add_mobilenet_v2, add_random_keras

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sartor.encoders.base import Pixels
    from sartor.encoders.encoder import Encoder
    from sartor.types import Matrix

_BUNDLED, _OF_THE_DATA = "sartor-v1", "mobilenet_v2"
_RANDOM = ("resnet50", "efficientnet_b0", "convnext_tiny", "vgg16", "inception_v3")
_NETWORKS = (_BUNDLED, _OF_THE_DATA, "resnet50")
_RUNTIMES = (("openvino", "f32"), ("openvino", "bf16"), ("onnxruntime", "f32"))
_FIRST = "openvino f32"
_WARM_UP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What one network did in one runtime.

    Attributes:
        rates: Photos per second of each round, in batches.
        each_ms: Times of photos one by one.
        vectors: Embeddings of the photos, ``(n, d)``.
    """

    rates: list[float]
    each_ms: list[float]
    vectors: Matrix


@dataclass(slots=True)
class _Found:
    """What is found, as it comes."""

    figures: dict[str, Figure] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def runtimes(
    *,
    data: Data = SHARED_DATA,
    networks: Annotated[
        list[str] | None,
        typer.Option(help=f"Of {', '.join((_BUNDLED, _OF_THE_DATA, *_RANDOM))}; repeatable."),
    ] = None,
    photos: Annotated[int, typer.Option(min=16, help="Photos in a round of batches.")] = 256,
    rounds: Annotated[int, typer.Option(min=1, help="How often they are embedded in batches.")] = 3,
    singles: Annotated[int, typer.Option(min=1, help="Photos one by one.")] = 60,
) -> Report:
    """Embed prepared photos with each network in each runtime, in a process of its own each."""
    chosen, found = _known(networks or list(_NETWORKS)), _Found()
    with TemporaryDirectory() as directory:
        for name in chosen:
            home = Path(directory) / name
            _add(home, name, data)
            _compare(found, name, home, _photos(data_file(data, PHOTOS_224), photos), (rounds, singles))
    return Report(
        name="runtimes",
        options={"networks": ", ".join(chosen), "photos": photos, "rounds": rounds, "singles": singles},
        warm_up=f"all photos in batches once, and {_WARM_UP} photos one by one",
        figures=found.figures,
        ratios=found.ratios,
        notes=(
            "Photos are decoded and resized before; scaling is in the time. Batches are as indexing has them.",
            "Cosines are the lowest over all photos, with the embedding by OpenVINO in float32.",
            "Networks other than sartor-v1 and mobilenet_v2 have random weights, which changes no time.",
            "Those of efficientnet_b0 make rounding loud: one pixel, one level brighter, means a cosine of 0.93.",
            *dict.fromkeys(found.notes),
        ),
    )


def _compare(found: _Found, name: str, home: Path, photos: list[bytes], counts: tuple[int, int]) -> None:
    first = None
    for runtime, precision in _RUNTIMES:
        how = f"{runtime} {precision}"
        if find_spec(runtime) is None:
            found.notes.append(f"{runtime} is not installed.")
            continue
        with OwnProcess() as process:
            run = process.call(_run, home, name, (runtime, precision), photos, counts)
        if run is None:
            found.notes.append(f"{how} is not measured: the processor does not compute with it.")
            continue
        first = first or run
        found.figures |= dict(_figures(f"{name}: {how}", run, first.vectors))
        if run is not first:
            found.ratios |= dict(_ratios(found.figures, name, how))


def _figures(start: str, run: _Run, agreed: Matrix) -> Iterator[tuple[str, Figure]]:
    yield f"{start}: batches", Figure.of(run.rates, "photos/s")
    yield f"{start}: one photo", Figure.of(run.each_ms, "ms")
    cosines = (run.vectors * agreed).sum(axis=1)
    yield f"{start}: agreement", Figure.of([float(cosines.min())], "cosine")


def _ratios(figures: dict[str, Figure], name: str, how: str) -> Iterator[tuple[str, float]]:
    for what in ("batches", "one photo"):
        theirs, first = (figures[f"{name}: {each}: {what}"].median for each in (how, _FIRST))
        yield f"{name}: {how}: {what} / {_FIRST}", theirs / first


def _run(
    home: Path, name: str, arithmetic: tuple[str, str], photos: list[bytes], counts: tuple[int, int]
) -> _Run | None:
    """Embed the photos with a model of a workspace; None where the processor lacks the arithmetic."""
    from sartor.choices import Precision, RuntimeChoice
    from sartor.config import Settings
    from sartor.errors import DeviceUnavailable
    from sartor.imaging.decode import decode
    from sartor.shop.library import open_encoder, open_models

    runtime, precision = arithmetic
    rounds, singles = counts
    settings = Settings(home=home, runtime=RuntimeChoice(runtime), precision=Precision(precision))
    models = open_models(settings)
    with open_encoder(settings, models, models.card(name)) as encoder:
        pixels = [encoder.prepare(decode(photo, name="").image) for photo in photos]
        try:
            vectors = _in_batches(encoder, pixels)
        except DeviceUnavailable:
            return None
        rates = [_rate(encoder, pixels) for _ in range(rounds)]
        alone = [pixels[number % len(pixels)] for number in range(_WARM_UP + singles)]
        each_ms = [_milliseconds(encoder, photo) for photo in alone][_WARM_UP:]
    return _Run(rates=rates, each_ms=each_ms, vectors=vectors)


def _in_batches(encoder: Encoder, pixels: Sequence[Pixels]) -> Matrix:
    """As indexing does: as many batches side by side as the device likes."""
    waiting, embedded = deque(), []
    for start in range(0, len(pixels), encoder.batch_size):
        if len(waiting) > encoder.runtime.streams:
            embedded.append(waiting.popleft().result())
        waiting.append(encoder.submit(pixels[start : start + encoder.batch_size]))
    return np.concatenate([*embedded, *(future.result() for future in waiting)])


def _rate(encoder: Encoder, pixels: Sequence[Pixels]) -> float:
    started_s = time.perf_counter()
    _in_batches(encoder, pixels)
    return len(pixels) / (time.perf_counter() - started_s)


def _milliseconds(encoder: Encoder, photo: Pixels) -> float:
    started_s = time.perf_counter()
    encoder.embed_pixels([photo])
    return 1000 * (time.perf_counter() - started_s)


def _known(networks: list[str]) -> list[str]:
    known = (_BUNDLED, _OF_THE_DATA, *_RANDOM)
    for name in networks:
        if name not in known:
            message = f"there is no network {name}; there are {', '.join(known)}"
            raise typer.BadParameter(message)
    return networks


def _add(home: Path, name: str, data: Path) -> None:
    home.mkdir()
    if name == _OF_THE_DATA:
        add_mobilenet_v2(home, data_file(data, MOBILENET_V2_FILE))
    elif name != _BUNDLED:
        with OwnProcess() as process:
            process.call(add_random_keras, home, name, home / f"{name}.weights.h5")


def _photos(archive: Path, count: int) -> list[bytes]:
    with ZipFile(archive) as photos:
        names = [name for name in photos.namelist() if name.endswith(".jpg")]
        return [photos.read(name) for name in names[:count]]
