"""``sartor demo``, up to where it would serve."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sartor.cli import serve
from sartor.demo import catalog, written_count
from tests.cli.conftest import Sartor


@pytest.fixture
def demo(sartor: Sartor, monkeypatch: pytest.MonkeyPatch) -> Sartor:
    monkeypatch.setattr(serve, "run", lambda *_, **__: None)
    return lambda *arguments: sartor("demo", "--no-browser", *arguments)


def products(sartor: Sartor) -> int:
    return sartor("info", "--json").json()["counts"]["products"]


def test_a_second_start_serves_what_the_first_one_wrote(
    demo: Sartor, sartor: Sartor, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = demo("--count", 3)
    assert "3 products indexed" in first.out
    monkeypatch.delattr(catalog, "ARCHIVE")
    again = demo()
    assert (again.code, again.err.strip()) == (0, "")
    assert "3 products indexed" in again.out
    assert products(sartor) == 3


def test_another_count_takes_their_place(demo: Sartor, sartor: Sartor) -> None:
    demo("--count", 3)
    assert "2 products indexed" in demo("--count", 2).out
    assert products(sartor) == 2


def test_a_stopped_start_is_done_again_at_its_own_size(demo: Sartor, sartor: Sartor, home: Path) -> None:
    demo("--count", 2)
    mark = home / "demo" / "demo.json"
    mark.write_text(json.dumps(json.loads(mark.read_text()) | {"complete": False}))
    assert "2 products indexed" in demo().out


def test_a_workspace_of_ones_own_photos_is_served_as_it_is(demo: Sartor, sartor: Sartor, table: Path) -> None:
    demo("--source", table.parent)
    again = demo()
    assert again.code == 0
    assert "has 4 products already; --count 600 adds the drawn ones" in again.out
    assert products(sartor) == 4


def test_photos_to_search_with_are_written_beside_the_catalog(demo: Sartor, sartor: Sartor, home: Path) -> None:
    demo("--count", 3)
    photos = sorted((home / "demo" / "queries").iterdir())
    assert len(photos) == 3
    found = sartor("similar", photos[0], "-k", 1, "--json")
    assert found.code == 0


def test_more_products_than_there_are_is_one_clear_line(demo: Sartor, home: Path) -> None:
    refused = demo("--count", 601)
    assert refused.code == 2
    assert refused.err.endswith("Invalid value for '--count': Input should be less than or equal to 600\n")
    assert written_count(home / "demo") is None
