"""A Keras network with its weights: the architecture comes from code, the weights from a file, as data only.

No file that holds a model is ever loaded: such a file can carry code.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py

from sartor.encoders.choices import Pooling
from sartor.encoders.keras_backend import keras, plain_keras
from sartor.encoders.keras_weights import DoesNotFit, Told, fill
from sartor.encoders.keras_weights_older import fill_older
from sartor.errors import UnusableModel

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.encoders.keras_networks import KerasNetwork


_WHOLE_MODEL = (
    "it holds a whole model, which may carry code; save its weights alone: model.save_weights('NAME.weights.h5')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A network with weights, and what their file told beside them."""

    model: keras.Model
    told: Told


def load(network: KerasNetwork, file: Path, *, pooling: Pooling | None, side_px: int | None = None) -> keras.Model:
    """The network with the weights of a file that Keras wrote.

    Args:
        network: Which network.
        file: A weights file, see ``read``.
        pooling: How the last feature map becomes one vector; none leaves it as it is.
        side_px: Height and width of the input, if not the network's own.

    Raises:
        UnusableModel: The file is missing, is no weights file, or holds another network's weights.
    """
    return pooled(network, read(network, file, side_px=side_px).model, pooling)


def read(network: KerasNetwork, file: Path, *, side_px: int | None = None) -> Loaded:
    """The network without pooling, with the weights of a file, and what else the file tells.

    Args:
        network: Which network.
        file: A ``.weights.h5`` file, or the older ``.h5`` of ``save_weights`` and of ``keras.applications``. The
            network may be a part of the model that was saved; what that one had on top is left out.
        side_px: Height and width of the input, if not the network's own.

    Raises:
        UnusableModel: The file is missing, is no weights file, or holds another network's weights.
    """
    is_older = _is_older(file)
    model = build(network, pooling=None, side_px=side_px)
    try:
        with h5py.File(file) as archive:
            told = fill_older(model, archive) if is_older else fill(model, archive)
    except Exception as error:
        cause = (
            "" if isinstance(error, DoesNotFit) else f" ({str(error).splitlines()[0] if str(error) else error!r})"
        )
        raise UnusableModel(
            file,
            reason=f"its weights do not fit {network.name}{cause}; is it another network's file, or were its "
            "layers changed?",
        ) from error
    return Loaded(model=model, told=told)


def pooled(network: KerasNetwork, model: keras.Model, pooling: Pooling | None) -> keras.Model:
    """A network that gives a feature map ``(n, h, w, d)``, with its weights, and one vector for each photo."""
    if pooling is None:
        return model
    whole = build(network, pooling=pooling, side_px=model.input_shape[1])
    whole.set_weights(model.get_weights())  # pooling has none
    for layer in whole.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()  # a normalization, which keeps a copy
    return whole


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
            # ConvNeXt normalizes after its own pooling, and a feature map before anybody else's.
            pooling=pooling.value if pooling in {Pooling.AVG, Pooling.MAX} else None,
        )
        if network.imagenet_scale is not None:
            model = _rescaled(model, list(network.imagenet_scale))
        if pooling is Pooling.FLATTEN:
            model = keras.Model(model.input, keras.layers.Flatten(name="flatten")(model.output), name=model.name)
        return model


def _rescaled(model: keras.Model, scale: list[float]) -> keras.Model:
    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        output = layer(*args, **kwargs)
        if isinstance(layer, keras.layers.Normalization):
            return keras.layers.Rescaling(scale)(output)
        return output

    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)


def _is_older(file: Path) -> bool:
    """Whether a weights file has the layout from before Keras 3; told by what it holds, not by its name."""
    if not file.is_file():
        raise UnusableModel(file, reason="there is no such file")
    if zipfile.is_zipfile(file):
        raise UnusableModel(file, reason=_WHOLE_MODEL)
    try:
        with h5py.File(file) as archive:
            has_model = "model_config" in archive.attrs or "model_weights" in archive
            is_older = any(name.startswith("layer_names") for name in archive.attrs)
    except OSError as error:
        raise UnusableModel(
            file, reason="it is not a whole HDF5 file; give a Keras weights file, .weights.h5 or _notop.h5"
        ) from error
    if has_model:
        raise UnusableModel(file, reason=_WHOLE_MODEL)
    return is_older
