"""Weights of a network: the official ones, fetched by Keras, and random ones for tests and benchmarks."""

from __future__ import annotations

import logging
import re
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from sartor.choices import Pooling
from sartor.encoders.card import PixelScaling
from sartor.encoders.keras.backend import keras, plain_keras
from sartor.encoders.keras.model import build
from sartor.errors import WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from sartor.encoders.networks import KerasNetwork


logger = logging.getLogger(__name__)


_TIMEOUT_S = 20.0  # of a server that does not answer


def official_weights(network: KerasNetwork) -> Path:
    """The file with the official weights of a network.

    Keras checks the file's hash, if it has one, and fetches a file again that does not match. Without a hash, a
    file that a killed process left incomplete is detected by its length, which HDF5 records.

    Raises:
        WeightsUnavailable: They are not in the cache and cannot be fetched.
    """
    file = _fetch(network)
    if _is_whole(file):
        return file
    logger.warning("%s is incomplete and is fetched again", file)
    file = _fetch(network, again=True)
    if _is_whole(file):
        return file
    file.unlink()
    raise WeightsUnavailable(network.name, reason=f"{network.weights_url} is not a whole HDF5 file")


def _fetch(network: KerasNetwork, *, again: bool = False) -> Path:
    try:
        with plain_keras(), _socket_timeout():
            file = keras.utils.get_file(
                origin=network.weights_url,
                file_hash=network.weights_hash,
                cache_subdir="models",
                force_download=again,
            )
    except Exception as error:
        raise WeightsUnavailable(network.name, reason=_reason(error)) from error
    return Path(file)


@contextmanager
def _socket_timeout() -> Iterator[None]:
    # Keras calls urlretrieve, which takes no timeout and would wait forever for a server that does not answer.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _is_whole(file: Path) -> bool:
    try:
        h5py.File(file).close()
    except OSError:
        return False
    return True


def _reason(error: Exception) -> str:
    # Keras raises a bare Exception "URL fetch failure on URL: None -- reason" for all that urllib reports.
    first_line = str(error).strip().partition("\n")[0]
    words = re.sub(r".* -- |\[Errno -?\d+\] ", "", first_line).rstrip(".")
    return words or type(error).__name__


def save_random_weights(network: KerasNetwork, file: Path, *, rng: np.random.Generator) -> None:
    """Write a ``.weights.h5`` file in which every array affects the output.

    Keras starts many arrays at 0 or 1, and ConvNeXt's layer scale at 1e-6, so a test would not notice a network
    that ignores them. Here all are drawn, and batch normalization is fitted to color blocks, so that the signal of
    a photo neither vanishes nor explodes.
    """
    model = build(network, pooling=Pooling.AVG)
    for variable in model.variables:
        if "float" in variable.dtype:
            variable.assign(_draw(variable.name, variable.shape, rng))
    with plain_keras():
        _fit_batch_normalization(model, _color_blocks(network, rng))
        model.save_weights(file, overwrite=True)


def _draw(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    if len(shape) > 1:
        is_depthwise = shape[-1] == 1
        inputs = np.prod(shape[:2] if is_depthwise else shape[:-1])
        return rng.normal(0, np.sqrt(2 / inputs), shape)  # He et al. 2015
    if name in {"gamma", "variance"}:
        return rng.uniform(0.5, 1.5, shape)
    return rng.normal(0, 0.1, shape)


def _color_blocks(network: KerasNetwork, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    # Even noise would average out in the deep layers, and their statistics with it.
    cell_px = network.size_px // 8 + 1
    blocks = rng.uniform(0, 255, (2, 8, 8, 3)).repeat(cell_px, axis=1).repeat(cell_px, axis=2)
    scaling = PixelScaling.named(network.scaling)
    photos = blocks[:, : network.size_px, : network.size_px]
    return ((photos - scaling.mean) / scaling.std).astype(np.float32)


def _fit_batch_normalization(model: keras.Model, inputs: npt.NDArray[np.float32]) -> None:
    normalizations = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    if not normalizations:
        return
    for layer in normalizations:
        layer.momentum = 0.0  # so that one batch is enough

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        return layer(*args, **kwargs, training=True) if layer in normalizations else layer(*args, **kwargs)

    keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)(inputs)
