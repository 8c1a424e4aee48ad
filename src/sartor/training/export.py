"""A trained encoder as files: the ONNX network, its card, and the weights that a later training goes on from."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from sartor.choices import Layout
from sartor.encoders.card import (
    CARD_FILE,
    MODEL_FILE,
    WEIGHTS_FILE,
    Measured,
    ModelCard,
    PixelScaling,
    TrainingRecord,
)
from sartor.encoders.registry import sha256_of
from sartor.training.convert import Plan, feature_outputs, write_onnx
from sartor.training.network import EMBEDDING
from sartor.training.start import keep_weights, shape_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sartor.encoders.card import AttributeHead, MatchCalibration
    from sartor.encoders.keras.backend import keras
    from sartor.evaluation.intervals import Interval
    from sartor.training.loop import State
    from sartor.training.recipe import Recipe
    from sartor.training.start import Start

_PACKAGES = ("sartor", "keras", "tensorflow-cpu", "numpy", "pillow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is known of a trained encoder when it is exported.

    Attributes:
        recipe: What was done.
        start: What it started from.
        state: How far it came.
        heads: What it predicts.
        calibration: From scores to matches.
        figures: On held-out products.
        base_figures: The same of what it started from.
        products: Number of products that it learned from.
        photos: Number of their photos.
    """

    recipe: Recipe
    start: Start
    state: State
    heads: tuple[AttributeHead, ...]
    calibration: MatchCalibration | None
    figures: Mapping[str, Interval]
    base_figures: Mapping[str, Interval]
    products: int
    photos: int


def export_encoder(model: keras.Model, directory: Path, outcome: Outcome) -> ModelCard:
    """Write ``model.onnx``, ``card.json`` and ``weights.npz`` into a directory.

    Raises:
        UnusableModel: The installed TensorFlow cannot be converted to ONNX.
    """
    keep_weights(model, directory / WEIGHTS_FILE)
    recipe, heads = outcome.recipe, outcome.heads
    plan = Plan(
        id=recipe.id,
        base=outcome.start.network.name,
        shape=shape_of(recipe, {head.name: len(head.classes) for head in heads}),
        outputs={head.name: head.output for head in heads},
    )
    write_onnx(model, plan, directory)
    card = _card(model, sha256_of(directory / MODEL_FILE), outcome)
    card.write(directory / CARD_FILE)
    return card


def _card(model: keras.Model, sha256: str, outcome: Outcome) -> ModelCard:
    recipe, start = outcome.recipe, outcome.start
    side_px = recipe.network.side_px
    return ModelCard(
        id=recipe.id,
        sha256=sha256,
        size_px=(side_px, side_px),
        layout=Layout.NHWC,
        scaling=PixelScaling.named(start.network.scaling),
        output=EMBEDDING,
        dimension=model.output[EMBEDDING].shape[-1],
        license=recipe.license,
        origin=f"sartor train, from {start.words}",
        attributes=outcome.heads,
        feature_maps=tuple(feature_outputs(model)),
        calibration=outcome.calibration,
        training=TrainingRecord(
            base=start.network.name,
            multi_level=recipe.network.multi_level,
            hidden=recipe.network.hidden or 0,
            scale=recipe.objective.scale,
            started_from=start.words,
            split_seed=recipe.split.seed,
            split_share=recipe.split.share,
            data=recipe.data,
            products=outcome.products,
            photos=outcome.photos,
            steps=outcome.state.step,
            seconds=round(outcome.state.elapsed_s, 1),
            recipe=recipe.model_dump(mode="json"),
            figures=_measured(outcome.figures),
            base_figures=_measured(outcome.base_figures),
            versions={"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        ),
    )


def _measured(intervals: Mapping[str, Interval]) -> dict[str, Measured]:
    return {
        name: Measured(
            mean=round(each.mean, 4), low=round(each.low, 4), high=round(each.high, 4), count=each.count
        )
        for name, each in intervals.items()
        if each.count
    }
