from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Sartor
from tests.fakes import BLUE, RED, folder_of


@pytest.fixture
def indexed(sartor: Sartor, tmp_path: Path) -> Sartor:
    photos = folder_of(tmp_path / "clothes", {"shirt": RED, "jeans": BLUE, "shoes": (20, 20, 20)})
    lines = ["id,image,title,category,gender,price", "1,shirt.png,Red shirt,Shirts,Men,20"]
    lines += ["2,jeans.png,Blue jeans,Jeans,Men,50", "3,shoes.png,Black shoes,Casual Shoes,Unisex,80"]
    (photos / "products.csv").write_text("\n".join(lines))
    assert sartor("index", photos / "products.csv").code == 0
    return sartor


def test_people_get_a_table(indexed: Sartor) -> None:
    outcome = indexed("outfit", 1)

    assert outcome.code == 0
    assert all(word in outcome.out for word in ("Red shirt", "bottom", "jeans", "shoes", "130 together"))


def test_the_json_has_what_others_rely_on(indexed: Sartor) -> None:
    answer = indexed("outfit", 1, "--slots", "shoes,bottom", "--json").json()

    assert list(answer) == ["model", "given", "pieces", "alternatives", "empty", "score", "price"]
    assert [piece["slot"] for piece in answer["pieces"]] == ["shoes", "bottom"]
    assert set(answer["pieces"][0]) >= {"product_id", "title", "price", "score", "reasons", "attributes", "photo"}


def test_a_budget_is_kept(indexed: Sartor) -> None:
    answer = indexed("outfit", 1, "--max-price", 60, "--json").json()

    assert [piece["product_id"] for piece in answer["pieces"]] == ["2"]
    assert "shoes" in answer["empty"]


def test_a_sheet_shows_the_look(indexed: Sartor, tmp_path: Path) -> None:
    assert indexed("outfit", 1, "--sheet", tmp_path / "look.html").code == 0
    assert (tmp_path / "look.html").read_text().count("<figure") == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("outfit", "9"), "product '9' is not in the catalog"),
        (("outfit", "1", "--slots", "hoes"), "'hoes' is no slot of a look; did you mean 'shoes'?"),
    ],
)
def test_what_cannot_be_done_is_one_line(indexed: Sartor, arguments: tuple[str, ...], said: str) -> None:
    outcome = indexed(*arguments)

    assert outcome.code == 1
    assert outcome.err.startswith(f"sartor: {said}")
    assert outcome.err.count("\n") == 1
