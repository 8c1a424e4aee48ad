"""Evaluations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.errors.base import SartorError

if TYPE_CHECKING:
    from pathlib import Path


class EvaluationError(SartorError):
    """An evaluation cannot be done as it stands."""


class NothingToEvaluate(EvaluationError):
    """There is nothing to ask, or nothing to find."""

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"there is nothing to evaluate: {reason}")


class UnusableLabelMap(EvaluationError):
    """A file does not say which labels of the queries mean which of the gallery."""

    def __init__(self, path: Path, *, reason: str) -> None:
        super().__init__(f"{path} is no map of labels: {reason}; see docs/reference/street-to-shop.md")
