"""Models that come with Sartor, with a tiny network in the place of the real one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import sartor
from sartor.choices import Scaling
from sartor.config import Settings
from sartor.encoders import registry as module
from sartor.encoders.add import ModelSpec
from sartor.encoders.card import CARD_FILE, MODEL_FILE, PixelScaling
from sartor.encoders.registry import DEFAULT_MODEL, ModelRegistry, sha256_of
from sartor.errors import ModelBundled, ModelNotChosen, NoModel
from sartor.shop.library import add_model, open_models
from tests.fakes import BLUE, COLOR_CARD, GREEN, RED, folder_of, photo


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
