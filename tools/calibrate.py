"""Fits the calibration of the bundled model anew, without training it: ``python -m tools.calibrate``.

The fit needs the photos that the model was not trained on (``benchmarks/held_out.py``). Only the card changes: the
network, its weights and so all embeddings stay as they are.
"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads it
from typing import Annotated

import typer

from benchmarks.data import SHARED_DATA, Data
from benchmarks.held_out import held_out
from sartor.encoders.card import CARD_FILE, ModelCard
from sartor.encoders.heads import Heads
from sartor.encoders.registry import DEFAULT_MODEL, DIRECTORY
from sartor.evaluation.metrics import calibration_error
from sartor.training.match_fit import calibrated, same_thing


def calibrate(
    *,
    data: Data = SHARED_DATA,
    model: Annotated[Path, typer.Option(metavar="DIR", help="The model's folder.")] = DIRECTORY / DEFAULT_MODEL,
    work: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keeps the split's photos for next time.")
    ] = None,
) -> None:
    """Write the card of a model with a new calibration."""
    card = ModelCard.read(model / CARD_FILE)
    found = held_out(model, card, data=data, work=work)
    sample = found.sample
    fitted = calibrated(sample, Heads.read(model, card), tuple(sample.possible), more=found.training)
    if fitted is None:
        message = "nothing can be learned from these photos: all pairs agree, or none"
        raise typer.BadParameter(message)
    calibration, judged = fitted
    if (same := same_thing(*found.pairs_in_two_sizes())) is not None:
        calibration = calibration.model_copy(update={"same_style": round(same[0], 4), "same_color": same[1]})
    card.model_copy(update={"calibration": calibration}).write(model / CARD_FILE)
    for kind, each in judged.items():
        typer.echo(f"{kind}: {len(each.said):,} lists, calibration error {calibration_error(each.bins):.3f}")


if __name__ == "__main__":
    typer.run(calibrate)
