"""A workspace that cannot be written: what reads works, and what writes says why it does not."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

import sartor
from sartor.errors import WorkspaceReadOnly, WorkspaceTooNew, WorkspaceUnusable
from sartor.store.sqlite import database as database_module
from sartor.store.sqlite.catalog import SqliteCatalogStore
from tests.fakes import BLUE, GREEN, RED, folder_of, photo
from tests.footprint_child import RUN_S
from tests.locked import as_a_user, read_only_mount, without_permission

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
CHILD = Path(__file__).with_name("reading_child.py")


@pytest.fixture(params=["a read-only mount", "no permission"])
def locked(request: pytest.FixtureRequest, home: Path, tmp_path: Path) -> Iterator[list[str]]:
    """What to put before a command for which the home is read-only; it has three products and no index."""
    photos = folder_of(tmp_path / "photos", {"red": RED, "green": GREEN, "blue": BLUE})
    with sartor.open(home) as shop:
        shop.index(photos)
    shutil.rmtree(home / "index")
    if request.param == "a read-only mount":
        yield read_only_mount(home)
        return
    prefix = as_a_user()
    with without_permission(home):
        yield prefix


def environment(tmp_path: Path) -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src"))),
        "SARTOR_CACHE": str(tmp_path / "cache"),
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": "127.0.0.1",
    }


def test_what_reads_works_and_what_writes_says_why_not(locked: list[str], home: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    picture = tmp_path / "new" / "new.png"
    picture.write_bytes(photo((250, 10, 10)))
    before = sorted(str(path) for path in home.rglob("*"))
    paths = [home, tmp_path / "backup", tmp_path / "export.jsonl", picture, tmp_path / "cache"]
    line = [*locked, sys.executable, str(CHILD), *map(str, paths)]
    done = subprocess.run(
        line, env=environment(tmp_path), capture_output=True, text=True, timeout=RUN_S, check=False
    )
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    refused = {name: outcomes.pop(name) for name in ("index", "put", "delete", "record", "forget", "repair")}
    assert outcomes.pop("backup") >= 4
    assert outcomes == {
        "products": 3,
        "similar": outcomes["similar"],
        "by photo": "red",
        "search": 1,
        "info": 3,
        "check": 0,
        "duplicates": 0,
        "for you": 3,
        "export": 3,
        "index is": True,
    }
    assert len(outcomes["similar"]) == 2
    assert refused.pop("forget") in {"PersonNotFound: nothing is held about the user 'mia'; check the id", 0}
    for said in refused.values():
        assert said.startswith("WorkspaceReadOnly: "), refused
        assert said.endswith(" is read-only: its directory cannot be written, so nothing was changed")
    assert sorted(str(path) for path in home.rglob("*")) == before
    with sartor.open(tmp_path / "backup") as copy:
        assert copy.counts().products == 3


def test_a_service_reads_and_refuses_to_write(locked: list[str], home: Path, tmp_path: Path) -> None:
    command = [
        *locked,
        sys.executable,
        "-m",
        "sartor",
        "serve",
        "--port",
        "0",
        "--workers",
        "1",
        "--home",
        str(home),
    ]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(tmp_path) | {"SARTOR_MODEL": "color"},
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split(" on ")[1].split(" ")[0]
            assert "is ready" in process.stdout.readline()
            with urlopen(f"{address}/v1/products/red/similar", timeout=60) as answer:  # noqa: S310 - our own
                assert len(json.load(answer)["hits"]) == 2
            with urlopen(f"{address}/", timeout=60) as answer:  # noqa: S310
                assert "red" in answer.read().decode()
            event = {"type": "view", "visitor_id": "v", "product_id": "red"}
            for method, path, body in (
                ("POST", "/v1/events", json.dumps({"events": [event]}).encode()),
                ("DELETE", "/v1/products/red", None),
            ):
                request = Request(  # noqa: S310 - our own
                    address + path, data=body, method=method, headers={"Content-Type": "application/json"}
                )
                with pytest.raises(HTTPError) as refused:
                    urlopen(request, timeout=60)  # noqa: S310
                problem = json.load(refused.value)
                assert refused.value.code == 409, problem
                assert "is read-only" in problem["detail"]
                refused.value.close()
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a store that was closed, for which this process then has no right to write."""
    file = tmp_path / "catalog.sqlite3"
    SqliteCatalogStore(file).close()
    monkeypatch.setattr(database_module, "is_writable", lambda _: False)
    return file


def test_what_somebody_writes_through_another_mount_is_seen(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteCatalogStore(closed)
    assert store.has_changed()
    assert not store.has_changed()
    with monkeypatch.context() as patch:
        patch.setattr(database_module, "is_writable", lambda _: True)
        writer = SqliteCatalogStore(closed)
        writer.set_setting("color", "red")
        assert store.setting("color") == "red"  # it is still in the log
        assert store.has_changed()
        writer.close()
    assert store.setting("color") == "red"
    with pytest.raises(WorkspaceReadOnly):
        store.set_setting("color", "blue")
    store.close()


def test_a_missing_file_is_an_empty_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "is_writable", lambda _: False)
    store = SqliteCatalogStore(tmp_path / "catalog.sqlite3")
    assert store.counts().products == 0
    store.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("version", "error", "said"), [(1, WorkspaceUnusable, "of an older Sartor"), (999, WorkspaceTooNew, "999")]
)
def test_a_file_of_another_version_is_told(closed: Path, version: int, error: type[Exception], said: str) -> None:
    with sqlite3.connect(closed) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with pytest.raises(error, match=said):
        SqliteCatalogStore(closed)


def test_a_log_that_a_kill_left_says_what_to_do(closed: Path) -> None:
    closed.write_bytes(b"no database" * 1000)
    with pytest.raises(WorkspaceUnusable, match="open it once where it can be written"):
        SqliteCatalogStore(closed)
