from __future__ import annotations

from pathlib import Path

import pytest

from sartor.config import Settings
from sartor.wiring import open_shop
from tests.cli.conftest import Sartor

KEYS = ["source", "read", "added", "duplicates", "unknown_products", "unknown_examples", "undated", "placeholders"]
KEYS += ["left_out", "rejected", "reasons", "rejections", "ignored", "findings", "seconds"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "log.csv"
    file.write_text(
        "type,user_id,visitor_id,product_id,timestamp,device\n"
        "like,ann,,a,2025-01-02T10:00:00,phone\n"
        "view,ann,,ghost,2025-01-01,\n"
        "view,,guest,a,2025-01-03,\n"
        "stare,ann,,a,2025-01-03,\n"
    )
    return file


def test_the_json_report_has_what_others_rely_on(sartor: Sartor, table: Path, log: Path) -> None:
    sartor("index", table)
    report = sartor("events", "import", log, "--json").json()
    assert list(report) == KEYS
    assert [report[name] for name in ("read", "added", "duplicates", "rejected")] == [4, 3, 0, 1]
    assert (report["unknown_products"], report["unknown_examples"]) == (1, ["ghost"])
    assert report["ignored"] == {"device": 1}
    again = sartor("events", "import", log, "--json").json()
    assert [again[name] for name in ("read", "added", "duplicates", "rejected")] == [4, 0, 3, 1]


def test_people_are_told_what_came(sartor: Sartor, table: Path, log: Path) -> None:
    sartor("index", table)
    outcome = sartor("events", "import", log)
    assert outcome.code == 0
    assert "4 events (3 added, 0 duplicates, 1 rejected)" in outcome.out
    assert "1 of them are about products that the catalog does not have, such as ghost" in outcome.out
    assert "there is no type 'stare'" in " ".join(outcome.out.split())


def test_what_is_held_about_a_person_can_be_imported_again(sartor: Sartor, log: Path, tmp_path: Path) -> None:
    sartor("events", "import", log)
    held = sartor("events", "show", "--user", "ann").json()
    assert (held["user_id"], held["visitor_ids"]) == ("ann", [])
    assert [(event["type"], event["product_id"], event["timestamp"]) for event in held["events"]] == [
        ("view", "ghost", "2025-01-01T00:00:00+00:00"),
        ("like", "a", "2025-01-02T10:00:00+00:00"),
    ]
    assert sartor("events", "show", "--visitor", "guest").json()["visitor_id"] == "guest"


def test_who_is_forgotten_is_gone(sartor: Sartor, log: Path, home: Path) -> None:
    sartor("events", "import", log)
    assert sartor("events", "forget", "--user", "ann").out == "erased the user ann and 2 events\n"
    again = sartor("events", "forget", "--user", "ann")
    assert again.code == 1
    assert again.err == "sartor: nothing is held about the user 'ann'; check the id\n"
    told = sartor("events", "forget", "--visitor", "guest", "--json").json()
    assert told == {"erased": 1, "visitor_id": "guest", "visitor_ids": []}
    assert not [file for file in home.rglob("*") if file.is_file() and b"ghost" in file.read_bytes()]


def test_a_file_of_no_events_is_one_line_and_exit_code_1(sartor: Sartor, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello\n")
    outcome = sartor("events", "import", tmp_path / "notes.txt")
    assert outcome.code == 1
    assert "cannot be read as a table of events: it has no column type (its columns: hello)" in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert sartor("events", "import", tmp_path / "none.csv").code == 1


@pytest.mark.parametrize("options", [(), ("--user", "a", "--visitor", "b")])
def test_one_person_is_to_be_given(sartor: Sartor, options: tuple[str, ...]) -> None:
    for command in ("show", "forget"):
        outcome = sartor("events", command, *options)
        assert outcome.code == 2
        assert "--user ID or --visitor ID" in outcome.err


PUBLIC = """event_time,event_type,product_id,brand,price,user_id,user_session
2019-10-01 00:00:00 UTC,view,a,acme,35.79,541312140,72d76fde
2019-10-01 00:00:01 UTC,cart,a,acme,35.79,541312140,72d76fde
2019-10-01 00:00:02 UTC,remove_from_cart,a,acme,35.79,541312140,72d76fde
2019-10-01 00:00:03 UTC,purchase,b,acme,12.10,541312140,72d76fde
"""


def test_a_public_log_is_taken_as_it_is(sartor: Sartor, tmp_path: Path) -> None:
    log = tmp_path / "2019-Oct.csv"
    log.write_text(PUBLIC)
    outcome = sartor("events", "import", log, "--json")
    assert outcome.code == 0
    report = outcome.json()
    assert [report[name] for name in ("read", "added", "rejected")] == [4, 3, 0]
    assert report["left_out"] == {"remove_from_cart": 1}
    assert report["ignored"] == {"brand": 4, "user_session": 4}
    held = sartor("events", "show", "--user", "541312140").json()["events"]
    assert [(event["type"], event["product_id"]) for event in held] == [
        ("view", "a"),
        ("add_to_cart", "a"),
        ("purchase", "b"),
    ]
    assert held[0]["timestamp"] == "2019-10-01T00:00:00+00:00"
    spoken = " ".join(sartor("events", "import", log).out.split())
    assert "Left out, as these types have no meaning here" in spoken
    assert "remove_from_cart 1" in spoken


def test_other_names_are_mapped(sartor: Sartor, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("moment;what;whose;thing\n1569888000000;bag;ann;a\n1569888000001;stare;ann;a\n")
    options = [*("--columns", "moment=timestamp"), *("--columns", "what=type"), *("--columns", "whose=user_id")]
    options += [*("--columns", "thing=product_id"), *("--types", "bag=add_to_cart"), *("--types", "stare=")]
    report = sartor("events", "import", log, "--json", *options).json()
    assert (report["added"], report["left_out"]) == (1, {"stare": 1})
    assert report["findings"][0]["case"] == "times in milliseconds since 1970"
    assert sartor("events", "import", log, "--columns", "moment=now").code == 1
    assert sartor("events", "import", log, "--columns", "moment").code == 2


def test_where_nothing_was_taken_the_reasons_are_counted(sartor: Sartor, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(
        "type,user_id,product_id,timestamp\nstare,ann,a,2019-10-01\nstare,ann,b,2019-10-01\nview,,a,1\n"
    )
    outcome = sartor("events", "import", log)
    assert outcome.code == 1
    assert "no event of" in outcome.err
    assert "there is no type 'stare'" in outcome.err
    assert "it does not say who did it" in outcome.err
    log.write_text("type,user_id\n")
    empty = sartor("events", "import", log)
    assert (empty.code, empty.err) == (1, f"sartor: {log} has no event\n")
    log.write_text("type,user_id,product_id\nremove_from_cart,ann,a\n")
    left_out = sartor("events", "import", log)
    assert left_out.code == 1
    assert "'remove_from_cart' has no meaning here (1)" in left_out.err


def test_a_log_that_breaks_off_is_no_success(sartor: Sartor, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("type,user_id,product_id,timestamp\nview,ann,a,2019-10-01\nview,ann,pro")
    outcome = sartor("events", "import", log)
    assert outcome.code == 1
    assert "breaks off in the middle of a row, at line 3" in outcome.err


def test_a_mapping_that_would_be_ignored_is_refused(sartor: Sartor, tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text("type,user_id,product_id,when\nview,ann,a,2026-01-01\n")
    assert sartor("events", "import", file, "--columns", "when=timestamp", "--columns", "when=price").code == 2
    refused = sartor("events", "import", file, "--columns", "wenn=timestamp")
    assert refused.code == 1
    assert "it has no column 'wenn', which is mapped to a field; its columns: type, user_id" in refused.err


def test_forgetting_a_visitor_who_is_a_user_says_who_is_erased(sartor: Sartor, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text("type,user_id,visitor_id,product_id,timestamp\nview,ann,,a,1.7e9\nview,,v1,b,1.7e9\n")
    sartor("events", "import", file)
    with open_shop(Settings(home=home)) as shop:
        shop.merge("v1", into="ann")
    told = sartor("events", "forget", "--visitor", "v1").out
    assert told == (
        "the visitor v1 is the user ann\nerased the user ann, the 1 visitor merged into it and 2 events\n"
    )
