"""An encoder that another back end trained is converted by a process of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sartor.encoders.card import MODEL_FILE, WEIGHTS_FILE
from sartor.encoders.keras.model import build
from sartor.encoders.networks import network
from sartor.errors import UnusableModel
from sartor.training.convert import Plan, write_elsewhere, write_onnx
from sartor.training.network import Shape, encoder
from sartor.training.start import keep_weights, rebuilt

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

PLAN = Plan(
    id="small",
    base="mobilenet_v2",
    shape=Shape(side_px=32, dimension=16, attributes={"color": 3}, hidden=8),
    outputs={"color": "attribute_0"},
)


def test_a_process_of_its_own_writes_the_same_network(tmp_path: Path) -> None:
    folders = [tmp_path / "here", tmp_path / "elsewhere"]
    for folder in folders:
        folder.mkdir()
    keep_weights(
        encoder(build(network("mobilenet_v2"), pooling=None, side_px=32), PLAN.shape), folders[0] / WEIGHTS_FILE
    )
    (folders[1] / WEIGHTS_FILE).write_bytes((folders[0] / WEIGHTS_FILE).read_bytes())

    write_onnx(rebuilt(PLAN.base, PLAN.shape, folders[0]), PLAN, folders[0])
    write_elsewhere(PLAN, folders[1])

    assert (folders[0] / MODEL_FILE).read_bytes() == (folders[1] / MODEL_FILE).read_bytes()
    assert {file.name for file in folders[1].iterdir()} == {MODEL_FILE, WEIGHTS_FILE}


def test_what_fails_there_is_told_here(tmp_path: Path) -> None:
    np.savez(tmp_path / WEIGHTS_FILE, nothing=np.zeros(1))
    (tmp_path / WEIGHTS_FILE).write_bytes(b"no weights")

    with pytest.raises(UnusableModel, match="cannot be read"):
        write_elsewhere(PLAN, tmp_path)
