from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from sartor.encoders import registry as module
from sartor.encoders.card import CARD_FILE, MODEL_FILE, ModelCard
from sartor.encoders.networks import NETWORKS
from sartor.encoders.registry import DEFAULT_MODEL, KnownModel, ModelRegistry, list_models, sha256_of
from sartor.errors import ModelDamaged, ModelNotFound, UnusableModel
from tests.fakes import COLOR_CARD


@pytest.fixture
def card(color_file: Path) -> ModelCard:
    return COLOR_CARD.model_copy(update={"sha256": sha256_of(color_file)})


@pytest.fixture
def registry(tmp_path: Path, color_file: Path, card: ModelCard) -> ModelRegistry:
    registry = ModelRegistry(tmp_path / "models")
    registry.add(color_file, card)
    return registry


def test_a_model_that_was_added_is_found(registry: ModelRegistry, card: ModelCard, color_file: Path) -> None:
    assert registry.card("color") == card
    assert registry.file(card).read_bytes() == color_file.read_bytes()


def test_an_unknown_model_is_named_with_the_known_ones(registry: ModelRegistry) -> None:
    with pytest.raises(ModelNotFound, match=r"no model 'colour' here \(there are: color\)"):
        registry.card("colour")


def test_a_network_that_was_tampered_with_is_refused(
    registry: ModelRegistry, card: ModelCard, tmp_path: Path
) -> None:
    (tmp_path / "models" / "color" / MODEL_FILE).write_bytes(b"something else")
    with pytest.raises(ModelDamaged, match="not the file its card describes"):
        registry.file(card)


def test_a_network_that_is_gone_is_refused(registry: ModelRegistry, card: ModelCard, tmp_path: Path) -> None:
    (tmp_path / "models" / "color" / MODEL_FILE).unlink()
    with pytest.raises(ModelDamaged):
        registry.file(card)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "its card is not valid"),
        ('{"id": "x"}', "sha256: Field required"),
        (COLOR_CARD.model_dump_json().replace('"dimension":3', '"dimension":-3'), "dimension"),
        (COLOR_CARD.model_dump_json().replace('"std":[255.0,', '"std":[0.0,'), "std must not be 0"),
    ],
)
def test_a_card_that_is_not_valid_says_which_field(
    registry: ModelRegistry, tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "models" / "color" / CARD_FILE).write_text(text)
    with pytest.raises(UnusableModel, match=reason):
        registry.cards()


def test_nothing_is_left_of_a_staging_directory(registry: ModelRegistry, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="stop"), registry.staging() as staging:
        (staging / "half").write_bytes(b"x")
        raise RuntimeError("stop")
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["color"]


def test_a_card_survives_its_file(card: ModelCard, tmp_path: Path) -> None:
    card.write(tmp_path / CARD_FILE)
    assert ModelCard.read(tmp_path / CARD_FILE) == card


def test_the_known_models_are_the_bundled_one_and_the_networks_that_can_be_exported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "DIRECTORY", Path(module.__file__).parents[1] / "bundled")
    bundled, *exportable = list_models()
    assert (bundled.name, bundled.license, bundled.weights) == (DEFAULT_MODEL, "Apache-2.0", "bundled")
    assert (bundled.dimension, bundled.size_px) == (256, (128, 128))
    assert bundled.size_bytes == (module.DIRECTORY / DEFAULT_MODEL / MODEL_FILE).stat().st_size
    assert [model.name for model in exportable] == list(NETWORKS)
    assert exportable[0] == KnownModel(
        name="resnet50",
        license="MIT",
        size_bytes=94_350_848,
        dimension=2048,
        size_px=(224, 224),
        weights=NETWORKS["resnet50"].weights_url,
    )
    assert all(model.weights.startswith("https://") and model.license for model in exportable)


def test_the_example_of_the_list_of_models_is_true() -> None:
    (example,) = doctest.DocTestFinder().find(list_models, "list_models")
    assert doctest.DocTestRunner().run(example) == (0, 1 + 1)
