"""A training that is killed goes on, and comes to where it would have come."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sartor.errors import UnusableCheckpoint
from sartor.training.loop import Checkpoint, State
from sartor.training.start import find_start
from sartor.training.train import Job, Trained, train
from tests.training.conftest import catalog_of
from tests.training.small import SMALL, eager_steps, small_recipe

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

ROOT = Path(__file__).parents[2]
STEPS, EVERY = 12, 4
CHILD = """
import sys
from pathlib import Path
from tests.training.small import eager_steps, small_network
from tests.training.test_loop import job
from sartor.training.train import train
source, weights, output = map(Path, sys.argv[1:])
with small_network(), eager_steps():
    train(job(source, weights, output), on_progress=lambda progress: print(progress.step, flush=True))
"""


def job(source: Path, weights: Path, output: Path, *, resume: bool = False) -> Job:
    return Job(
        sources=[source],
        output=output,
        recipe=small_recipe(steps=STEPS, validate_every=EVERY),
        start=find_start(SMALL.name, weights=weights, folders={}),
        resume=resume,
    )


def figures(trained: Trained) -> dict[str, float]:
    assert trained.card.training is not None
    return {name: measured.mean for name, measured in trained.card.training.figures.items()}


def test_a_killed_training_ends_like_one_that_was_not(tmp_path: Path, weights: Path) -> None:
    source = catalog_of(tmp_path / "catalog", products=40)
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, source, weights, tmp_path / "killed"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) >= EVERY + 2:  # past the first checkpoint
                child.send_signal(signal.SIGKILL)
                break
    assert (tmp_path / "killed" / "work" / "checkpoint.npz").exists()

    with eager_steps():
        resumed = train(job(source, weights, tmp_path / "killed", resume=True))
        whole = train(job(source, weights, tmp_path / "whole"))

    assert resumed.card.training is not None
    assert resumed.card.training.steps == STEPS
    for name, value in figures(whole).items():
        assert figures(resumed)[name] == pytest.approx(value, abs=0.1), name


class Variable:
    """As much of a Keras variable as a checkpoint uses."""

    def __init__(self, value: float) -> None:
        self.value = np.array([value])

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return self.value

    def assign(self, value: np.ndarray) -> None:
        self.value = value


def test_a_checkpoint_gives_back_what_it_kept(tmp_path: Path) -> None:
    state = State(step=3, recipe="r", losses=[(2, 1.5)], validations=[(2, {"retrieval": 0.5})], best_step=2)
    Checkpoint(tmp_path).write(state, [Variable(1.0), Variable(2.0)])
    fresh = [Variable(0.0), Variable(0.0)]

    assert Checkpoint(tmp_path).read(fresh, recipe="r") == state
    assert [each.value.item() for each in fresh] == [1.0, 2.0]


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    Checkpoint(tmp_path).write(State(recipe="one"), [Variable(1.0)])
    fresh = [Variable(0.0)]

    with pytest.raises(UnusableCheckpoint, match="another recipe"):
        Checkpoint(tmp_path).read(fresh, recipe="two")
    assert fresh[0].value.item() == 0.0


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "checkpoint.npz").write_bytes(content)

    with pytest.raises(UnusableCheckpoint, match="damaged"):
        Checkpoint(tmp_path).read([], recipe="r")
