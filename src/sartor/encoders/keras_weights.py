"""Putting the weights of a file that Keras wrote into a network that was built in code.

The network may be the whole of what was saved, or a part of it: inside a Sequential, with pooling behind it, with
a classifier on top. Only arrays are read, each of the shape that the network asks for, and only from the file
itself: links to other files are not followed.

Source: ``keras/src/saving/saving_lib.py`` for the layout, ``.weights.h5``; the older one has its own module.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py

from sartor.encoders.choices import Pooling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import keras

_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")  # the latter is of TensorFlow 2.12 to 2.15
_POOLING = re.compile(r"global_(average|max)_pooling2d(_\d+)?")
_POOLINGS = {"average": Pooling.AVG, "max": Pooling.MAX}
_NO_LAYER = ("optimizer", "seed_generator")


class DoesNotFit(Exception):
    """A file holds no weights for this network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a file tells beside the weights of the network.

    Attributes:
        pooling: How the saved model pooled the last feature map; none where it does not tell.
        left_out: What else the saved model had weights for, such as its classifier, in words.
    """

    pooling: Pooling | None
    left_out: tuple[str, ...]


def fill(model: keras.Model, archive: h5py.File) -> Told:
    """Set all weights of a network without pooling from an archive in the layout of Keras 3.

    Raises:
        DoesNotFit: It holds other networks' weights, or links instead of weights.
    """
    for root, container in _models(archive):
        places = list(_places(model.layers, container))
        stored = [_stored(root, place) for place, _ in places]
        wanted = [
            {str(number): shape_of(each) for number, each in enumerate(layer.weights)} for _, layer in places
        ]
        if [{key: each.shape for key, each in arrays.items()} for arrays in stored] != wanted:
            continue
        for (_, layer), arrays in zip(places, stored, strict=True):
            if arrays:
                layer.load_own_variables({key: each[()] for key, each in arrays.items()})
        return _told(archive, {f"{root.name.rstrip('/')}/{place}" for place, _ in places})
    raise DoesNotFit


def shape_of(variable: Any) -> tuple[int, ...]:
    """Shape of a variable of Keras."""
    return tuple(variable.shape)


def own_array(group: h5py.Group, name: str) -> h5py.Dataset | None:
    """An array that lies in this very file; none where there is none, or only a link to one."""
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
    """Every model in the file with the name of what holds its layers, the outer before the inner."""
    groups: list[h5py.Group] = [archive]
    archive.visititems(lambda _, item: groups.append(item) if isinstance(item, h5py.Group) else None)
    yield from ((group, name) for group in groups for name in _CONTAINERS if name in group)


def _places(layers: Iterable[Any], path: str) -> Iterator[tuple[str, Any]]:
    """Where Keras puts each layer of a model: by its class, counted in the order of the layers."""
    counts: dict[str, int] = {}
    for layer in layers:
        name = _snake_case(type(layer).__name__)
        counts[name] = counts.get(name, -1) + 1
        place = f"{path}/{name}_{counts[name]}" if counts[name] else f"{path}/{name}"
        if hasattr(layer, "layers"):
            yield from _places(layer.layers, f"{place}/{path.rpartition('/')[2]}")
        else:
            yield place, layer


def _snake_case(name: str) -> str:
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def _stored(root: h5py.Group, place: str) -> dict[str, h5py.Dataset]:
    """The arrays of one layer, by their number."""
    group = root.get(f"{place}/vars")
    found = {key: own_array(root, f"{place}/vars/{key}") for key in group} if isinstance(group, h5py.Group) else {}
    return {key: array for key, array in sorted(found.items()) if array is not None}


def _told(archive: h5py.File, own: set[str]) -> Told:
    others: dict[str, Any] = {}
    archive.visititems(lambda name, item: others.update({f"/{name}": item}))
    poolings = [_POOLING.fullmatch(path.rpartition("/")[2]) for path in others if path not in own]
    left_out = {
        path.removesuffix("/vars/0"): array
        for path, array in others.items()
        if path.endswith("/vars/0") and isinstance(array, h5py.Dataset)
    }
    return Told(
        pooling=next((_POOLINGS[match[1]] for match in poolings if match), None),
        left_out=tuple(
            words(path.rpartition("/")[2], array)
            for path, array in left_out.items()
            if path not in own and not any(part.startswith(_NO_LAYER) for part in path.split("/"))
        ),
    )
