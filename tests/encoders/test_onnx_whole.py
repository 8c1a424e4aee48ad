"""A network whose weights lie in further files becomes one file, which its card can vouch for."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from sartor.choices import Scaling
from sartor.config import Settings
from sartor.encoders import add as onnx_whole
from sartor.encoders.add import ModelSpec, as_one_file, external_files
from sartor.encoders.card import PixelScaling
from sartor.errors import MissingExtra, UnusableModel
from sartor.shop.library import add_model, open_models
from tests.networks import tower_network


@pytest.fixture
def parted(tmp_path: Path) -> Path:
    """A network whose weight lies in ``model.onnx_data``."""
    folder = tmp_path / "parted"
    folder.mkdir()
    model = onnx.load(tower_network(tmp_path / "whole.onnx", outputs={"image_embeds": 2}))
    onnx.save_model(
        model, folder / "model.onnx", save_as_external_data=True, location="model.onnx_data", size_threshold=0
    )
    return folder / "model.onnx"


def test_a_network_of_one_file_is_itself(color_file: Path, tmp_path: Path) -> None:
    assert external_files(color_file) == ()
    assert as_one_file(color_file, tmp_path) == color_file


def test_a_file_that_is_no_network_names_no_others(tmp_path: Path) -> None:
    for number, content in enumerate((b"", b"PNG", b"\x3a\xff", b"\xff" * 40)):
        (tmp_path / f"{number}.onnx").write_bytes(content)
        assert external_files(tmp_path / f"{number}.onnx") == ()


def test_a_network_in_parts_is_added_whole(parted: Path, tmp_path: Path) -> None:
    assert external_files(parted) == ("model.onnx_data",)
    settings = Settings(home=tmp_path / "home")
    said = ModelSpec(id="parted", scaling=PixelScaling.named(Scaling.UNIT), size_px=(32, 32))
    card = add_model(settings, parted, said)
    models = open_models(settings)
    assert external_files(models.file(card)) == ()
    assert sorted(path.name for path in models.folders()["parted"].iterdir()) == ["card.json", "model.onnx"]
    assert add_model(settings, parted, said) == card


def test_a_part_that_is_missing_is_named(parted: Path, tmp_path: Path) -> None:
    parted.with_name("model.onnx_data").unlink()
    with pytest.raises(UnusableModel, match=r"its weights lie in model\.onnx_data, which is not beside it"):
        as_one_file(parted, tmp_path)


def test_the_package_that_joins_the_parts_is_asked_for(
    parted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_whole, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="needs the package onnx"):
        as_one_file(parted, tmp_path)
