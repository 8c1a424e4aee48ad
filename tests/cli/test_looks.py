from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Sartor
from tests.encoders.test_detector import CLASSES, detector, finished
from tests.fakes import BLUE, RED, folder_of, photo


@pytest.fixture
def indexed(sartor: Sartor, tmp_path: Path) -> Sartor:
    photos = folder_of(tmp_path / "clothes", {"shirt": RED, "jeans": BLUE, "shoes": (20, 20, 20)})
    assert sartor("index", photos).code == 0
    return sartor


@pytest.fixture
def worn(tmp_path: Path) -> Path:
    file = tmp_path / "worn.png"
    file.write_bytes(photo((250, 10, 10), side_px=64))
    return file


def test_people_get_a_table_for_each_garment(indexed: Sartor, worn: Path) -> None:
    outcome = indexed("looks", worn, "-k", 1)

    assert outcome.code == 0
    assert outcome.out.startswith("Something, at 0.00,0.00,1.00,1.00\nSeen: colors red\n")
    assert "shirt" in outcome.out
    assert "jeans" not in outcome.out


def test_the_json_has_what_others_rely_on(indexed: Sartor, worn: Path) -> None:
    answer = indexed("looks", worn, "--json").json()
    (garment,) = answer["garments"]

    assert list(answer) == ["model", "garments"]
    assert list(garment) == ["box", "name", "probability", "slot", "kind", "verdict", "good", "seen", "hits"]
    assert garment["hits"][0]["product_id"] == "shirt"


def test_a_detector_that_was_added_says_where_the_garments_are(
    indexed: Sartor, worn: Path, tmp_path: Path
) -> None:
    network = detector(tmp_path / "finder.onnx", finished())
    (tmp_path / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    added = indexed(
        "models", "add", network, "--detector", "--id", "finder", "--classes", tmp_path / "classes.txt"
    )
    assert added.out.splitlines() == [
        "added the detector finder: yolo-finished, 64x64 photos",
        "  it finds: person, shirt, trousers",
    ]
    assert "Detector of garments: finder, yolo-finished" in indexed("models", "list").out

    garments = indexed("looks", worn, "--json").json()["garments"]
    assert [(each["name"], each["slot"]) for each in garments] == [("shirt", "top"), ("trousers", "bottom")]
    assert garments[0]["box"] == [0.25, 0.125, 0.5, 0.375]
    assert [len(each["hits"]) for each in garments] == [3, 3]


def test_a_sheet_shows_the_photo_with_its_boxes_and_the_hits(indexed: Sartor, worn: Path, tmp_path: Path) -> None:
    assert indexed("looks", worn, "--sheet", tmp_path / "looks.html").code == 0
    assert (tmp_path / "looks.html").read_text().count("<figure") == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("looks", "nowhere.jpg"), "nowhere.jpg"),
        (("models", "add", "{file}", "--detector", "--id", "x"), "does not say what its classes are"),
        (("models", "add", "{file}", "--detector", "--id", "x", "--classes", "no.txt"), "no.txt cannot be read"),
        (("models", "add", "{file}", "--id", "x", "--classes", "no.txt"), "it goes with --detector"),
        (("models", "add", "{file}", "--detector", "--id", "x", "--output", "y"), "--output is not used here"),
    ],
)
def test_what_cannot_be_done_is_told(
    indexed: Sartor, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    network = detector(tmp_path / "finder.onnx", np.zeros((1, 7, 20)))
    outcome = indexed(*(argument.format(file=network) for argument in arguments))

    assert outcome.code != 0
    assert said in " ".join(outcome.err.replace("│", " ").split())
