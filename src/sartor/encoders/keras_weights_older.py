"""The layout of weights files from before Keras 3, ``.h5``, in which ``keras.applications`` still gives its own.

A layer is a group of arrays, and so is a whole network inside another: its arrays lie in one row then, in an order
that depends on what was frozen while it was trained.

Source: ``keras/src/legacy/saving/legacy_h5_format.py``.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

from sartor.encoders.choices import Pooling
from sartor.encoders.keras_weights import DoesNotFit, Told, own_array, shape_of, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import h5py
    import keras

Groups: TypeAlias = "dict[str, dict[str, h5py.Dataset]]"  # arrays by their names, by the layer's name
Pairs: TypeAlias = "list[tuple[Any, h5py.Dataset]]"  # each variable, and what it shall be

_POOLINGS = {
    "global_average_pooling2d": Pooling.AVG,
    "avg_pool": Pooling.AVG,
    "global_max_pooling2d": Pooling.MAX,
    "max_pool": Pooling.MAX,
}


def fill_older(model: keras.Model, archive: h5py.File) -> Told:
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
    kinds = [kind for name in groups for stem, kind in _POOLINGS.items() if name.startswith(stem)]
    return Told(
        pooling=kinds[-1] if kinds else None,
        left_out=tuple(
            words(name, left[0])
            for name, arrays in groups.items()
            if (left := [array for array in arrays.values() if array.name not in used])
        ),
    )


def _layer_by_layer(model: keras.Model, groups: Groups) -> Pairs:
    """Where the network's layers are the first ones of what was saved."""
    layers = [layer for layer in model.layers if layer.weights]
    saved = [list(arrays.values()) for arrays in groups.values() if arrays][: len(layers)]
    if len(saved) < len(layers):
        return []
    rows = [_fitting(_in_order(layer), arrays) for layer, arrays in zip(layers, saved, strict=True)]
    return list(chain(*rows)) if all(rows) else []


def _as_one(model: keras.Model, groups: Groups) -> Pairs:
    """Where the network is one layer of what was saved: all of it trained, or all of it frozen."""
    for arrays in groups.values():
        for variables in (_in_order(model), model.weights):
            if pairs := _fitting(variables, list(arrays.values())):
                return pairs
    return []


def _by_name(model: keras.Model, groups: Groups) -> Pairs:
    """Where some layers were frozen, or more lies in the same row: by the names of layer and variable."""
    named = {_short(name): array for arrays in groups.values() for name, array in arrays.items()}
    variables = model.weights
    found = [named[name] for name in (_short(variable.path) for variable in variables) if name in named]
    return _fitting(variables, found)


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
    found = {name: own_array(archive, f"{layer}/{name}") for name in names}
    if None in found.values():
        raise DoesNotFit
    return {name: array for name, array in found.items() if array is not None}


def _names(attributes: Any, key: str) -> list[str]:
    """Names that Keras spreads over several attributes where one would be too long for HDF5."""
    keys = [key] if key in attributes else []
    while f"{key}{len(keys)}" in attributes and key not in attributes:
        keys.append(f"{key}{len(keys)}")
    names = [name for each in keys for name in attributes[each]]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]
