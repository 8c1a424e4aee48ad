from __future__ import annotations

from pathlib import Path

import pytest

from sartor.errors import SartorError, UnusableLabelMap
from sartor.evaluation.relevance import LabelMap

ROOT = Path(__file__).parents[2]
STREET_TO_SHOP = ROOT / "recipes" / "street-to-shop.toml"
HEAD = 'queries = "label"\ngallery = "articleType"\n'


def test_a_map_is_read_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(HEAD + '[classes]\n"Shoe" = ["Heels", "Flats"]\n')

    read = LabelMap.read(tmp_path / "map.toml")

    assert (read.queries, read.gallery) == ("label", "articleType")
    assert read.classes == {"Shoe": ("Heels", "Flats")}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("queries = ", "it is no TOML"),
        ('gallery = "x"\n[classes]\na = ["b"]', "queries is missing"),
        ('queries = "x"\n[classes]\na = ["b"]', "gallery is missing"),
        (HEAD, "classes is missing"),
        (HEAD + "[classes]", "classes is empty"),
        (HEAD + "[classes]\na = []", "classes.a is empty"),
        (HEAD + '[classes]\na = "b"', "classes.a: Input should be a valid tuple"),
        (HEAD + '[classes]\na = [" "]', "classes.a.0: String should have at least 1 character"),
        ('queries = ""\n' + 'gallery = "x"\n[classes]\na = ["b"]', "queries: String should have"),
        (HEAD + 'colour = 1\n[classes]\na = ["b"]', "colour: Extra inputs"),
    ],
)
def test_what_is_no_map_is_refused_with_what_is_wrong_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "bad.toml").write_text(text)

    with pytest.raises(UnusableLabelMap) as caught:
        LabelMap.read(tmp_path / "bad.toml")

    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, SartorError)


def test_a_map_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")

    for name in ("none.toml", "binary.toml"):
        with pytest.raises(UnusableLabelMap, match="cannot be read"):
            LabelMap.read(tmp_path / name)


def test_the_map_from_street_to_shop_has_every_label_that_says_something() -> None:
    mapped = LabelMap.read(STREET_TO_SHOP)

    assert (mapped.queries, mapped.gallery) == ("label", "articleType")
    assert len(mapped.classes) == 16
    assert {"Not sure", "Other", "Skip", "Body"}.isdisjoint(mapped.classes)


def test_its_document_has_the_same_rows() -> None:
    text = (ROOT / "docs" / "reference" / "street-to-shop.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in text.splitlines() if line.startswith("| ")]
    documented = {label: tuple(types.split(", ")) for label, _, types in rows if label != "label"}

    assert documented == LabelMap.read(STREET_TO_SHOP).classes
