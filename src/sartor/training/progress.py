"""How far a training is; apart from the loop, which loads Keras."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingProgress:
    """How far a training is.

    Attributes:
        step: Steps done.
        steps: Steps in all.
        loss: Mean since the report before.
        figures: Of the last validation.
        left_s: Expected time to the end.
    """

    step: int
    steps: int
    loss: float
    figures: dict[str, float]
    left_s: float
