"""The connection to MongoDB: each error is one line that says what to do, and nothing hangs."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from threading import Barrier, Thread

import pytest

pytest.importorskip("pymongo", reason="pymongo is not installed: pip install 'sartor[mongodb]'")

from pymongo import MongoClient
from pymongo.client_session import ClientSession

from sartor.errors import SartorError, StoreAway, WorkspaceBusy, WorkspaceTooNew, WorkspaceUnusable, redacted
from sartor.store.mongo.database import COLLECTIONS, MongoDatabase
from tests.engines import with_database

engines = pytest.mark.engines


@pytest.fixture
def mongo(mongodb_address: str) -> Iterator[MongoDatabase]:
    opened = MongoDatabase(mongodb_address)
    yield opened
    opened.close()


def error_of(address: str) -> SartorError:
    with pytest.raises(SartorError) as raised:
        MongoDatabase(address)
    assert "\n" not in str(raised.value)
    return raised.value


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("mongodb://h/shop", "mongodb://h/shop"),
        ("mongodb://ann:secret@h:1,i:2/shop?tls=true", "mongodb://ann:***@h:1,i:2/shop"),
        ("mongodb+srv://ann:secret@h/shop", "mongodb+srv://ann:***@h/shop"),
        ("mongodb://ann:se@cr/et@h/shop", "mongodb://ann:***@h/shop"),
        ("mongodb://ann@h/shop", "mongodb://ann:***@h/shop"),
        ("mongodb://h/shop?tlsCertificateKeyFilePassword=secret", "mongodb://h/shop"),
    ],
)
def test_an_address_is_shown_without_what_is_secret(address: str, shown: str) -> None:
    assert redacted(address) == shown


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("mongo://ann:secret@h/shop", "begins with mongodb:// or mongodb+srv://; check SARTOR_STORE"),
        ("mongodb://ann:sec:ret@h/shop", "must be escaped"),
        ("mongodb://ann:secret@h@i/shop", "must be escaped"),
        ("mongodb://ann:secret@h:99999/shop", "Port must be an integer"),
        ("mongodb://ann:secret@h", "names no database; write it at the end, such as mongodb://ann:***@h/shop"),
        ("mongodb://ann:secret@h/", "names no database"),
        ("mongodb://ann:secret@h/a b", "Bad database name"),
        ("mongodb://ann:secret@h/shop?nonsense=1", "Unknown option"),
        ("mongodb://ann:secret@h/shop?tls=perhaps", "tls"),
        ("mongodb:///shop", "Empty host"),
        ("mongodb://h/shop?tls=true&tlsCAFile=missing.pem", "not readable; check SARTOR_STORE"),
    ],
)
def test_a_typo_in_an_address_is_named_without_the_password(address: str, reason: str) -> None:
    error = error_of(address)
    assert isinstance(error, WorkspaceUnusable)
    assert reason in str(error)
    assert "secret" not in str(error)
    assert "sec:ret" not in str(error)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "nobody.invalid"])
def test_where_no_server_answers_it_says_so_within_seconds(host: str) -> None:
    started_s = time.monotonic()
    error = error_of(f"mongodb://ann:secret@{host}/shop")
    assert time.monotonic() - started_s < 6
    assert isinstance(error, StoreAway)
    assert f"mongodb://ann:***@{host}/shop does not answer" in str(error)
    assert "SARTOR_STORE" in str(error)
    assert "secret" not in str(error)


def test_a_server_that_takes_connections_and_never_answers_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started_s = time.monotonic()
        error = error_of(f"mongodb://127.0.0.1:{silent.getsockname()[1]}/shop")
        assert time.monotonic() - started_s < 8
    assert isinstance(error, StoreAway)


@engines
def test_a_wrong_password_and_a_missing_one_are_told_apart(tmp_path: Path, mongodb_server: str) -> None:
    from tools.engines.mongodb import MongoServer

    with MongoServer(tmp_path, options=("--auth",)) as server:
        missing = error_of(with_database(server.address, "shop"))
        wrong = error_of(with_database(server.address.replace("//", "//ann:secret@"), "shop"))
    assert "the user may not use this database" in str(missing)
    assert "it knows no such user and password; check SARTOR_STORE" in str(wrong)
    assert "secret" not in str(wrong)


@engines
def test_a_server_without_transactions_is_refused_with_the_way_to_start_one(
    tmp_path: Path, mongodb_server: str
) -> None:
    from tools.engines.mongodb import MongoServer

    with MongoServer(tmp_path, options=("--standalone",)) as server:
        error = error_of(with_database(server.address, "shop"))
        with MongoClient(server.address) as client:
            assert "shop" not in client.list_database_names()
    assert "mongod --replSet rs0, then rs.initiate()" in str(error)


@engines
def test_tls_where_the_server_has_none_is_named(mongodb_server: str) -> None:
    error = error_of(with_database(mongodb_server, "shop") + "?tls=true")
    assert isinstance(error, StoreAway)
    assert "tls" in str(error).lower()


@engines
def test_a_workspace_of_a_newer_sartor_is_refused_and_left_alone(mongodb_address: str) -> None:
    MongoDatabase(mongodb_address).close()
    with MongoClient(mongodb_address) as client:
        client.get_default_database()["workspace"].update_one({}, {"$set": {"schema": 99}})
    error = error_of(mongodb_address)
    assert isinstance(error, WorkspaceTooNew)
    assert "schema 99" in str(error)


@engines
def test_another_programs_collections_are_left_alone(mongodb_address: str) -> None:
    with MongoClient(mongodb_address) as client:
        database = client.get_default_database()
        database["products"].insert_one({"_id": "a"})
        error = error_of(mongodb_address)
        assert database.list_collection_names() == ["products"]
    assert "its collection products is not Sartor's; name an empty database" in str(error)


@engines
def test_a_workspace_that_was_half_made_is_made_whole(mongodb_address: str) -> None:
    with MongoClient(mongodb_address) as client:
        database = client.get_default_database()
        database.create_collection("products")
        made = MongoDatabase(mongodb_address)
        again = MongoDatabase(mongodb_address)
        assert set(database.list_collection_names()) == {*COLLECTIONS, "workspace"}
        assert "revision_1" in database["products"].index_information()
    assert made.workspace_id == again.workspace_id
    made.close()
    again.close()


@engines
def test_several_that_make_the_same_workspace_make_one(mongodb_address: str) -> None:
    opened: list[MongoDatabase] = []
    together = Barrier(4)

    def make() -> None:
        together.wait()
        opened.append(MongoDatabase(mongodb_address))

    threads = [Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.workspace_id for one in opened}) == 1
    assert len(opened) == 4
    for one in opened:
        one.close()


@engines
def test_a_transaction_that_fails_leaves_nothing(mongo: MongoDatabase) -> None:
    settings = mongo.collection("settings")

    def fail(session: object) -> None:
        settings.insert_one({"_id": "a"}, session=session)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        mongo.transaction(fail)
    with mongo.calling():
        assert settings.find_one({"_id": "a"}) is None


@engines
def test_a_transaction_that_meets_a_conflict_is_run_again(mongo: MongoDatabase) -> None:
    counters = mongo.collection("counters")

    def add(session: object) -> None:
        counters.update_one({"_id": "test"}, {"$inc": {"n": 1}}, session=session)

    with mongo.calling():
        counters.insert_one({"_id": "test", "n": 0})
    threads = [Thread(target=lambda: [mongo.transaction(add) for _ in range(5)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with mongo.calling():
        assert counters.find_one({"_id": "test"}) == {"_id": "test", "n": 20}


@engines
def test_who_never_gets_a_turn_is_told_within_the_deadline(mongo: MongoDatabase, mongodb_address: str) -> None:
    hurried, counters = MongoDatabase(mongodb_address, call_s=1.0), mongo.collection("counters")

    def hold(session: object) -> None:
        counters.update_one({"_id": "catalog"}, {"$inc": {"revision": 1}}, session=session)
        started_s = time.monotonic()
        with pytest.raises(WorkspaceBusy):
            hurried.transaction(
                lambda other: hurried.collection("counters").update_one(
                    {"_id": "catalog"}, {"$inc": {"revision": 1}}, session=other
                )
            )
        assert time.monotonic() - started_s < 3

    try:
        mongo.transaction(hold)
    finally:
        hurried.close()


@engines
def test_a_server_that_goes_away_is_not_taken_for_a_busy_one(tmp_path: Path, mongodb_server: str) -> None:
    from tools.engines.mongodb import MongoServer

    with MongoServer(tmp_path / "server") as server:
        address = f"{server.address}/shop"
        mongo, hurried, attempts = MongoDatabase(address), MongoDatabase(address, call_s=2.0), count(1)

        def take(database: MongoDatabase, session: ClientSession) -> None:
            counters = database.collection("counters")
            counters.update_one({"_id": "catalog"}, {"$inc": {"revision": 1}}, session=session)

        def conflict(session: ClientSession) -> None:
            if next(attempts) == 2:  # the first one conflicted
                server.kill()
            take(hurried, session)

        def hold(session: ClientSession) -> None:
            take(mongo, session)
            with pytest.raises(StoreAway):
                hurried.transaction(conflict)
            raise ZeroDivisionError  # out of the transaction, whose server is gone

        with pytest.raises(ZeroDivisionError):
            mongo.transaction(hold)
        mongo.close()
        hurried.close()


@engines
def test_sessions_of_a_process_that_lives_are_left_alone(mongodb_address: str, tmp_path: Path) -> None:
    first = MongoDatabase(mongodb_address, sessions=tmp_path)
    first.transaction(lambda session: first.collection("settings").insert_one({"_id": "a"}, session=session))
    second = MongoDatabase(mongodb_address, sessions=tmp_path)
    assert len(list(tmp_path.glob("*.sessions"))) == 1
    first.transaction(lambda session: first.collection("settings").insert_one({"_id": "b"}, session=session))
    first.close()
    second.close()
    assert list(tmp_path.iterdir()) == []


@engines
def test_a_workspace_of_schema_1_is_brought_to_the_next(mongodb_address: str) -> None:
    MongoDatabase(mongodb_address).close()
    with MongoClient(mongodb_address) as client:
        database = client.get_default_database()
        database["photos"].insert_many(
            {"_id": f"{number}", "embeddings": {"m": b"", "n%2E5": b""} if number % 2 else {}}
            for number in range(300)
        )
        database["photos"].drop_indexes()
        database["workspace"].update_one({}, {"$set": {"schema": 1}})
    MongoDatabase(mongodb_address).close()
    with MongoClient(mongodb_address) as client:
        database = client.get_default_database()
        assert database["photos"].count_documents({"models": "n%2E5"}) == 150
        assert database["photos"].count_documents({"models": []}) == 150
        assert "models_1" in database["photos"].index_information()
        assert database["workspace"].find_one({})["schema"] == 2
