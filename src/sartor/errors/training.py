"""Trainings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.errors.base import SartorError

if TYPE_CHECKING:
    from pathlib import Path


class TrainingError(SartorError):
    """A training cannot be done as it stands."""


class UnusableRecipe(TrainingError):
    """A file is no recipe of a training."""

    def __init__(self, path: Path | None, *, reason: str) -> None:
        what = "this is no recipe" if path is None else f"{path} is no recipe"
        super().__init__(f"{what}: {reason}; see docs/how-to/train.md")


class NothingToLearn(TrainingError):
    """The sources do not hold what a training needs."""

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"there is nothing to learn here: {reason}")


class UnusableCheckpoint(TrainingError):
    """A training cannot go on from what is there."""

    def __init__(self, path: Path, *, reason: str) -> None:
        super().__init__(f"cannot go on from {path}: {reason}; leave --resume out, or choose another --output")


class OutputTaken(TrainingError):
    """The output of a training already holds one."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} already holds a training; go on with --resume, or choose another --output")
