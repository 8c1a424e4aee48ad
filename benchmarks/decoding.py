"""Photos decoded and made ready for a network: Sartor beside plain Pillow and beside Keras, as tutorials do it."""

from __future__ import annotations

import os
import time
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated
from zipfile import ZipFile

import numpy as np
import typer

from benchmarks.data import PEOPLES_PHOTOS, PHOTOS_224, SHARED_DATA, Data, data_file
from benchmarks.own_process import OwnProcess
from benchmarks.report import Figure, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from sartor.encoders.card import ModelCard

_SOURCES = {"shop photos, 224 px": PHOTOS_224, "people's photos, about 400 x 533 px": PEOPLES_PHOTOS}
_SIZE_PX = (224, 224)
_WARM_UP = 32
_OURS, _PILLOW, _KERAS = "sartor", "pillow", "keras"
_OURS_V1 = "sartor, for sartor-v1 at 128 px"


def decoding(
    *,
    data: Data = SHARED_DATA,
    photos: Annotated[int, typer.Option(min=10, help="Photos of each kind in a round.")] = 1000,
    rounds: Annotated[int, typer.Option(min=1, help="How often each decodes them.")] = 5,
) -> Report:
    """Decode photos to 224 x 224 pixels, one after the other in one thread."""
    samples: dict[str, list[float]] = {}
    with TemporaryDirectory() as directory, OwnProcess() as process, OwnProcess() as tutorial:
        for kind, archive in _SOURCES.items():
            files = _unpack(data_file(data, archive), Path(directory) / archive, _WARM_UP + photos)
            for _ in range(rounds):
                for name, one in _WAYS.items():
                    where = tutorial if name == _KERAS else process
                    rate = where.call(photos_per_second, one, files)
                    samples.setdefault(f"{kind}: {name}", []).append(rate)
    figures = {name: Figure.of(rates, "photos/s") for name, rates in samples.items()}
    return Report(
        name="decoding",
        options={"photos": photos, "rounds": rounds},
        warm_up=f"{_WARM_UP} other photos before each round",
        figures=figures,
        ratios={
            f"{kind}: {_OURS} / {peer}": figures[f"{kind}: {_OURS}"].median / figures[f"{kind}: {peer}"].median
            for kind in _SOURCES
            for peer in (_PILLOW, _KERAS)
        },
        notes=(
            "Files are in the system's cache. All take turns, in one thread each; indexing decodes in several.",
            "Sartor also checks the file's kind, its limits, orientation and transparency.",
            "Keras takes the nearest pixels, and scales them to the network's input, as ours has the network do.",
        ),
    )


def photos_per_second(decode_one: Callable[[Path], object], files: Sequence[Path]) -> float:
    """Rate of a way to decode, over all files after the first few."""
    for file in files[:_WARM_UP]:
        decode_one(file)
    started_s = time.perf_counter()
    for file in files[_WARM_UP:]:
        decode_one(file)
    return (len(files) - _WARM_UP) / (time.perf_counter() - started_s)


def _by_sartor(file: Path) -> npt.NDArray[np.uint8]:
    return _prepared(file, _SIZE_PX)


def _by_sartor_v1(file: Path) -> npt.NDArray[np.uint8]:
    return _prepared(file, None)


def _prepared(file: Path, size_px: tuple[int, int] | None) -> npt.NDArray[np.uint8]:
    from sartor.encoders.encoder import prepare
    from sartor.imaging.decode import decode

    card = _card(size_px)
    return prepare(decode(file.read_bytes(), name=file.name, fit_px=max(card.size_px)).image, card)


@cache
def _card(size_px: tuple[int, int] | None) -> ModelCard:
    """The bundled model's, for another size of photos where one is given."""
    from sartor.encoders.card import CARD_FILE, ModelCard
    from sartor.encoders.registry import DEFAULT_MODEL, DIRECTORY

    card = ModelCard.read(DIRECTORY / DEFAULT_MODEL / CARD_FILE)
    return card.model_copy(update={"size_px": size_px}) if size_px else card


def _by_pillow(file: Path) -> npt.NDArray[np.uint8]:
    from PIL import Image

    return np.asarray(Image.open(file).convert("RGB").resize(_SIZE_PX))


def _by_keras(file: Path) -> npt.NDArray[np.float32]:
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    image = keras.utils.load_img(file, target_size=_SIZE_PX)
    expanded = np.expand_dims(keras.utils.img_to_array(image), axis=0)
    return keras.applications.resnet50.preprocess_input(expanded)


_WAYS = {_OURS: _by_sartor, _OURS_V1: _by_sartor_v1, _PILLOW: _by_pillow, _KERAS: _by_keras}


def _unpack(archive: Path, directory: Path, count: int) -> list[Path]:
    """Photos of an archive, spread over it."""
    with ZipFile(archive) as photos:
        names = [name for name in photos.namelist() if name.endswith(".jpg")]
        chosen = names[:: max(1, len(names) // count)][:count]
        photos.extractall(directory, chosen)
    return [directory / name for name in chosen]
