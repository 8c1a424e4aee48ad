"""A training's state on disk, whole at every moment: each write replaces the one before it in one step."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.errors import UnusableCheckpoint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sartor.encoders.keras_backend import keras

_FILE = "checkpoint.npz"
_STATE = "state"


@dataclass(slots=True, kw_only=True)
class State:
    """How far a training is.

    Attributes:
        step: Steps done.
        recipe: SHA-256 of what is trained: the recipe, and the ids of the training products.
        elapsed_s: Time spent so far, in all runs together.
        losses: Step and mean loss since the entry before.
        validations: Step and figures by name.
        best_step: Step of the best retrieval figure so far.
    """

    step: int = 0
    recipe: str = ""
    elapsed_s: float = 0.0
    losses: list[tuple[int, float]] = field(default_factory=list)
    validations: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    best_step: int = 0


class Checkpoint:
    """One file in a directory with the state and every variable of the model and its optimizer."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / _FILE

    def write(self, state: State, variables: Sequence[keras.Variable]) -> None:
        """Keep this state instead of the one before it."""
        arrays: dict[str, Any] = {f"{place:05d}": np.asarray(each) for place, each in enumerate(variables)}
        arrays[_STATE] = np.frombuffer(json.dumps(asdict(state)).encode(), dtype=np.uint8)
        draft = self._file.with_suffix(".part")
        with draft.open("wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._file)

    def exists(self) -> bool:
        """Whether there is something to go on from."""
        return self._file.is_file()

    def read(self, variables: Sequence[keras.Variable], *, recipe: str) -> State:
        """Put the variables back, and return the state.

        Raises:
            UnusableCheckpoint: It is damaged, or of another recipe or other products.
        """
        try:
            with self._file.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                state = State(**json.loads(arrays[_STATE].tobytes()))
                values = [arrays[f"{place:05d}"] for place in range(len(variables))]
        except Exception as error:
            raise UnusableCheckpoint(self._file, reason="it is damaged") from error
        if state.recipe != recipe:
            raise UnusableCheckpoint(self._file, reason="it is of another recipe or of other products")
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        state.losses = [(step, loss) for step, loss in state.losses]  # JSON has lists
        state.validations = [(step, figures) for step, figures in state.validations]
        return state
