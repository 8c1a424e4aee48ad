"""A Keras network with its weights: the architecture comes from code, the weights from a file.

A file that holds a whole model is never loaded, since it can carry code.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

import h5py

from sartor.choices import Pooling
from sartor.encoders.keras.backend import keras, plain_keras
from sartor.errors import UnusableModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from sartor.encoders.networks import KerasNetwork

_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")  # the latter is of TensorFlow 2.12 to 2.15
_POOLING = re.compile(r"global_(average|max)_pooling2d(_\d+)?")
_POOLINGS = {"average": Pooling.AVG, "max": Pooling.MAX}
_NO_LAYER = ("optimizer", "seed_generator")

Groups: TypeAlias = "dict[str, dict[str, h5py.Dataset]]"  # arrays by their names, by the layer's name
Pairs: TypeAlias = "list[tuple[Any, h5py.Dataset]]"  # each variable with its values

_OLDER_POOLINGS = {
    "global_average_pooling2d": Pooling.AVG,
    "avg_pool": Pooling.AVG,
    "global_max_pooling2d": Pooling.MAX,
    "max_pool": Pooling.MAX,
}
_WHOLE_MODEL = (
    "it holds a whole model, which may carry code; save its weights alone: model.save_weights('NAME.weights.h5')"
)


class DoesNotFit(Exception):
    """A file holds no weights for this network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsFacts:
    """Facts of a weights file beside the weights of the network.

    Attributes:
        pooling: How the saved model pooled the last feature map; None if unknown.
        left_out: Other layers of the saved model, such as its classifier, in words.
    """

    pooling: Pooling | None
    left_out: tuple[str, ...]


def fill(model: keras.Model, archive: h5py.File) -> WeightsFacts:
    """Set all weights of a network without pooling from an archive in the layout of Keras 3.

    Raises:
        DoesNotFit: It holds other networks' weights, or links instead of weights.
    """
    for root, container in _models(archive):
        layers = list(_layer_paths(model.layers, container))
        stored = [_stored(root, path) for path, _ in layers]
        expected = [
            {str(number): shape_of(weight) for number, weight in enumerate(layer.weights)} for _, layer in layers
        ]
        if [{key: array.shape for key, array in arrays.items()} for arrays in stored] != expected:
            continue
        for (_, layer), arrays in zip(layers, stored, strict=True):
            if arrays:
                layer.load_own_variables({key: array[()] for key, array in arrays.items()})
        return _facts(archive, {f"{root.name.rstrip('/')}/{path}" for path, _ in layers})
    raise DoesNotFit


def shape_of(variable: Any) -> tuple[int, ...]:
    """Shape of a variable of Keras."""
    return tuple(variable.shape)


def own_array(group: h5py.Group, name: str) -> h5py.Dataset | None:
    """An array of this file; None if it is missing or a link."""
    item: Any = group
    for part in name.strip("/").split("/"):
        if not isinstance(item, h5py.Group) or not isinstance(item.get(part, getlink=True), h5py.HardLink):
            return None
        item = item[part]
    return item if isinstance(item, h5py.Dataset) and not item.external and not item.is_virtual else None


def words(name: str, array: h5py.Dataset) -> str:
    """A layer by its name and the shape of its first array."""
    return f"{name} {array.shape}"


def _models(archive: h5py.File) -> Iterator[tuple[h5py.Group, str]]:
    """Every model in the file with the name of the group of its layers, the outer before the inner."""
    groups: list[h5py.Group] = [archive]
    archive.visititems(lambda _, item: groups.append(item) if isinstance(item, h5py.Group) else None)
    yield from ((group, name) for group in groups for name in _CONTAINERS if name in group)


def _layer_paths(layers: Iterable[Any], path: str) -> Iterator[tuple[str, Any]]:
    """Keras' path of each layer of a model: its class, counted in the order of the layers."""
    counts: dict[str, int] = {}
    for layer in layers:
        name = _snake_case(type(layer).__name__)
        counts[name] = counts.get(name, -1) + 1
        own_path = f"{path}/{name}_{counts[name]}" if counts[name] else f"{path}/{name}"
        if hasattr(layer, "layers"):
            yield from _layer_paths(layer.layers, f"{own_path}/{path.rpartition('/')[2]}")
        else:
            yield own_path, layer


