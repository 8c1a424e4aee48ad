"""Learns the foreground head of a model that was trained before, without training the model again.

    python -m tools.learn_foreground MODEL_FOLDER SOURCE... --recipe recipes/sartor-v1.toml

It takes the products that the recipe does not hold out, and writes ``foreground.npz`` into the model's folder and
its SHA-256 into the card. ``sartor train`` does the same for a new model.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sartor.config import Settings
from sartor.encoders.card import CARD_FILE, FOREGROUND_FILE, MODEL_FILE, ModelCard
from sartor.shop.library import load_runtime
from sartor.training.dataset import read_dataset
from sartor.training.foreground import learn_foreground, lesson_of, write_foreground
from sartor.training.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

_CACHE_MARGIN = 1.25  # as in a training


def learn(folder: Path, sources: Sequence[Path], recipe: Recipe) -> ModelCard:
    """Learn the head of the model in a folder, and return its new card."""
    card = ModelCard.read(folder / CARD_FILE)
    runtime = load_runtime(Settings(), folder / MODEL_FILE, card)
    side_px = card.size_px[0]

    def maps_of(photos: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.float32]]:
        outputs = runtime.infer_outputs(photos, card.feature_maps)
        return [outputs[name] for name in card.feature_maps]

    with TemporaryDirectory() as directory:
        dataset = read_dataset(sources, Path(directory), recipe.split, side_px=int(side_px * _CACHE_MARGIN))
        lesson = lesson_of(dataset, maps_of, side_px=side_px, seed=recipe.seed)
        if lesson is None:
            message = "the sources have too few photos on white"
            raise SystemExit(message)
        digest = write_foreground(folder / FOREGROUND_FILE, learn_foreground(lesson).weights)
    card = card.model_copy(update={"foreground_sha256": digest})
    card.write(folder / CARD_FILE)
    return card


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.learn_foreground", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sources", type=Path, nargs="+")
    parser.add_argument("--recipe", type=Path, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    learn(arguments.folder, arguments.sources, Recipe.read(arguments.recipe))


if __name__ == "__main__":
    main()
