"""Imports Keras and TensorFlow, quiet and on the back end that exports; all other modules import them from here.

Both read the environment only while they are imported, so it is set here before. This module is imported only for
an export or a training.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

BACKEND_VARIABLE = "SARTOR_KERAS_BACKEND"

# The ONNX converter reads TensorFlow's graphs, so KERAS_BACKEND is ignored. A training may use JAX.
os.environ["KERAS_BACKEND"] = os.environ.get(BACKEND_VARIABLE, "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextmanager
def _no_greeting() -> Iterator[None]:
    """TensorFlow 2.21 writes "oneDNN custom operations are on" to the descriptor of stderr, at any log level."""
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


with _no_greeting():
    import keras
    import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BACKEND_VARIABLE", "keras", "plain_keras", "tf"]


@contextmanager
def plain_keras() -> Iterator[None]:
    """Keras in float32, channels last and silent, regardless of ``keras.json``; restored afterwards."""
    config = keras.config
    floats, policy, layout = config.floatx(), config.dtype_policy(), config.image_data_format()
    talks = config.is_interactive_logging_enabled()
    config.set_floatx("float32")
    config.set_dtype_policy("float32")
    config.set_image_data_format("channels_last")
    config.disable_interactive_logging()
    try:
        yield
    finally:
        config.set_floatx(floats)
        config.set_dtype_policy(policy)
        config.set_image_data_format(layout)
        if talks:
            config.enable_interactive_logging()
