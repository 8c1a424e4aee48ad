"""Where a training starts: an ImageNet network with its weights, or a model that Sartor trained before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.encoders.card import CARD_FILE, WEIGHTS_FILE, ModelCard, PixelScaling
from sartor.encoders.keras.backend import keras, plain_keras
from sartor.encoders.keras.model import build, load
from sartor.encoders.keras.weights import official_weights
from sartor.encoders.networks import NETWORKS, network
from sartor.errors import ModelNotFound, UnusableModel, UnusableRecipe
from sartor.training.network import EMBEDDING, Shape, encoder, freeze, pooled_base, scaled_input
from sartor.training.objective import Learner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.encoders.networks import KerasNetwork
    from sartor.training.dataset import Target
    from sartor.training.recipe import Recipe

_MIN_HALVED = 1024  # weights with at least so many numbers are kept as float16
_MAX_HALF = float(np.finfo(np.float16).max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a training starts from.

    Attributes:
        network: The base network.
        weights: File with its weights; None has Keras fetch the official ones.
        model: Folder of a trained model to start from, instead.
    """

    network: KerasNetwork
    weights: Path | None = None
    model: Path | None = None

    @property
    def words(self) -> str:
        """Where the initial weights are from, for a card."""
        if self.model is not None:
            return ModelCard.read(self.model / CARD_FILE).id
        return f"keras.applications.{self.network.class_name}, ImageNet weights"


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """What a training works on.

    Attributes:
        learner: Takes uint8 photos, and learns.
        encoder: The same layers for scaled photos; what is exported.
        scaled: An input for uint8 photos, and that input scaled as the encoder takes it.
        before: Embeds photos without this training; gives a dict with ``embedding``.
    """

    learner: Learner
    encoder: keras.Model
    scaled: tuple[Any, Any]
    before: keras.Model


def find_start(name: str, *, weights: Path | None, folders: dict[str, Path]) -> Start:
    """The start that a recipe names.

    Args:
        name: A network of ``sartor models export``, or the id of a model.
        weights: Keras weights of that network.
        folders: Folder of each known model, by id.

    Raises:
        ModelNotFound: It is neither.
        UnusableModel: The model was not trained by Sartor, or its weights are missing.
    """
    if name in NETWORKS:
        return Start(network=network(name), weights=weights)
    if name not in folders:
        raise ModelNotFound(name, known=[*NETWORKS, *folders])
    folder = folders[name]
    record = ModelCard.read(folder / CARD_FILE).training
    if record is None or not (folder / WEIGHTS_FILE).is_file():
        reason = "it was not trained by Sartor, so it has no weights to go on from; start from a network"
        raise UnusableModel(name, reason=reason)
    return Start(network=network(record.base), model=folder)


def settled(recipe: Recipe, start: Start) -> Recipe:
    """The recipe, completed by the model that it starts from."""
    if recipe.network.hidden is not None:
        return recipe
    record = None if start.model is None else ModelCard.read(start.model / CARD_FILE).training
    hidden = 0 if record is None else record.hidden
    return recipe.changed(network=recipe.network.model_copy(update={"hidden": hidden}))


def make_networks(start: Start, recipe: Recipe, targets: Sequence[Target]) -> Networks:
    """Build the layers with the weights of the start; the recipe's seed draws new ones.

    Raises:
        UnusableModel: Weights do not fit.
        WeightsUnavailable: The official weights cannot be fetched.
        UnusableRecipe: The network has no layer with the name to freeze until.
    """
    recipe = settled(recipe, start)
    keras.utils.set_random_seed(recipe.seed)
    side_px, scaling = recipe.network.side_px, PixelScaling.named(start.network.scaling)
    shape = shape_of(recipe, {target.name: len(target.classes) for target in targets})
    with plain_keras():
        if start.model is None:
            file = start.weights or official_weights(start.network)
            base = load(start.network, file, pooling=None, side_px=side_px)
            before = pooled_base(_copy(base), scaling, side_px)
            trained = encoder(base, shape)
        else:
            card = ModelCard.read(start.model / CARD_FILE)
            trained = _continued(start, card, shape)
            before = _before(start, card, scaling)
        _freeze(trained, recipe.network.freeze_until, start.network)
        photo, scaled = scaled_input(scaling, side_px)
        learner = Learner(inputs=photo, outputs=trained(scaled))
    learner.set_objective(recipe, targets)
    return Networks(learner=learner, encoder=trained, scaled=(photo, scaled), before=before)


