"""The catalog in MongoDB: many writers, followers that skip nothing, a server that goes away and comes back."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pymongo", reason="pymongo is not installed: pip install 'sartor[mongodb]'")

from pymongo import MongoClient

from sartor.errors import StoreAway, WriteConflict
from sartor.ingest.writer import retried
from sartor.store.base import Write
from sartor.store.mongo.catalog import MongoCatalogStore
from sartor.store.mongo.database import MongoDatabase
from sartor.types import ListingQuery, Photo, Product, Sort, StoredProduct
from tests.engines import with_database
from tests.fakes import unit

pytestmark = pytest.mark.engines

CHILD = Path(__file__).parent / "writing_child.py"


class Process:
    """A store as a process of its own has it: another connection, another replica."""

    def __init__(self, address: str, directory: Path, *, call_s: float = 10.0) -> None:
        self.database = MongoDatabase(address, sessions=directory.parent / "sessions", call_s=call_s)
        self.store = MongoCatalogStore(self.database, directory)

    def close(self) -> None:
        self.store.close()
        self.database.close()


@pytest.fixture
def one(mongodb_address: str, tmp_path: Path) -> Iterator[MongoCatalogStore]:
    process = Process(mongodb_address, tmp_path / "one")
    yield process.store
    process.close()


@pytest.fixture
def other(mongodb_address: str, tmp_path: Path) -> Iterator[MongoCatalogStore]:
    process = Process(mongodb_address, tmp_path / "other")
    yield process.store
    process.close()


def product(product_id: str, *digests: str, **attributes: object) -> StoredProduct:
    photos = tuple(
        Photo(sha256=digest, name=f"{digest}.jpg", width_px=2, height_px=3, thumbnail=f"{digest}.jpg")
        for digest in digests
    )
    return StoredProduct(product=Product(id=product_id, attributes=attributes), photos=photos, source="s")


def write(store: MongoCatalogStore, *products: StoredProduct, model: str = "m", **conditions: object) -> int:
    digests = [photo.sha256 for stored in products for photo in stored.photos]
    embeddings = dict.fromkeys(digests, unit(1, 2))
    return store.write(Write(products=products, model=model, embeddings=embeddings, **conditions))


def content(store: MongoCatalogStore) -> tuple[object, ...]:
    """All that a store answers."""
    ids = store.product_ids()
    photos = {photo.sha256 for stored in store.products(ids).values() for photo in stored.photos}
    newest = store.listing(ListingQuery(sort=Sort.NEWEST, limit=10_000))
    return (
        store.revision,
        store.products(ids),
        [stored.product.id for stored in newest.products],
        store.changes(since=0, limit=10_000),
        store.attribute_names(),
        store.counts(),
        {model: sorted(store.embeddings(model, photos)) for model in store.counts().embeddings},
        store.keys(),
        store.setting("a"),
    )


def wait_until(condition: object, *, seconds: float = 10.0) -> None:
    deadline_s = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.02)


def test_a_process_sees_what_another_one_writes_without_asking(
    one: MongoCatalogStore, other: MongoCatalogStore
) -> None:
    assert other.has_changed()
    write(one, product("a", "1", color="red"))
    one.set_setting("a", "1")
    wait_until(lambda: other.setting("a") == "1")
    assert other.has_changed()
    assert other.known(["a"]) == {"a"}
    one.delete(["a"])
    one.drop_unused_photos()
    wait_until(lambda: not other.thumbnails())
    assert content(one) == content(other)


def test_a_follower_that_was_away_for_long_gets_to_the_same_state(
    one: MongoCatalogStore, mongodb_address: str, tmp_path: Path
) -> None:
    follower = Process(mongodb_address, tmp_path / "follower")
    write(one, product("a", "1"), product("b", "2"), product("c", "3"))
    follower.store.follow()
    follower.close()
    one.delete(["a", "b"])
    one.drop_unused_photos()
    write(one, product("a", "2", "1", size="S"), model="n")
    write(one, product("c", "3", title_of="c"))
    one.delete(["c"])
    write(one, *(product(f"p{number}", f"x{number}") for number in range(600)))
    follower = Process(mongodb_address, tmp_path / "follower")
    fresh = Process(mongodb_address, tmp_path / "fresh")
    assert content(follower.store) == content(one) == content(fresh.store)
    assert follower.store.embeddings("m", ["2"]) == {}
    assert fresh.store.embedded_keys("m") == one.embedded_keys("m")
    assert fresh.store.damage() == follower.store.damage() == one.damage() == []
    follower.close()
    fresh.close()


def test_a_new_replica_has_the_photos_that_no_product_shows(
    one: MongoCatalogStore, mongodb_address: str, tmp_path: Path
) -> None:
    write(one, product("a", "1"))
    one.delete(["a"])
    fresh = Process(mongodb_address, tmp_path / "fresh")
    assert fresh.store.thumbnails() == {"1.jpg"}
    fresh.store.drop_unused_photos()
    one.follow()
    assert not one.thumbnails()
    fresh.close()


def test_a_write_that_depends_on_what_another_process_changed_is_refused_and_then_retried(
    one: MongoCatalogStore, other: MongoCatalogStore
) -> None:
    write(one, product("a"))
    other.follow()
    read_at = other.revision
    write(one, product("a", count=1))
    with pytest.raises(WriteConflict):
        write(other, product("a", count=2), product("b"), read_at=read_at)
    assert other.known(["a", "b"]) == {"a"}

    def attempt() -> int:
        read_at = other.revision
        count = other.products(["a"])["a"].product.attributes["count"]
        assert isinstance(count, int)
        return write(other, product("a", count=count + 1), read_at=read_at)

    assert retried(attempt) == 3
    assert other.products(["a"])["a"].product.attributes == {"count": 2}


def test_a_write_of_many_products_is_made_in_parts(one: MongoCatalogStore) -> None:
    assert write(one, *(product(f"{number:04}", f"x{number}") for number in range(600))) == 600
    assert one.revision == 600
    assert len(one.embedded_keys("m")) == 600
    assert one.delete(one.product_ids()) == 1200
    assert one.product_ids() == []


def test_a_replica_of_another_workspace_is_begun_anew(
    one: MongoCatalogStore, mongodb_server: str, mongodb_address: str, tmp_path: Path
) -> None:
    write(one, product("a", "1"))
    first = Process(mongodb_address, tmp_path / "home")
    first.close()
    with MongoClient(mongodb_address) as client:
        client.drop_database(client.get_default_database().name)
    second = Process(mongodb_address, tmp_path / "home")
    assert content(second.store)[0:2] == (0, {})
    write(second.store, product("b"))
    assert second.store.product_ids() == ["b"]
    second.close()


def test_a_replica_of_a_server_that_was_restored_to_an_older_state_is_begun_anew(
    one: MongoCatalogStore, mongodb_address: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(one, product("a", "1"), product("b", "2"))
    with MongoClient(mongodb_address) as client:
        database = client.get_default_database()
        database["products"].delete_one({"_id": "b"})
        database["photos"].delete_one({"_id": "2"})
        database["counters"].update_one({"_id": "catalog"}, {"$set": {"revision": 1}})
    one.follow()
    assert one.product_ids() == ["a"]
    assert one.thumbnails() == {"1.jpg"}
    assert one.damage() == []
    assert "an older state" in caplog.text


def test_a_damaged_replica_is_begun_anew(mongodb_address: str, tmp_path: Path) -> None:
    first = Process(mongodb_address, tmp_path)
    write(first.store, product("a", "1"))
    first.close()
    (file,) = tmp_path.glob("*/catalog.sqlite3")
    file.write_bytes(b"nonsense" * 1000)
    second = Process(mongodb_address, tmp_path)
    assert second.store.product_ids() == ["a"]
    second.close()


def test_a_newcomer_gets_a_copy_of_a_replica_in_use(mongodb_address: str, tmp_path: Path) -> None:
    first = Process(mongodb_address, tmp_path)
    write(first.store, product("a", "1"))
    second = Process(mongodb_address, tmp_path)
    write(second.store, product("b", "2"))
    first.store.follow()
    assert content(first.store) == content(second.store)
    assert {path.name for path in tmp_path.glob("[0-9]")} == {"1", "2"}
    first.close()
    second.close()


def test_several_writers_take_every_revision_once_and_a_follower_skips_none(
    one: MongoCatalogStore, mongodb_address: str, tmp_path: Path
) -> None:
    children = [start_writer(mongodb_address, tmp_path / name, name, count=20) for name in ("x", "y", "z")]
    for child in children:
        begin(child)
    seen: dict[str, int] = {}
    while any(child.poll() is None for child in children):
        note(one, seen)
    outputs = [child.communicate(timeout=60)[0] for child in children]
    one.follow()
    note(one, seen)
    acknowledged = [int(line.split()[0]) for output in outputs for line in output.splitlines() if line != "ready"]
    assert sorted(acknowledged) == list(range(1, 61))
    assert sorted(seen.values()) == list(range(1, 61))
    assert [stored.product.id for stored in one.listing(ListingQuery(sort=Sort.NEWEST, limit=60)).products] == (
        sorted(seen, key=seen.__getitem__, reverse=True)
    )


def note(store: MongoCatalogStore, seen: dict[str, int]) -> None:
    """Follow a store as an index does, by what comes after the last revision seen."""
    for change in store.changes(since=max(seen.values(), default=0), limit=100):
        seen[change.product_id] = change.revision


def start_writer(address: str, directory: Path, name: str, *, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, CHILD, address, directory, name, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def begin(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.stdin.write("go\n")
    child.stdin.flush()


def test_a_writer_that_is_killed_leaves_whole_products_and_others_go_on(
    one: MongoCatalogStore, mongodb_address: str, tmp_path: Path
) -> None:
    child = start_writer(mongodb_address, tmp_path / "child", "x", count=10_000)
    begin(child)
    assert child.stdout is not None
    acknowledged = [child.stdout.readline() for _ in range(5)]
    child.send_signal(signal.SIGKILL)  # most likely within a transaction
    acknowledged += child.communicate(timeout=60)[0].splitlines()
    started_s = time.monotonic()
    write(one, product("after"))
    assert time.monotonic() - started_s < 5  # and not the minute after which the server would end it
    ids = one.product_ids(source="x")
    assert {line.split()[1] for line in acknowledged} <= set(ids)
    assert one.revision == len(ids) + 1
    assert one.damage() == []
    again = Process(mongodb_address, tmp_path / "child")
    assert content(again.store) == content(one)
    again.close()


def test_what_was_acknowledged_outlives_a_kill_of_the_server(tmp_path: Path, mongodb_server: str) -> None:
    from tools.engines.mongodb import MongoServer

    with MongoServer(tmp_path / "server") as server:
        address = with_database(server.address, "shop")
        children = [start_writer(address, tmp_path / name, name, count=25) for name in ("x", "y")]
        for child in children:
            begin(child)
        for child in children:
            assert child.stdout is not None
            child.stdout.readline()
        server.kill()
        server.start()
        lines = [line for child in children for line in child.communicate(timeout=120)[0].splitlines()]
        assert [child.returncode for child in children] == [0, 0]
        process = Process(address, tmp_path / "after")
        ids = process.store.product_ids()
        assert len(ids) == 50
        assert {line.split()[1] for line in lines} <= set(ids)
        revisions = [int(line.split()[0]) for line in lines]
        assert len(set(revisions)) == len(revisions)
        assert process.store.revision == max(revisions)
        assert process.store.damage() == []
        process.close()


def test_while_the_server_is_away_reads_go_on_and_writes_are_refused(tmp_path: Path, mongodb_server: str) -> None:
    from tools.engines.mongodb import MongoServer

    with MongoServer(tmp_path / "server") as server:
        address = with_database(server.address, "shop")
        process = Process(address, tmp_path / "replicas", call_s=5.0)
        store = process.store
        write(store, product("a", "1", color="red"))
        before = content(store)
        assert store.away_since is None
        server.kill()
        for call in (
            lambda: write(store, product("b")),
            lambda: store.delete(["a"]),
            lambda: store.set_setting("a", "1"),
            store.follow,
        ):
            started_s = time.monotonic()
            with pytest.raises(StoreAway):
                call()
            assert time.monotonic() - started_s < 7
        assert store.away_since is not None
        assert content(store) == before
        server.start()
        wait_until(lambda: store.away_since is None, seconds=30)
        write(store, product("b"))
        assert store.product_ids() == ["a", "b"]
        process.close()


def test_a_server_that_stands_still_is_away_after_the_deadline(tmp_path: Path, mongodb_server: str) -> None:
    import os

    from tools.engines.mongodb import MongoServer

    with MongoServer(tmp_path / "server") as server:
        process = Process(with_database(server.address, "shop"), tmp_path / "replicas", call_s=2.0)
        write(process.store, product("a"))
        os.kill(server.process_id, signal.SIGSTOP)
        try:
            started_s = time.monotonic()
            with pytest.raises(StoreAway):
                write(process.store, product("b"))
            assert time.monotonic() - started_s < 6
            assert process.store.product_ids() == ["a"]
        finally:
            os.kill(server.process_id, signal.SIGCONT)
        wait_until(lambda: process.store.away_since is None, seconds=30)
        write(process.store, product("b"))
        assert process.store.product_ids() == ["a", "b"]
        process.close()


def test_without_change_streams_it_looks_by_itself(
    one: MongoCatalogStore, mongodb_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pymongo.collection import Collection
    from pymongo.errors import OperationFailure

    def refuse(*_: object, **__: object) -> None:
        raise OperationFailure("The $changeStream stage is only supported on replica sets", 40573)

    monkeypatch.setattr(Collection, "watch", refuse)
    other = Process(mongodb_address, tmp_path / "other")
    write(one, product("a"))
    wait_until(lambda: other.store.known(["a"]))
    other.close()
