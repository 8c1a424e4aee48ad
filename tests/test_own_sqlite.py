"""The SQLite that the store is opened with."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from sartor import own_sqlite


def run(*code: str) -> subprocess.CompletedProcess[str]:
    if find_spec("tensorflow") is None:
        pytest.skip("tensorflow is not installed: pip install 'sartor[train]'")
    line = [sys.executable, "-c", "; ".join(code)]
    return subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)


def test_a_workspace_opens_where_tensorflow_was_imported_before(tmp_path: Path) -> None:
    outcome = run("import tensorflow, sartor", f"sartor.open({str(tmp_path)!r}).close()")
    assert outcome.returncode == 0, outcome.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a library does not take another one's functions")
def test_where_tensorflows_own_was_taken_one_line_says_what_to_do(tmp_path: Path) -> None:
    modules = "print(*sqlite3.connect(':memory:').execute('PRAGMA module_list'))"
    outcome = run("import tensorflow, sqlite3, sartor", modules, f"sartor.open({str(tmp_path)!r}).close()")
    if "fts5" in outcome.stdout:
        pytest.skip("this Python has SQLite inside, or this TensorFlow has none")
    assert outcome.returncode == 1
    assert outcome.stderr.splitlines()[-1].endswith(
        "cannot be used as a workspace: this process has TensorFlow's SQLite, which has no full-text search; "
        "import sqlite3 or open the workspace before tensorflow"
    )


@pytest.mark.parametrize(
    ("modules", "said"), [(["rtree"], "no full-text search (FTS5)"), (["rtree", "fts5"], None), ([], None)]
)
def test_a_python_without_full_text_search_is_told(
    modules: list[str], said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    lack = own_sqlite.lack(SimpleNamespace(execute=lambda _: [(name,) for name in modules]))
    assert lack is None if said is None else said in lack


def test_a_workspace_opens_where_tensorflow_came_after_the_contract_of_stores(tmp_path: Path) -> None:
    outcome = run("import sartor.store.base, tensorflow", f"sartor.open({str(tmp_path)!r}).close()")
    assert outcome.returncode == 0, outcome.stderr
