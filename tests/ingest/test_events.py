from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.events.model import Person
from sartor.ingest.events import EventImportReport, EventProgress, import_events
from sartor.store.sqlite.events import SqliteEventStore

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW_S = 1.75e9


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteEventStore]:
    store = SqliteEventStore(tmp_path / "events.sqlite3")
    yield store
    store.close()


def taken(store: SqliteEventStore, file: Path, *known: str) -> EventImportReport:
    return import_events(file, store=store, known=lambda ids: set(ids) & set(known), now_s=NOW_S)


def test_the_rest_goes_on_and_everything_is_told(store: SqliteEventStore, tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text(
        "event_id,type,user_id,product_id,timestamp,device\n"
        "1,like,ann,shirt,2025-01-01,phone\n"
        "1,like,ann,shirt,2025-01-01,phone\n"
        "2,wish,ann,shirt,2025-01-01,\n"
        "3,view,bob,hat,2025-01-02,phone\n"
        ",view,bob,hat,,\n"
    )
    report = taken(store, file, "shirt")
    assert (report.read, report.added, report.duplicates, report.rejected) == (5, 3, 1, 1)
    ((place, reason),) = ((line.place, line.reason) for line in report.rejections)
    assert place == "line 4"
    assert reason.startswith("there is no type 'wish'")
    assert (report.unknown_products, report.unknown_examples) == (2, ("hat",))
    assert (report.undated, report.ignored) == (1, (("device", 3),))
    assert [event.at_s for event in store.history(Person.user("bob"))] == [1_735_776_000, NOW_S]


def test_the_first_of_many_rejections_are_shown(store: SqliteEventStore, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text('{"type": "like"}\n' * 30 + "nonsense\n" * 30)
    report = taken(store, file)
    assert (report.rejected, len(report.rejections), report.added) == (60, 20, 0)


def test_the_catalog_is_asked_once_of_each_product(store: SqliteEventStore, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    rows = [{"type": "view", "user_id": "a", "product_id": str(n % 3), "event_id": n} for n in range(11_000)]
    file.write_text("\n".join(map(json.dumps, rows)))
    asked: list[str] = []
    steps: list[EventProgress] = []

    def known(ids: set[str]) -> set[str]:
        asked.extend(ids)
        return {"0"} & set(ids)

    report = import_events(file, store=store, known=known, now_s=NOW_S, on_progress=steps.append)
    assert sorted(asked) == ["0", "1", "2"]
    assert report.unknown_products == sum(n % 3 != 0 for n in range(11_000))
    assert [step.read for step in steps] == [step.added for step in steps] == [5_000, 10_000, 11_000]
    assert steps[-1].read_bytes == steps[-1].size_bytes


ROWS = st.lists(
    st.fixed_dictionaries({
        "type": st.sampled_from(["view", "like", "search", "wish"]),
        "user_id": st.sampled_from(["ann", "bob", ""]),
        "product_id": st.sampled_from(["p", "q", ""]),
        "timestamp": st.sampled_from([1_700_000_000, 1_700_000_001]),
    }),
    max_size=12,
)  # fmt: skip


@settings(deadline=None)
@given(ROWS)
def test_nothing_is_lost_and_a_second_import_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]]
) -> None:
    directory = tmp_path_factory.mktemp("import")
    file = directory / "log.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in [{"type": "wish"}, *rows]))
    store = SqliteEventStore(directory / "events.sqlite3")
    first = taken(store, file)
    again = taken(store, file)
    assert first.read == first.added + first.duplicates + first.rejected == len(rows) + 1
    assert (again.added, again.rejected) == (0, first.rejected)
    assert store.counts()[0] == first.added
    store.close()


def test_placeholders_in_a_file_are_nobody_and_are_told(store: SqliteEventStore, tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text(
        "type,user_id,visitor_id,product_id,timestamp\n"
        "like,undefined,,shirt,2025-01-01\n"
        "like,NaN,v,shirt,2025-01-01\n"
        "like,0,,shirt,2025-01-01\n"
        "like,undefined-1,,shirt,2025-01-01\n"
    )
    report = taken(store, file, "shirt")
    assert (report.added, report.rejected, report.placeholders) == (3, 1, 1)
    assert not store.holds(Person.user("undefined"))
    assert not store.holds(Person.user("NaN"))
    assert store.holds(Person.visitor("v"))
    assert store.holds(Person.user("0"))
