from __future__ import annotations

from pathlib import Path

import pytest

from sartor.errors import UnusableRecipe
from sartor.training.recipe import Recipe

RECIPES = Path(__file__).parents[2] / "recipes"
STAGE_1, SARTOR_V1 = RECIPES / "sartor-v1-stage1.toml", RECIPES / "sartor-v1.toml"


def test_the_recipe_of_sartor_v1_is_one() -> None:
    recipe = Recipe.read(SARTOR_V1)

    assert recipe.id == "sartor-v1"
    assert recipe.base == Recipe.read(STAGE_1).id
    assert Recipe.read(STAGE_1).split == recipe.split
    assert set(recipe.judge_by) <= {label.name for label in recipe.labels}
    assert "sender_id" in recipe.split.group_by


def test_a_recipe_with_nothing_in_it_has_a_default_for_everything(tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_text("")

    assert Recipe.read(tmp_path / "empty.toml") == Recipe()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("id = ", "no TOML"),
        ("colour = 1", "colour: Extra inputs"),
        ("[split]\nshare = 1.5", "split.share"),
        ("[network]\nside_px = 'large'", "network.side_px"),
    ],
)
def test_what_is_no_recipe_is_refused_with_the_field(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "bad.toml").write_text(text)

    with pytest.raises(UnusableRecipe, match=reason) as caught:
        Recipe.read(tmp_path / "bad.toml")

    assert "\n" not in str(caught.value)


def test_a_missing_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableRecipe, match="cannot be read"):
        Recipe.read(tmp_path / "none.toml")
