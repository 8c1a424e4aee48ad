from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Sartor


def test_models_are_listed(sartor: Sartor) -> None:
    assert "color" in sartor("models", "list").out
    (card,) = sartor("models", "list", "--json").json()
    assert (card["id"], card["dimension"], card["size_px"]) == ("color", 3, [32, 32])


def test_an_empty_list_says_how_to_get_a_model(sartor: Sartor, tmp_path: Path) -> None:
    assert "sartor models export mobilenet_v2" in sartor("models", "list", "--home", tmp_path / "new").out


def test_a_model_is_added_with_its_own_mean_and_deviation(sartor: Sartor, color_file: Path) -> None:
    scaling = ("--mean", "1,2,3", "--std", "4,5,6", "--channel-order", "BGR")
    outcome = sartor("models", "add", color_file, "--id", "own", *scaling, "--output", "embedding", "--json")
    assert outcome.json()["scaling"] == {"channel_order": "BGR", "mean": [1, 2, 3], "std": [4, 5, 6]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give --scaling (caffe, tf, torch, unit, raw, clip), or --mean and --std"),
        (["--scaling", "tf", "--mean", "1,2,3"], "give --scaling"),
        (["--mean", "1,2", "--std", "1,1,1"], "--mean takes three numbers"),
        (["--mean", "1,2,3", "--std", "1,0,1"], "--std must not be 0"),
        (["--scaling", "unit", "--size", "big"], "--size takes 224 or HEIGHTxWIDTH"),
        (["--scaling", "loud"], "loud"),
    ],
)
def test_wrong_options_are_wrong_usage(sartor: Sartor, color_file: Path, options: list[str], message: str) -> None:
    outcome = sartor("models", "add", color_file, "--id", "x", "--output", "embedding", *options)
    assert outcome.code == 2
    assert message in " ".join(outcome.err.split())


def test_an_unknown_network_is_answered_with_the_known_ones(sartor: Sartor) -> None:
    outcome = sartor("models", "export", "resnet5")
    assert outcome.code == 1
    assert "resnet50" in outcome.err
    assert outcome.err.count("\n") == 1