def _snake_case(name: str) -> str:
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def _stored(root: h5py.Group, path: str) -> dict[str, h5py.Dataset]:
    """The arrays of one layer by number."""
    group = root.get(f"{path}/vars")
    arrays = {key: own_array(root, f"{path}/vars/{key}") for key in group} if isinstance(group, h5py.Group) else {}
    return {key: array for key, array in sorted(arrays.items()) if array is not None}


def _facts(archive: h5py.File, own: set[str]) -> WeightsFacts:
    others: dict[str, Any] = {}
    archive.visititems(lambda name, item: others.update({f"/{name}": item}))
    poolings = [_POOLING.fullmatch(path.rpartition("/")[2]) for path in others if path not in own]
    left_out = {
        path.removesuffix("/vars/0"): array
        for path, array in others.items()
        if path.endswith("/vars/0") and isinstance(array, h5py.Dataset)
    }
    return WeightsFacts(
        pooling=next((_POOLINGS[match[1]] for match in poolings if match), None),
        left_out=tuple(
            words(path.rpartition("/")[2], array)
            for path, array in left_out.items()
            if path not in own and not any(part.startswith(_NO_LAYER) for part in path.split("/"))
        ),
    )


def fill_older(model: keras.Model, archive: h5py.File) -> WeightsFacts:
    """Set all weights of a network without pooling from an archive in the layout from before Keras 3.

    Raises:
        DoesNotFit: It holds other networks' weights, or links instead of weights.
    """
    groups = {name: _arrays(archive, name) for name in _names(archive.attrs, "layer_names")}
    pairs = _layer_by_layer(model, groups) or _as_one(model, groups) or _by_name(model, groups)
    if not pairs:
        raise DoesNotFit
    for variable, array in pairs:
        variable.assign(array[()])
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()  # a normalization, which keeps a copy
    used = {array.name for _, array in pairs}
    kinds = [kind for name in groups for stem, kind in _OLDER_POOLINGS.items() if name.startswith(stem)]
    return WeightsFacts(
        pooling=kinds[-1] if kinds else None,
        left_out=tuple(
            words(name, left[0])
            for name, arrays in groups.items()
            if (left := [array for array in arrays.values() if array.name not in used])
        ),
    )


def _layer_by_layer(model: keras.Model, groups: Groups) -> Pairs:
    """The network's layers are the first ones of the saved model."""
    layers = [layer for layer in model.layers if layer.weights]
    saved = [list(arrays.values()) for arrays in groups.values() if arrays][: len(layers)]
    if len(saved) < len(layers):
        return []
    rows = [_fitting(_in_order(layer), arrays) for layer, arrays in zip(layers, saved, strict=True)]
    return list(chain(*rows)) if all(rows) else []


def _as_one(model: keras.Model, groups: Groups) -> Pairs:
    """The network is one layer of the saved model: all of it trained, or all of it frozen."""
    for arrays in groups.values():
        for variables in (_in_order(model), model.weights):
            if pairs := _fitting(variables, list(arrays.values())):
                return pairs
    return []


def _by_name(model: keras.Model, groups: Groups) -> Pairs:
    """Some layers were frozen, or others lie between: by the names of layer and variable."""
    named = {_short(name): array for arrays in groups.values() for name, array in arrays.items()}
    variables = model.weights
    arrays = [named[name] for name in (_short(variable.path) for variable in variables) if name in named]
    return _fitting(variables, arrays)


def _fitting(variables: Sequence[Any], arrays: Sequence[h5py.Dataset]) -> Pairs:
    if [shape_of(variable) for variable in variables] != [array.shape for array in arrays]:
        return []
    return list(zip(variables, arrays, strict=True))


def _in_order(layer: Any) -> list[Any]:
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _short(name: str) -> str:
    return "/".join(name.partition(":")[0].split("/")[-2:])


def _arrays(archive: h5py.File, layer: str) -> dict[str, h5py.Dataset]:
    group = archive.get(layer)
    names = _names(group.attrs, "weight_names") if group is not None else []
    arrays = {name: own_array(archive, f"{layer}/{name}") for name in names}
    if None in arrays.values():
        raise DoesNotFit
    return {name: array for name, array in arrays.items() if array is not None}


