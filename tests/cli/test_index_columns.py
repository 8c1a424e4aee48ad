"""``sartor index --columns`` and ``--dry-run``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Sartor


@pytest.fixture
def foreign(photos: Path) -> Path:
    table = photos / "foreign.csv"
    table.write_text("Nr,Wort,Datei1,VK\n7,Rot,red.png,15.00\n8,Blau,blue.png,none\n")
    return table


def test_an_unmapped_file_gets_the_exact_command(sartor: Sartor, foreign: Path) -> None:
    outcome = sartor("index", foreign)
    assert outcome.code == 1
    assert f"sartor index {foreign} --columns image=Datei1" in outcome.err


def test_a_dry_run_shows_what_would_be_and_writes_nothing(sartor: Sartor, foreign: Path) -> None:
    columns = "id=Nr,title=Wort,image=Datei1,price=VK"
    outcome = sartor("index", foreign, "--columns", columns, "--dry-run")
    assert outcome.code == 0
    assert "table, 2 products with 2 photos (0 without one). Nothing was written." in outcome.out
    for text in (
        "Datei1",
        "photos",
        "Rot",
        "red.png",
        "15.00",
        "prices that are no amount",
        "price none (line 3)",
    ):
        assert text in outcome.out
    found = sartor("index", foreign, "--columns", columns, "--dry-run", "--json").json()
    assert (found["kind"], found["products"], found["mapping"][2]) == ("table", 2, ["Datei1", "photos"])
    assert "2 added" in sartor("index", foreign, "--columns", columns).out


def test_a_mapping_is_remembered_until_it_is_forgotten(sartor: Sartor, foreign: Path) -> None:
    assert sartor("index", foreign, "--columns", "image=Datei1", "--columns", "id=Nr").code == 0
    assert "2 unchanged" in sartor("index", foreign).out
    assert sartor("index", foreign, "--columns", "").code == 1


def test_a_mapping_that_means_nothing_is_one_clear_line(sartor: Sartor, foreign: Path) -> None:
    outcome = sartor("index", foreign, "--columns", "Datei1")
    assert outcome.code == 1
    assert "'Datei1' cannot be understood: it is not NAME=COLUMN, such as image=Photo" in outcome.err
