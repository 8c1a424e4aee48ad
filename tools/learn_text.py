"""Trains the text tower of the bundled model: ``python -m tools.learn_text``.

It learns from the products that the model's recipe does not hold out, and writes ``text.npz`` into the model's
folder and what it is into the card. Photos are embedded once, with the network as it is; nothing else changes.
"""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - Typer reads it
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.data import SHARED_DATA, Data
from benchmarks.word_data import word_data
from sartor.encoders.card import CARD_FILE, ModelCard
from sartor.encoders.registry import DEFAULT_MODEL, DIRECTORY
from sartor.encoders.text.words import Vocabulary
from sartor.training.text import TextRecipe
from sartor.training.train_text import train_text

if TYPE_CHECKING:
    from sartor.training.text import TextProgress

_TOLD_EVERY = 200  # steps
_DATA = "Fashion Product Images (Kaggle, MIT): titles, attributes, and photos at two resolutions"


def learn_text(
    *,
    data: Data = SHARED_DATA,
    model: Annotated[Path, typer.Option(metavar="DIR", help="The model's folder.")] = DIRECTORY / DEFAULT_MODEL,
    work: Annotated[Path, typer.Option(metavar="DIR", help="Keeps photos and embeddings for next time.")],
    epochs: Annotated[float, typer.Option(help="Passes over the products.")] = TextRecipe().epochs,
) -> None:
    """Write the text tower of a model, and its card with it."""
    card = ModelCard.read(model / CARD_FILE)
    products, _ = word_data(model, card, data=data, work=work)
    record = train_text(
        list(products.values()),
        card,
        Vocabulary.read(),
        TextRecipe(epochs=epochs),
        output=model,
        data=_DATA,
        on_progress=_tell,
    )
    card.model_copy(update={"text": record}).write(model / CARD_FILE)
    for name, figure in record.figures.items():
        typer.echo(f"{name}: {figure.mean:.3f} ({figure.low:.3f} to {figure.high:.3f}, n = {figure.count:,})")


def _tell(progress: TextProgress) -> None:
    if progress.step % _TOLD_EVERY == 0:
        sys.stderr.write(f"step {progress.step:,} of {progress.steps:,}, loss {progress.loss:.3f}\n")


if __name__ == "__main__":
    typer.run(learn_text)
