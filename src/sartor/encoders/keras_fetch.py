"""The official ImageNet weights: from Keras' cache, or fetched into it once by Keras.

The cache is the one of ``keras.applications`` (``~/.keras/models``, or below ``KERAS_HOME``), so what another
program has fetched is not fetched again.
"""

from __future__ import annotations

import logging
import re
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from sartor.encoders.keras_backend import keras, plain_keras
from sartor.errors import WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sartor.encoders.keras_networks import KerasNetwork

logger = logging.getLogger(__name__)

_SILENCE_S = 20.0  # a server that says nothing for so long is given up


def official_weights(network: KerasNetwork) -> Path:
    """The file with the official weights of a network.

    Keras checks the file's hash where it has one, and fetches again what does not match. A file without a hash
    that an earlier process was killed over is found out by its length, which HDF5 records.

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
        with plain_keras(), _impatience():
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
def _impatience() -> Iterator[None]:
    # Keras calls urlretrieve, which takes no timeout and would wait for ever for a server that does not answer.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_SILENCE_S)
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
