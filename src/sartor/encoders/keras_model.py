"""A Keras network with its weights: the architecture comes from code, the weights from a file, as data only.

No file that holds a model is ever loaded: such a file can carry code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py

from sartor.encoders.keras_backend import keras, plain_keras
from sartor.errors import UnusableModel

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.encoders.choices import Pooling
    from sartor.encoders.keras_networks import KerasNetwork

_KERAS_3 = ".weights.h5"


def load(network: KerasNetwork, file: Path, *, pooling: Pooling | None, side_px: int | None = None) -> keras.Model:
    """The network with the weights of a file that Keras wrote.

    Args:
        network: Which network.
        file: A ``.weights.h5`` file, or the older ``.h5`` of ``save_weights`` and of ``keras.applications``.
        pooling: How the last feature map becomes one vector; none leaves it as it is.
        side_px: Height and width of the input, if not the network's own.

    Raises:
        UnusableModel: The file is missing, is no weights file, or holds another network's weights.
    """
    _check_is_weights(file)
    model = build(network, pooling=pooling, side_px=side_px)
    try:
        model.load_weights(file)
    except Exception as error:
        raise UnusableModel(
            file,
            reason=f"its weights do not fit {network.name}; is it another network's file, or one with the "
            "classifier? Save without it (include_top=False), or take the _notop file",
        ) from error
    return model


def build(network: KerasNetwork, *, pooling: Pooling | None, side_px: int | None = None) -> keras.Model:
    """The network as Keras builds it for its ImageNet weights, without classifier, with random weights.

    Takes ``(n, h, w, 3)`` float32 scaled as the network expects, gives ``(n, d)`` float32, or without pooling
    the feature map ``(n, h', w', d)``.
    """
    side_px = side_px or network.size_px
    application = getattr(keras.applications, network.class_name)
    with plain_keras():
        model = application(
            include_top=False,
            weights=None,
            input_shape=(side_px, side_px, 3),
            pooling=pooling.value if pooling else None,
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
