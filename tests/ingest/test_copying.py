"""A workspace moves to another store whole, also after a stop, and both sides are compared."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sartor
from sartor import Event, EventType, Person
from sartor.config import Settings
from sartor.errors import CopyFailed
from sartor.types import ListingQuery, Sort
from sartor.wiring import copy_between, open_truth
from tests.fakes import BLUE, GREEN, RED, folder_of, photo

if TYPE_CHECKING:
    from sartor.ingest.copying import CopyReport
    from sartor.ingest.photos import Progress

COLORS = {"red": RED, "green": GREEN, "blue": BLUE, "pink": (255, 120, 120)}


@pytest.fixture
def filled(home: Path, tmp_path: Path) -> Path:
    """A workspace with products, a deleted one, settings, events and a merged visitor."""
    with sartor.open(home) as shop:
        shop.index(folder_of(tmp_path / "photos", COLORS))
        shop.put(sartor.ProductInput(product=sartor.Product(id="bare", title="Only words"), photos=None))
        shop.delete("green")
        now_s = time.time()
        for number, person in enumerate((Person.user("ann"), Person.visitor("guest"), Person.visitor("other"))):
            event = Event(id=f"e{number}", type=EventType.LIKE, person=person, at_s=now_s, product_id="red")
            shop.record(event)
        shop.merge("guest", into="ann")
    return home


def copied(source: Path, target: Path) -> CopyReport:
    return copy_between(Settings(home=source), Settings(home=target))


def test_a_copy_answers_as_the_original(filled: Path, tmp_path: Path) -> None:
    report = copied(filled, tmp_path / "copy")
    assert (report.side.products, report.side.embeddings, report.side.events, report.added) == (4, 3, 3, 4)
    with sartor.open(filled) as one, sartor.open(tmp_path / "copy") as other:
        assert other.model == one.model
        assert other.similar(photo(RED), k=9) == one.similar(photo(RED), k=9)
        newest = ListingQuery(sort=Sort.NEWEST)
        assert other.catalog.listing(newest) == one.catalog.listing(newest)
        assert other.person("ann") == one.person("ann")
        assert other.person(Person.visitor("other")).events == one.person(Person.visitor("other")).events
        assert not other.check()
        assert other.model.id == "color"


def test_a_copy_goes_on_after_a_stop_and_follows_what_changed(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sartor.ingest.copying.STEP", 1)

    def stop(progress: Progress) -> None:
        if progress.products == 2:
            raise KeyboardInterrupt

    target = tmp_path / "copy"
    with pytest.raises(KeyboardInterrupt):
        copy_between(Settings(home=filled), Settings(home=target), on_progress=stop)
    assert copied(filled, target).added == 2
    with sartor.open(filled) as shop:
        shop.delete("pink")
        shop.put(sartor.ProductInput(product=sartor.Product(id="bare", title="Other words"), photos=None))
    assert copied(filled, target).added == 0
    with sartor.open(target) as shop:
        assert shop.product("bare").product.title == "Other words"
        assert sorted(shop.catalog.product_ids()) == ["bare", "blue", "red"]


def test_what_comes_while_it_copies_is_copied_too(filled: Path, tmp_path: Path) -> None:
    def write(progress: Progress) -> None:
        if progress.products == progress.total:
            with sartor.open(filled) as shop:
                shop.put(sartor.ProductInput(product=sartor.Product(id="late"), photos=[photo(BLUE, side_px=9)]))

    copy_between(Settings(home=filled), Settings(home=tmp_path / "copy"), on_progress=write)
    with sartor.open(tmp_path / "copy") as shop:
        assert "late" in shop.catalog.product_ids()
        assert not shop.check()


def test_a_workspace_with_something_else_in_it_stays_as_it_is(filled: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    copied(filled, other)
    with sartor.open(other) as shop, ExitStack() as stack:
        for product_id in shop.catalog.product_ids():
            shop.delete(product_id)
        shop.put(sartor.ProductInput(product=sartor.Product(id="theirs"), photos=None))
        engines = stack.enter_context(closing(open_truth(Settings(home=other))))
        engines.store.set_settings({"copy_of": None})
    with pytest.raises(CopyFailed, match="holds a catalog already; name an empty workspace"):
        copied(filled, other)
    with sartor.open(other) as shop:
        assert shop.catalog.product_ids() == ["theirs"]
    with pytest.raises(CopyFailed, match="it is the same workspace"):
        copied(filled, filled)
    with pytest.raises(CopyFailed, match="there is no workspace in"):
        copied(tmp_path / "nothing", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_copy_that_differs_in_the_end_is_said(filled: Path, tmp_path: Path) -> None:
    target = Settings(home=tmp_path / "copy")
    copied(filled, tmp_path / "copy")
    with ExitStack() as stack:
        engines = stack.enter_context(closing(open_truth(target)))
        engines.events().add(
            [Event(id="x", type=EventType.VIEW, person=Person.user("eve"), at_s=1, product_id="red")]
        )
    with pytest.raises(CopyFailed, match=r"the two sides differ \(events 3 and 4, people 2 and 3, events_sum"):
        copied(filled, tmp_path / "copy")