def shape_of(recipe: Recipe, attributes: Mapping[str, int]) -> Shape:
    """The shape of a recipe's encoder; ``attributes`` has the number of classes of each attribute."""
    return Shape(
        side_px=recipe.network.side_px,
        dimension=recipe.network.dimension,
        attributes=attributes,
        multi_level=recipe.network.multi_level,
        hidden=recipe.network.hidden or 0,
        dropout=recipe.network.dropout,
        scale=recipe.objective.scale,
    )


def rebuilt(base: str, shape: Shape, folder: Path) -> keras.Model:
    """An encoder from the weights that ``keep_weights`` wrote into a folder.

    Raises:
        UnusableModel: They cannot be read.
    """
    start = Start(network=network(base), model=folder)
    with plain_keras():
        model = encoder(build(start.network, pooling=None, side_px=shape.side_px), shape)
        _put_weights(start, model)
    return model


def keep_weights(model: keras.Model, path: Path) -> None:
    """Write all weights of an encoder by their paths: large ones as float16, statistics as float32."""
    arrays: dict[str, Any] = {each.path: _halved(each.path, np.asarray(each)) for each in model.variables}
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def _halved(name: str, array: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    large = array.size >= _MIN_HALVED and "moving" not in name and np.abs(array).max() < _MAX_HALF
    return array.astype(np.float16) if large else array


def _continued(start: Start, card: ModelCard, shape: Shape) -> keras.Model:
    """The encoder with a trained model's weights in layers of the same name and size, attributes left out."""
    model = encoder(build(start.network, pooling=None, side_px=shape.side_px), shape)
    _put_weights(start, model, leave=[f"attribute_{number}" for number in range(len(card.attributes))])
    return model


def _before(start: Start, card: ModelCard, scaling: PixelScaling) -> keras.Model:
    record = card.training
    if record is None:
        raise UnusableModel(card.id, reason="its card does not say how it was trained")
    side_px = card.size_px[0]
    shape = Shape(
        side_px=side_px,
        dimension=card.dimension,
        attributes={},
        multi_level=record.multi_level,
        hidden=record.hidden,
        scale=record.scale,
    )
    model = encoder(build(start.network, pooling=None, side_px=side_px), shape)
    _put_weights(start, model)
    photo, scaled = scaled_input(scaling, side_px)
    return keras.Model(photo, {EMBEDDING: model(scaled)[EMBEDDING]})


def _put_weights(start: Start, model: keras.Model, *, leave: Sequence[str] = ()) -> None:
    if start.model is None:
        return
    path = start.model / WEIGHTS_FILE
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for variable in model.variables:
                if variable.path.split("/")[0] in leave or variable.path not in arrays:
                    continue
                if arrays[variable.path].shape == tuple(variable.shape):
                    variable.assign(arrays[variable.path].astype(np.float32))
    except Exception as error:
        raise UnusableModel(path, reason="its weights cannot be read; add the model again") from error


def _freeze(model: keras.Model, until: str, base: KerasNetwork) -> None:
    if not until:
        return
    try:
        freeze(model, until=base.early_until if until == "early" else until)
    except ValueError as error:
        raise UnusableRecipe(None, reason=f"network.freeze_until: {base.name} has no layer {until!r}") from error


def _copy(model: keras.Model) -> keras.Model:
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy
