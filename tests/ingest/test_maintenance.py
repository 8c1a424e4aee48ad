from __future__ import annotations

from pathlib import Path
from threading import Event as Signal
from threading import Thread

import pytest

import sartor
from sartor.config import Settings
from sartor.errors import BackupFailed, PersonNotFound
from sartor.events.model import Event, EventType, Person
from sartor.shop import Shop
from sartor.wiring import back_up_workspace
from tests.fakes import BLUE, GREEN, RED, folder_of

NAME = "jane.doe@example.com"


def liked(person: str, product_id: str, number: int = 0) -> Event:
    return Event(
        id=f"{person} {product_id} {number}",
        type=EventType.LIKE,
        person=Person.user(person),
        at_s=1.7e9 + number,
        product_id=product_id,
    )


@pytest.fixture
def open_shop(shop: Shop, tmp_path: Path) -> Shop:
    """A shop with products and events, held by this process."""
    shop.index(folder_of(tmp_path / "photos", {"red": RED, "green": GREEN, "blue": BLUE}))
    shop.record(liked("u", "red"), liked(NAME, "green"))
    return shop


def backed_up(home: Path, directory: Path) -> Path:
    return back_up_workspace(Settings(home=home), directory).directory


def test_a_copy_made_while_the_workspace_is_open_answers_as_it_does(
    open_shop: Shop, home: Path, tmp_path: Path
) -> None:
    made = back_up_workspace(Settings(home=home), tmp_path / "backup")
    files = [file for file in made.directory.rglob("*") if file.is_file()]
    assert (made.files, made.size_bytes) == (len(files), sum(file.stat().st_size for file in files))
    assert sorted(path.name for path in made.directory.iterdir()) == [
        "catalog.sqlite3", "events.sqlite3", "media.sqlite3", "models",
    ]  # fmt: skip
    with sartor.open(made.directory) as copy:
        assert copy.check() == ()
        for product_id in ("red", "green"):
            assert copy.similar(product=product_id).hits == open_shop.similar(product=product_id).hits
        assert copy.person("u") == open_shop.person("u")


def test_who_was_forgotten_before_is_in_no_file(open_shop: Shop, home: Path, tmp_path: Path) -> None:
    found = [file.name for file in backed_up(home, tmp_path / "before").iterdir() if _tells(file)]
    assert found == ["events.sqlite3"]
    open_shop.forget(NAME)
    after = backed_up(home, tmp_path / "after")
    assert not [file for file in after.rglob("*") if _tells(file)]
    with sartor.open(after) as copy, pytest.raises(PersonNotFound):
        copy.person(NAME)


def _tells(file: Path) -> bool:
    return file.is_file() and NAME.encode() in file.read_bytes()


def test_what_is_acknowledged_before_is_there_and_writing_goes_on(
    open_shop: Shop, home: Path, tmp_path: Path
) -> None:
    stop, done = Signal(), []

    def write() -> None:
        while not stop.is_set():
            open_shop.record(*(liked("busy", "blue", len(done) * 20 + place) for place in range(20)))
            done.append(20)

    writer = Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            before = sum(done)
            with sartor.open(backed_up(home, tmp_path / f"backup-{number}")) as copy:
                held = copy.event_counts().events - 2
            assert held >= before
            assert held % 20 == 0
    finally:
        stop.set()
        writer.join()
    assert open_shop.event_counts().events == 2 + sum(done)


def test_nothing_is_overwritten(open_shop: Shop, home: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    backed_up(home, tmp_path / "empty")
    with pytest.raises(BackupFailed, match="empty is there already; name a new directory"):
        backed_up(home, tmp_path / "empty")


def test_where_there_is_no_workspace_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="no workspace; give its directory with --home"):
        backed_up(tmp_path / "nowhere", tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []


def test_of_a_damaged_store_no_copy_is_left(open_shop: Shop, home: Path, tmp_path: Path) -> None:
    open_shop.close()
    store = home / "events.sqlite3"
    store.write_bytes(b"no database" * 1000)
    with pytest.raises(BackupFailed, match=r"events\.sqlite3: file is not a database"):
        backed_up(home, tmp_path / "backups" / "one")
    assert list((tmp_path / "backups").iterdir()) == []
