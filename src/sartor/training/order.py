"""What is asked of a training, and who is told how it goes: light enough for a command line to make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sartor.training.progress import TrainingProgress
    from sartor.training.recipe import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOrder:
    """A training as a user asks for it.

    Attributes:
        sources: Where the products are.
        output: Directory for what comes out.
        recipe: How.
        weights: Keras weights of the recipe's base; none has Keras fetch the official ones.
        resume: Go on with what the output holds.
    """

    sources: Sequence[Path]
    output: Path
    recipe: Recipe
    weights: Path | None = None
    resume: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Who is told how a training goes.

    Attributes:
        on_photos: Gets the number of photos that are read.
        on_progress: Gets how far the learning is.
    """

    on_photos: Callable[[int], None]
    on_progress: Callable[[TrainingProgress], None]
