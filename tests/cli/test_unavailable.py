"""``--include-unavailable``, and the setting of the shop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Sartor

FEED = """id,image_link,title,product_type,availability
a,red.png,Red,Shirts,in stock
b,pink.png,Pink,Shirts,sold out
c,blue.png,Blue,Jeans,out_of_stock
"""


def ids(answer: dict[str, Any], of: str = "results") -> list[str]:
    return sorted(each["product_id"] for each in answer[of])


@pytest.fixture
def feed(sartor: Sartor, photos: Path) -> Path:
    (photos / "feed.csv").write_text(FEED)
    assert sartor("index", photos / "feed.csv").code == 0
    return photos


def test_what_is_out_of_stock_is_left_out_unless_it_is_asked_for(
    sartor: Sartor, feed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = ("similar", feed / "green.png", "--json")
    of = next(name for name, value in sartor(*query).json().items() if isinstance(value, list) and value)
    assert ids(sartor(*query).json(), of) == ["a"]
    assert ids(sartor(*query, "--include-unavailable").json(), of) == ["a", "b", "c"]
    worn = ("looks", feed / "green.png", "--json")
    assert ids(sartor(*worn).json()["garments"][0], "hits") == ["a"]
    assert ids(sartor(*worn, "--include-unavailable").json()["garments"][0], "hits") == ["a", "b", "c"]
    outfit = ("outfit", "a", "--slots", "bottom", "--json")
    assert sartor(*outfit).json()["pieces"] == []
    assert ids(sartor(*outfit, "--include-unavailable").json(), "pieces") == ["c"]
    monkeypatch.setenv("SARTOR_INCLUDE_UNAVAILABLE", "true")
    assert ids(sartor(*query).json(), of) == ["a", "b", "c"]
