"""The models of a workspace beside those that come with Sartor, and the known networks as data."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sartor
from sartor.choices import Scaling
from sartor.config import Settings
from sartor.encoders import registry as module
from sartor.encoders.add import ModelSpec
from sartor.encoders.card import CARD_FILE, MODEL_FILE, ModelCard, PixelScaling
from sartor.encoders.networks import NETWORKS
from sartor.encoders.registry import (
    BASELINES,
    COLOR_HISTOGRAM,
    DEFAULT_MODEL,
    RANDOM,
    KnownModel,
    ModelRegistry,
    baseline,
    list_models,
    sha256_of,
)
from sartor.errors import ModelBundled, ModelDamaged, ModelNotChosen, ModelNotFound, NoModel, UnusableModel
from sartor.shop.library import add_model, open_models
from tests.fakes import BLUE, COLOR_CARD, GREEN, RED, folder_of, photo


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


@pytest.fixture
def shipped(bundled: Path, color_file: Path) -> Path:
    """The directory of bundled models, with the default in it."""
    folder = bundled / DEFAULT_MODEL
    folder.mkdir()
    shutil.copyfile(color_file, folder / MODEL_FILE)
    COLOR_CARD.model_copy(update={"id": DEFAULT_MODEL, "sha256": sha256_of(color_file)}).write(folder / CARD_FILE)
    return bundled


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "photos", {"red": RED, "green": GREEN, "blue": BLUE})


def add(home: Path, color_file: Path, model_id: str) -> None:
    spec = ModelSpec(id=model_id, scaling=PixelScaling.named(Scaling.UNIT), output="embedding")
    add_model(Settings(home=home), color_file, spec)


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_bundled_models_lie_inside_the_package() -> None:
    assert Path(module.__file__).parents[1] == Path(sartor.__file__).parent


def test_a_fresh_workspace_works_with_the_bundled_model_and_leaves_the_package_alone(
    shipped: Path, tmp_path: Path, photos: Path
) -> None:
    before = contents(shipped)
    with sartor.open(tmp_path / "home") as shop:
        assert shop.index(photos).model == DEFAULT_MODEL
        assert shop.similar(photo((250, 5, 5)), k=1)[0].product_id == "red"
        assert shop.info().models == (DEFAULT_MODEL,)
        assert shop.check() == ()
    assert contents(shipped) == before
    assert not (tmp_path / "home" / "models").exists()


def test_a_workspace_keeps_the_default_that_embedded_it(
    bundled: Path, home: Path, photos: Path, request: pytest.FixtureRequest
) -> None:
    with sartor.open(home) as shop:
        shop.index(photos)
    request.getfixturevalue("shipped")
    with sartor.open(home) as shop:
        assert shop.model.id == "color"
    with sartor.open(home, model=DEFAULT_MODEL) as shop:
        assert shop.model.id == DEFAULT_MODEL


def test_the_only_model_that_was_added_comes_before_the_bundled_one(shipped: Path, home: Path) -> None:
    with sartor.open(home) as shop:
        assert shop.model.id == "color"


def test_of_several_added_models_one_has_to_be_chosen(shipped: Path, home: Path, color_file: Path) -> None:
    add(home, color_file, "second")
    with sartor.open(home) as shop, pytest.raises(ModelNotChosen, match=rf"\(color, {DEFAULT_MODEL}, second\)"):
        _ = shop.model


def test_a_bundled_model_other_than_the_default_has_to_be_named(shipped: Path, tmp_path: Path) -> None:
    folder = shipped / DEFAULT_MODEL
    card = COLOR_CARD.model_copy(update={"id": "other", "sha256": sha256_of(folder / MODEL_FILE)})
    card.write(folder / CARD_FILE)
    folder.rename(shipped / "other")
    with sartor.open(tmp_path / "home") as shop, pytest.raises(NoModel):
        _ = shop.model
    with sartor.open(tmp_path / "home", model="other") as shop:
        assert shop.model == card


def test_the_id_of_a_bundled_model_is_taken(shipped: Path, home: Path, color_file: Path) -> None:
    with pytest.raises(ModelBundled, match=f"'{DEFAULT_MODEL}' comes with Sartor and is there already"):
        add(home, color_file, DEFAULT_MODEL)
    assert [path.name for path in (home / "models").iterdir()] == ["color"]


def test_a_workspaces_own_model_of_an_id_that_was_bundled_later_counts(
    bundled: Path, home: Path, color_file: Path, request: pytest.FixtureRequest
) -> None:
    add(home, color_file, DEFAULT_MODEL)
    own = open_models(Settings(home=home)).card(DEFAULT_MODEL)
    request.getfixturevalue("shipped")
    models = open_models(Settings(home=home))
    assert models.card(DEFAULT_MODEL) == own
    assert not models.is_bundled(DEFAULT_MODEL)
    assert models.file(own).is_relative_to(home)


@pytest.mark.parametrize("there", [True, False])
def test_a_package_without_models_has_none(tmp_path: Path, there: bool) -> None:
    directory = tmp_path / "bundled"
    if there:
        directory.mkdir()
    models = ModelRegistry(tmp_path / "models", bundled=directory)
    assert models.cards() == ()
    assert not models.is_bundled(DEFAULT_MODEL)


def one_color(color: tuple[int, int, int]) -> Image.Image:
    return Image.new("RGB", (30, 40), color)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_gives_unit_vectors_and_the_same_ones_again(name: str) -> None:
    images = [one_color((200, 10, 10)), one_color((10, 10, 200))]
    with baseline(name) as encoder:
        vectors = encoder.embed(images)
        assert vectors.shape == (2, encoder.card.dimension)
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
        assert np.array_equal(vectors, encoder.embed(images))


def test_photos_of_one_color_have_the_same_histogram_and_others_share_nothing() -> None:
    half = one_color((200, 10, 10))
    half.paste((10, 10, 200), (0, 0, 30, 20))
    with baseline(COLOR_HISTOGRAM) as encoder:
        red, darker, blue, both = encoder.embed(
            [one_color((200, 10, 10)), one_color((195, 5, 5)), one_color((10, 10, 200)), half]
        )
    assert red @ darker == pytest.approx(1)
    assert red @ blue == 0
    assert red @ both == pytest.approx(np.sqrt(0.5), abs=0.05)


def test_chance_knows_nothing_of_colors() -> None:
    with baseline(RANDOM) as encoder:
        vectors = encoder.embed([one_color((number, 10, 10)) for number in range(40)])
    others = (vectors @ vectors.T)[np.triu_indices(40, 1)]
    assert abs(others.mean()) < 0.05


def test_another_name_is_none() -> None:
    with pytest.raises(KeyError):
        baseline("magic")


def test_what_a_killed_addition_left_is_removed_after_a_day(tmp_path: Path) -> None:
    old, young = tmp_path / ".staging-old", tmp_path / ".staging-young"
    for left in (old, young):
        left.mkdir()
        (left / "model.onnx").write_bytes(b"half")
    os.utime(old, (1, 1))
    with ModelRegistry(tmp_path).staging():
        assert (old.exists(), young.exists()) == (False, True)
