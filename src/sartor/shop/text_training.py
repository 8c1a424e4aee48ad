"""Teaching the model of a workspace words, by a text tower from its catalog, and measuring it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sartor.encoders.card import TEXT_FILE, TEXT_RECORD_FILE
from sartor.errors import NoTextTower, WorkspaceReadOnly
from sartor.shop.library import WORDS
from sartor.training.train_text import described_products, figures_of, train_text

if TYPE_CHECKING:
    from sartor.encoders.card import Measured, TextRecord
    from sartor.shop.backends import Backends, OpenModel
    from sartor.training.text import OnText, TextRecipe


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedText:
    """A text tower that was trained, and the directory that it is in."""

    record: TextRecord
    directory: Path


def train_text_tower(
    backends: Backends,
    model: OpenModel,
    recipe: TextRecipe,
    *,
    output: Path | None,
    on_progress: OnText,
) -> TrainedText:
    """Train a text tower for a model from the catalog, for the workspace or into another directory.

    Raises:
        EmptyCatalog: Nothing is embedded.
        NothingToLearn: There are too few products with words and photos.
        WorkspaceReadOnly: The workspace cannot be written, and no other directory is named.
    """
    model.require_embeddings()
    if output is None and backends.is_read_only:
        raise WorkspaceReadOnly(backends.home)
    directory = output or backends.home / WORDS / model.card.id
    products = described_products(backends.store, model.card, model.features)
    with TemporaryDirectory() as temporary:
        made = Path(temporary)
        vocabulary, data = backends.vocabulary(), f"the catalog of {backends.name}"
        record = train_text(
            products, model.card, vocabulary, recipe, output=made, data=data, on_progress=on_progress
        )
        record.write(made / TEXT_RECORD_FILE)
        directory.mkdir(parents=True, exist_ok=True)
        for name in (TEXT_FILE, TEXT_RECORD_FILE):
            part = directory / f"{name}.part"
            shutil.copyfile(made / name, part)
            part.replace(directory / name)
    return TrainedText(record=record, directory=directory)


def measure_text_tower(backends: Backends, model: OpenModel) -> dict[str, Measured]:
    """What the text tower of a model reaches on the held-out tenth of the catalog, by figure.

    Raises:
        EmptyCatalog: Nothing is embedded.
        NoTextTower: The model has none.
    """
    model.require_embeddings()
    if model.text is None:
        raise NoTextTower(model.card.id)
    return figures_of(model.text, described_products(backends.store, model.card, model.features))
