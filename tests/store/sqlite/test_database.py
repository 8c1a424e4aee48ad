"""Many processes write one file, and a home that cannot be one says why."""

from __future__ import annotations

import errno
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from sartor.errors import WorkspaceBusy, WorkspaceUnusable, WriteConflict
from sartor.store.base import Write
from sartor.store.sqlite import database
from sartor.store.sqlite.catalog import SqliteCatalogStore
from sartor.store.sqlite.database import Database, Migration, Remembered
from sartor.types import Product, StoredProduct

if TYPE_CHECKING:
    from collections.abc import Sequence

WRITE = """
import sys
from pathlib import Path
from sartor.store.base import Write
from sartor.store.sqlite.catalog import SqliteCatalogStore
from sartor.types import Product, StoredProduct
name, count = sys.argv[2], int(sys.argv[3])
store = SqliteCatalogStore(Path(sys.argv[1]))
for number in range(count):
    stored = StoredProduct(product=Product(id=f"{name}-{number}"), photos=(), source="test")
    print(store.write(Write(products=(stored,), model="color", embeddings={})), flush=True)
store.close()
"""


def stored(product_id: str, title: str = "") -> StoredProduct:
    return StoredProduct(product=Product(id=product_id, title=title), photos=(), source="test")


def write(products: Sequence[StoredProduct], **more: object) -> Write:
    return Write(products=tuple(products), model="color", embeddings={}, **more)  # type: ignore[arg-type]


def test_several_processes_open_a_new_file_and_write_it_and_no_revision_is_given_twice(tmp_path: Path) -> None:
    file = tmp_path / "new" / "catalog.sqlite3"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, str(file), f"writer{number}", "40"], stdout=subprocess.PIPE, text=True
        )
        for number in range(3)
    ]
    revisions = [int(line) for writer in writers for line in writer.communicate()[0].split()]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert sorted(revisions) == list(range(1, 121))
    store = SqliteCatalogStore(file)
    assert [change.revision for change in store.changes(since=0, limit=1000)] == list(range(1, 121))
    store.close()


def test_a_writer_that_never_ends_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "STORE_WAIT_S", 0.05)
    store = SqliteCatalogStore(tmp_path / "catalog.sqlite3")
    other = sqlite3.connect(tmp_path / "catalog.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(WorkspaceBusy, match=r"another process has been writing .* nothing was changed, try again"):
        store.write(write([stored("a")]))
    assert store.products(["a"]) == {}  # reading goes on
    other.execute("ROLLBACK")
    store.write(write([stored("a")]))
    assert list(store.products(["a"])) == ["a"]
    other.close()
    store.close()


def test_a_write_that_depends_on_what_another_process_changed_is_refused_whole(tmp_path: Path) -> None:
    one, other = (SqliteCatalogStore(tmp_path / "catalog.sqlite3") for _ in range(2))
    read_at = one.write(write([stored("a"), stored("b")]))
    other.write(write([stored("a", title="theirs")]))
    with pytest.raises(WriteConflict) as conflict:
        one.write(write([stored("a", title="ours"), stored("c")], read_at=read_at))
    assert conflict.value.product_ids == ("a",)
    assert one.products(["a", "c"])["a"].product.title == "theirs"
    assert "c" not in one.known(["c"])
    other.delete(["b"])
    with pytest.raises(WriteConflict):
        one.write(write([stored("b", title="ours")], read_at=read_at))
    one.write(write([stored("b", title="ours")], read_at=one.revision))
    one.close()
    other.close()


def test_each_process_notices_what_another_one_writes(tmp_path: Path) -> None:
    one, other = (SqliteCatalogStore(tmp_path / "catalog.sqlite3") for _ in range(2))
    assert one.has_changed()
    assert not one.has_changed()
    other.write(write([stored("a")]))
    assert one.has_changed()
    assert not one.has_changed()
    one.set_setting("x", "1")
    assert one.has_changed()
    one.close()
    other.close()


def test_a_product_that_was_read_before_is_read_as_another_process_has_written_it(tmp_path: Path) -> None:
    one, other = (SqliteCatalogStore(tmp_path / "catalog.sqlite3") for _ in range(2))
    one.write(write([stored("a", "Red"), stored("b")]))
    before = one.products(["a", "b", "missing"])
    assert one.products(["a"])["a"] is before["a"]  # which is what candidates are remembered by

    other.write(write([stored("a", "Blue")]))
    assert one.products(["a"])["a"].product.title == "Blue"
    other.delete(["b"])
    assert set(one.products(["a", "b", "missing"])) == {"a"}
    assert (one.revision, one.setting("x")) == (other.revision, None)
    other.set_setting("x", "1")
    assert one.setting("x") == "1"
    one.close()
    other.close()


def test_what_is_read_within_a_write_that_fails_is_not_remembered(tmp_path: Path) -> None:
    opened = Database(tmp_path / "some.sqlite3", migrations=[Migration("CREATE TABLE t (x INTEGER);")])
    remembered = Remembered(opened, limit=10)

    def count() -> int:
        return remembered.value("count", lambda: int(opened.all("SELECT count(*) FROM t")[0][0]))

    assert count() == 0
    with pytest.raises(ZeroDivisionError), opened.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        assert count() == 1
        raise ZeroDivisionError
    assert count() == 0
    opened.close()


def test_of_several_processes_one_is_the_first_to_claim_a_setting(tmp_path: Path) -> None:
    one, other = (SqliteCatalogStore(tmp_path / "catalog.sqlite3") for _ in range(2))
    assert [one.claim_setting("model", "a"), other.claim_setting("model", "b"), one.setting("model")] == ["a"] * 3
    one.close()
    other.close()


def test_a_file_cannot_be_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(WorkspaceUnusable, match="cannot be used as a workspace"):
        SqliteCatalogStore(tmp_path / "home" / "catalog.sqlite3")


def test_a_file_system_without_locks_is_named_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(FileLock, "_acquire", refuse)
    with pytest.raises(WorkspaceUnusable, match=r"has no locks \(NFS\?\); put the workspace on a local disk"):
        SqliteCatalogStore(tmp_path / "catalog.sqlite3")
    assert not (tmp_path / "catalog.sqlite3").exists()
    assert json.dumps([path.name for path in tmp_path.iterdir()]) == "[]"
