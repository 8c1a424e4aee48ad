from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Sartor
from tests.promotions import add_models, labelled_photos


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
        (["--scaling", "raw", "--pooling", "avg"], "--pooling is not used here: it goes with --network"),
        (["--scaling", "raw", "--channel-order", "BGR"], "--channel-order is not used here: it goes with --mean"),
        (["--network", "resnet50", "--size", "224"], "--size is not used here: resnet50 says it itself"),
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


def test_bundled_models_are_marked(sartor: Sartor, bundled: Path, home: Path) -> None:
    shutil.copytree(home / "models" / "color", bundled / "given")
    card = bundled / "given" / "card.json"
    card.write_text(card.read_text().replace('"color"', '"given"'))
    assert [(model["id"], model["bundled"]) for model in sartor("models", "list", "--json").json()] == [
        ("color", False),
        ("given", True),
    ]
    assert sartor("models", "list").out.count("bundled") == 1
    options = ("--id", "given", "--scaling", "unit", "--output", "embedding")
    outcome = sartor("models", "add", home / "models" / "color" / "model.onnx", *options)
    assert (outcome.code, outcome.err) == (
        1,
        "sartor: the model 'given' comes with Sartor and is there already; choose another --id\n",
    )


def test_a_model_is_promoted_refused_forced_and_rolled_back(sartor: Sartor, home: Path, tmp_path: Path) -> None:
    add_models(home)
    assert sartor("index", labelled_photos(tmp_path / "labelled"), "--model", "blind").code == 0
    promoted = sartor("models", "promote", "seeing")
    assert promoted.out.startswith("seeing is the default now, instead of blind\n0.")
    assert "300 photos embedded, 0 rejected" in promoted.out
    refused = sartor("models", "promote", "blind", "--json")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("sartor: blind is not shown to be better than seeing")
    assert refused.err.count("\n") == 1
    forced = sartor("models", "promote", "blind", "--force", "--json").json()
    assert (forced["model"], forced["previous"], forced["embedded"]) == ("blind", "seeing", 0)
    assert forced["comparison"]["labels"] == ["family"]
    assert forced["comparison"]["test"]["difference"] < 0
    back = sartor("models", "rollback")
    assert (back.code, back.out) == (0, "seeing is the default now, instead of blind\n")
    assert sartor("info", "--json").json()["default_model"] == "seeing"
    again = sartor("models", "rollback")
    assert (again.code, again.err) == (
        1,
        "sartor: no model was replaced by a promotion that could be undone; the workspace stays with seeing\n",
    )
    assert sartor("models", "promote", "seeing").out == "seeing is the default already\n"


def test_promoting_a_model_that_is_not_there_is_one_line(sartor: Sartor) -> None:
    outcome = sartor("models", "promote", "none")
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1


def test_a_model_that_is_there_already_is_not_told_as_added(sartor: Sartor, color_file: Path) -> None:
    command = ("models", "add", color_file, "--id", "own", "--scaling", "unit", "--output", "embedding")
    assert "added own" in sartor(*command).out
    assert sartor(*command).out == "own is there already, with the same network; nothing was changed\n"


def test_a_forced_promotion_says_that_nothing_was_compared(sartor: Sartor, color_file: Path, table: Path) -> None:
    sartor("index", table)
    sartor("models", "add", color_file, "--id", "own", "--scaling", "unit", "--output", "embedding")
    assert "it was not compared with the former default" in sartor("models", "promote", "own", "--force").out
