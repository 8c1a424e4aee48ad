from __future__ import annotations

from pathlib import Path

import pytest

import sartor as library
from tests.cli.conftest import Sartor, write_photos, write_table
from tests.copies import copied


@pytest.fixture(scope="module")
def filled_home(empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("filled")
    copied(empty_home, directory / "home")
    with library.open(directory / "home") as shop:
        shop.index(write_table(write_photos(directory / "photos")))
    return directory / "home"


@pytest.fixture
def indexed(sartor: Sartor, home: Path, filled_home: Path) -> Sartor:
    copied(filled_home, home)
    return sartor


def test_words_find_products(indexed: Sartor) -> None:
    answer = indexed("search", "blue", "shirt", "--json").json()

    assert answer["hits"][0]["title"] == "Blue shirt"
    assert answer["understood"] == [{"words": "blue", "filter": "color=Blue", "read_as": None}]
    assert answer["words"] == ["shirt"]
    assert answer["by_looks"] is False


def test_people_read_what_was_understood(indexed: Sartor) -> None:
    outcome = indexed("search", "red shirt under 20")

    assert "Understood as filters: price=..20 ('under 20'); color=Red ('red')" in outcome.out
    assert "Red shirt" in outcome.out
    assert "Blue shirt" not in outcome.out


def test_a_filter_is_taken_back(indexed: Sartor) -> None:
    answer = indexed("search", "red shirt", "--plain", "red", "--json").json()

    assert answer["understood"] == []


def test_words_that_nothing_has_are_named(indexed: Sartor) -> None:
    outcome = indexed("search", "xyzzy")

    assert "Nothing here has these words: xyzzy" in outcome.out
    assert "No product is found" in outcome.out
    assert outcome.code == 0


def test_a_query_without_words_is_refused(indexed: Sartor) -> None:
    outcome = indexed("search", "!!")

    assert outcome.code != 0
    assert "give at least one word" in outcome.err


def test_a_sheet_shows_the_hits(indexed: Sartor, tmp_path: Path) -> None:
    indexed("search", "shirt", "--sheet", tmp_path / "hits.png")

    assert (tmp_path / "hits.png").read_bytes()[:4] == b"\x89PNG"


def test_a_text_tower_needs_enough_products(indexed: Sartor) -> None:
    outcome = indexed("train-text")

    assert outcome.code != 0
    assert "too few" in outcome.err


def test_a_model_without_a_text_tower_is_not_measured(indexed: Sartor) -> None:
    outcome = indexed("evaluate", "--text")

    assert outcome.code != 0
    assert "sartor train-text" in outcome.err
    assert indexed("evaluate").code == 2