def _names(attributes: Any, key: str) -> list[str]:
    """Names that Keras spreads over several attributes if one would be too long for HDF5."""
    keys = [key] if key in attributes else []
    while f"{key}{len(keys)}" in attributes and key not in attributes:
        keys.append(f"{key}{len(keys)}")
    names = [name for one in keys for name in attributes[one]]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A network with weights, and further facts of their file."""

    model: keras.Model
    facts: WeightsFacts


def load(network: KerasNetwork, file: Path, *, pooling: Pooling | None, side_px: int | None = None) -> keras.Model:
    """The network with the weights of a file that Keras wrote.

    Args:
        network: The network.
        file: A weights file, see ``read``.
        pooling: How the last feature map becomes one vector; None leaves it as it is.
        side_px: Height and width of the input. Defaults to the network's own.

    Raises:
        UnusableModel: The file is missing, is not a weights file, or holds another network's weights.
    """
    return pooled(network, read(network, file, side_px=side_px).model, pooling)


def read(network: KerasNetwork, file: Path, *, side_px: int | None = None) -> Loaded:
    """The network without pooling, with the weights of a file and further facts of it.

    Args:
        network: The network.
        file: A ``.weights.h5`` file, or the older ``.h5`` of ``save_weights`` and of ``keras.applications``. The
            network may be a part of the model that was saved; what that one had on top is left out.
        side_px: Height and width of the input. Defaults to the network's own.

    Raises:
        UnusableModel: The file is missing, is not a weights file, or holds another network's weights.
    """
    is_older = _is_older(file)
    model = build(network, pooling=None, side_px=side_px)
    try:
        with h5py.File(file) as archive:
            facts = fill_older(model, archive) if is_older else fill(model, archive)
    except Exception as error:
        cause = (
            "" if isinstance(error, DoesNotFit) else f" ({str(error).splitlines()[0] if str(error) else error!r})"
        )
        raise UnusableModel(
            file,
            reason=f"its weights do not fit {network.name}{cause}; is it another network's file, or were its "
            "layers changed?",
        ) from error
    return Loaded(model=model, facts=facts)


def pooled(network: KerasNetwork, model: keras.Model, pooling: Pooling | None) -> keras.Model:
    """A network with a feature map ``(n, h, w, d)`` as output, pooled to one vector for each photo."""
    if pooling is None:
        return model
    if isinstance(model.layers[-1], keras.layers.LayerNormalization):  # ConvNeXt, which pools before it
        whole = build(network, pooling=pooling, side_px=model.input_shape[1])
        whole.set_weights(model.get_weights())  # pooling has none
        for layer in whole.layers:
            if hasattr(layer, "finalize_state"):
                layer.finalize_state()  # a normalization, which keeps a copy
        return whole
    with plain_keras():
        return keras.Model(model.input, _pool(pooling)(model.output), name=model.name)


def _pool(pooling: Pooling) -> Any:
    match pooling:
        case Pooling.AVG:
            return keras.layers.GlobalAveragePooling2D(name="avg_pool")
        case Pooling.MAX:
            return keras.layers.GlobalMaxPooling2D(name="max_pool")
        case Pooling.FLATTEN:
            return keras.layers.Flatten(name="flatten")


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
            # ConvNeXt normalizes after its own pooling, and before any other.
            pooling=pooling.value if pooling in {Pooling.AVG, Pooling.MAX} else None,
        )
        if network.imagenet_scale is not None:
            model = _rescaled(model, list(network.imagenet_scale))
        if pooling is Pooling.FLATTEN:
            model = keras.Model(model.input, _pool(pooling)(model.output), name=model.name)
        return model


def _rescaled(model: keras.Model, scale: list[float]) -> keras.Model:
    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        output = layer(*args, **kwargs)
        if isinstance(layer, keras.layers.Normalization):
            return keras.layers.Rescaling(scale)(output)
        return output

    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)


def _is_older(file: Path) -> bool:
    """Whether a weights file has the layout from before Keras 3, by its content."""
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
