"""Cards for ONNX files, whole or with weights in further files."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from sartor.choices import Layout, RuntimeChoice, Scaling
from sartor.config import Settings
from sartor.encoders import add as onnx_whole
from sartor.encoders.add import ModelSpec, as_one_file
from sartor.encoders.card import PixelScaling
from sartor.encoders.onnx_file import external_files
from sartor.errors import MissingExtra, ModelExists, UnusableModel
from sartor.shop.library import add_model, open_models
from tests.networks import SIDE_PX, batch_mixing_network, color_network, constant_network, tower_network


@pytest.fixture(params=[RuntimeChoice.OPENVINO, RuntimeChoice.ONNXRUNTIME], ids=str)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", runtime=request.param)


def spec(**said: object) -> ModelSpec:
    defaults = {"id": "color", "scaling": PixelScaling.named(Scaling.UNIT), "output": "embedding"}
    return ModelSpec(**(defaults | said))


def test_what_a_file_tells_is_read_from_it(settings: Settings, color_file: Path) -> None:
    card = add_model(settings, color_file, spec())
    assert (card.layout, card.size_px, card.output, card.dimension) == (
        Layout.NHWC,
        (SIDE_PX, SIDE_PX),
        "embedding",
        3,
    )
    assert open_models(settings).cards() == (card,)


def test_the_layout_is_read_from_where_the_channels_are(settings: Settings, tmp_path: Path) -> None:
    file = color_network(tmp_path / "nchw.onnx", layout="NCHW")
    assert add_model(settings, file, spec()).layout is Layout.NCHW


def test_the_only_output_of_one_vector_a_photo_needs_no_name(settings: Settings, color_file: Path) -> None:
    assert add_model(settings, color_file, spec(output=None)).output == "embedding"


def test_one_of_several_such_outputs_has_to_be_named(settings: Settings, tmp_path: Path) -> None:
    file = tower_network(tmp_path / "two.onnx", outputs={"first": 2, "second": 2})
    with pytest.raises(UnusableModel, match="several outputs; add --output with one of: first, second"):
        add_model(settings, file, spec(output=None, size_px=(SIDE_PX, SIDE_PX)))


def test_an_output_that_is_not_there_is_refused(settings: Settings, color_file: Path) -> None:
    with pytest.raises(UnusableModel, match="no output 'top'; add --output with one of: embedding, map"):
        add_model(settings, color_file, spec(output="top"))


def test_a_feature_map_is_no_embedding(settings: Settings, color_file: Path) -> None:
    with pytest.raises(UnusableModel, match=r"\(n, 32, 32, 3\), not \(n, d\); add --output embedding"):
        add_model(settings, color_file, spec(output="map"))


def test_a_size_that_contradicts_the_file_is_refused(settings: Settings, color_file: Path) -> None:
    with pytest.raises(UnusableModel, match="contradicts the size 224x224"):
        add_model(settings, color_file, spec(size_px=(224, 224)))


def test_a_network_that_sees_no_difference_is_refused(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match="same embedding for different photos"):
        add_model(settings, constant_network(tmp_path / "constant.onnx"), spec())


def test_a_network_that_mixes_its_batch_is_refused(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match="depends on the other photos"):
        add_model(settings, batch_mixing_network(tmp_path / "mixing.onnx"), spec())


def test_an_id_that_is_no_plain_name_is_refused(settings: Settings, color_file: Path) -> None:
    with pytest.raises(UnusableModel, match=r"'\.\./evil' must be of lower-case letters"):
        add_model(settings, color_file, spec(id="../evil"))


def test_a_missing_file_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match=r"none\.onnx .* there is no such file"):
        add_model(settings, tmp_path / "none.onnx", spec())


def test_adding_the_same_model_again_changes_nothing(settings: Settings, color_file: Path) -> None:
    assert add_model(settings, color_file, spec()) == add_model(settings, color_file, spec())


def test_another_model_of_the_same_id_is_refused(settings: Settings, color_file: Path) -> None:
    add_model(settings, color_file, spec())
    with pytest.raises(ModelExists, match="another model 'color'"):
        add_model(settings, color_file, spec(scaling=PixelScaling.named(Scaling.TF)))


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
