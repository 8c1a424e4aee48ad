from __future__ import annotations

import time
from pathlib import Path

import pytest

import sartor as library
from sartor.events.model import Event, EventType, Person
from tests.cli.conftest import Sartor


@pytest.fixture
def indexed(sartor: Sartor, table: Path) -> Sartor:
    assert sartor("index", table).code == 0
    return sartor


@pytest.fixture
def liked(indexed: Sartor, home: Path) -> Sartor:
    with library.open(home) as shop:
        ids = shop.product_ids()
        shop.record(
            *(
                Event(id=who, type=EventType.LIKE, person=Person.user(who), at_s=time.time(), product_id=ids[0])
                for who in ("ann", "bob")
            )
        )
    return indexed


def test_people_get_a_table_that_says_why(liked: Sartor) -> None:
    outcome = liked("for-you", "ann", "-k", 2)

    assert outcome.code == 0
    assert "because you liked Red shirt" in outcome.out
    assert "from what ann did and what others did" in outcome.out


def test_the_json_has_what_others_rely_on(liked: Sartor) -> None:
    answer = liked("for-you", "ann", "--json").json()

    assert list(answer) == ["model", "based_on", "hits"]
    assert answer["based_on"] == "history"
    assert set(answer["hits"][0]) >= {"product_id", "title", "score", "reasons", "attributes", "photo"}


def test_of_a_stranger_nothing_is_known(indexed: Sartor) -> None:
    assert indexed("for-you", "zoe", "--visitor", "--json").json()["based_on"] == "newest"
    assert "nothing is known of zoe" in indexed("for-you", "zoe", "--context", "color=Red").out


def test_a_sheet_shows_what_was_liked_beside_the_feed(liked: Sartor, tmp_path: Path) -> None:
    assert liked("for-you", "ann", "-k", 2, "--sheet", tmp_path / "ann.html").code == 0
    assert (tmp_path / "ann.html").read_text().count("<figure") == 3


def test_trending_is_what_people_like(liked: Sartor, home: Path) -> None:
    (hit,) = liked("trending", "--json").json()["hits"]
    assert (hit["title"], hit["score"] > 7) == ("Red shirt", True)
    assert "Red shirt" in liked("trending").out


def test_without_events_nothing_is_trending(indexed: Sartor) -> None:
    assert "there are no events of the last 7 days" in indexed("trending").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("for-you", "ann", "--where", "colour=Red"),
            "no product has an attribute 'colour'",
        ),
        (("trending", "--where", "color=Rde"), "did you mean 'Red'?"),
    ],
)
def test_what_cannot_be_done_is_one_line(liked: Sartor, arguments: tuple[str, ...], said: str) -> None:
    outcome = liked(*arguments)

    assert outcome.code == 1
    assert said in outcome.err
    assert outcome.err.count("\n") == 1


def test_what_a_filter_or_a_context_leaves_is_told_as_it_is(liked: Sartor) -> None:
    assert (
        "no events of the last 7 days of products that pass the filter"
        in liked("trending", "--where", "color=Blue").out
    )
    assert liked("for-you", "zoe", "--context", "color=Red", "--json").json()["based_on"] == "context"
    assert liked("for-you", "zoe", "--context", "color=Purple", "--json").json()["based_on"] == "trending"
