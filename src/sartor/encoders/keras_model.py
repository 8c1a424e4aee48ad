"""A Keras network with its weights: the architecture comes from code, the weights from a file, as data only.

No file that holds a model is ever loaded: such a file can carry code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from sartor.encoders.choices import Pooling
from sartor.encoders.keras_backend import keras, plain_keras
from sartor.errors import UnusableModel

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from sartor.encoders.keras_networks import KerasNetwork

_KERAS_3 = ".weights.h5"


def build(network: KerasNetwork, *, pooling: Pooling) -> keras.Model:
    """The network as Keras builds it for its ImageNet weights, without classifier, with random weights.

    Takes ``(n, h, w, 3)`` float32 scaled as the network expects, gives ``(n, d)`` float32.
    """
    application = getattr(keras.applications, network.class_name)
    with plain_keras():
        model = application(
            include_top=False,
            weights=None,
            input_shape=(network.size_px, network.size_px, 3),
            pooling=pooling.value,
        )
        if network.imagenet_scale is None:
            return model
        return _rescaled(model, list(network.imagenet_scale))


def _rescaled(model: keras.Model, scale: list[float]) -> keras.Model:
    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        output = layer(*args, **kwargs)
        if isinstance(layer, keras.layers.Normalization):
            return keras.layers.Rescaling(scale)(output)
        return output

    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)


def load_weights(model: keras.Model, file: Path, *, network: KerasNetwork) -> None:
    """Fill a network with the weights of a file that Keras wrote.

    Args:
        model: What ``build`` returned for the network.
        file: A ``.weights.h5`` file, or the older ``.h5`` of ``save_weights`` and of ``keras.applications``.
        network: Which network it is, for messages.

    Raises:
        UnusableModel: The file is missing, is no weights file, or holds another network's weights.
    """
    _check_is_weights(file)
    try:
        model.load_weights(file)
    except Exception as error:
        raise UnusableModel(
            file,
            reason=f"its weights do not fit {network.name}; is it another network's file, or one with the "
            "classifier? Save without it (include_top=False), or take the _notop file",
        ) from error


def _check_is_weights(file: Path) -> None:
    if not file.is_file():
        raise UnusableModel(file, reason="there is no such file")
    try:
        with h5py.File(file) as archive:
            has_model, is_older = "model_config" in archive.attrs, "layer_names" in archive.attrs
    except OSError as error:
        raise UnusableModel(
            file, reason="it is not a whole HDF5 file; give a Keras weights file, .weights.h5 or _notop.h5"
        ) from error
    if has_model:
        raise UnusableModel(
            file,
            reason="it holds a whole model, which may carry code; save its weights alone: "
            "model.save_weights('NAME.weights.h5')",
        )
    if is_older == file.name.endswith(_KERAS_3):  # Keras chooses the format by the name
        ending = ".h5 alone" if is_older else _KERAS_3
        raise UnusableModel(file, reason=f"its name does not tell its format; rename it to end in {ending}")


def save_random_weights(network: KerasNetwork, file: Path, *, rng: np.random.Generator) -> None:
    """Write a ``.weights.h5`` file of random weights, with which a test or a benchmark can do without a download.

    Every array is drawn, those too that Keras starts at 0 or 1, so that each takes part in the output.
    """
    model = build(network, pooling=Pooling.AVG)
    for variable in model.variables:
        if "float" in variable.dtype:
            variable.assign(_draw(variable.name, variable.shape, rng))
    with plain_keras():
        model.save_weights(file, overwrite=True)


def _draw(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    if name == "depthwise_kernel":
        return rng.normal(0, np.sqrt(2 / np.prod(shape[:2])), shape)
    if len(shape) > 1:
        return rng.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape)  # He et al. 2015
    if "variance" in name or "gamma" in name:
        return rng.uniform(0.5, 1.5, shape)
    return rng.normal(0, 0.1, shape)
