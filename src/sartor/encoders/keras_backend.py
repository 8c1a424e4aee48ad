"""The one door to Keras and TensorFlow: on the back end that exports, and quiet.

Both read the environment while they are imported and never again, so it is set here, before the imports,
and nowhere else. Nothing imports this module before an export or a training needs it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

# Whatever a shell prefers: the ONNX converter reads TensorFlow's graphs.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Off, or TensorFlow 2.21 greets on stderr with "oneDNN custom operations are on", at any log level.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import keras
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["keras", "plain_keras", "tf"]


@contextmanager
def plain_keras() -> Iterator[None]:
    """Keras in float32, channels last and silent, whatever ``keras.json`` says; put back afterwards."""
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
