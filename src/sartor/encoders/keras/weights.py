"""The official weights of a network, fetched by Keras."""

from __future__ import annotations

import logging
import re
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from sartor.encoders.keras.backend import keras, plain_keras
from sartor.errors import WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

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
