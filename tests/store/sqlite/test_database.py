from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sartor.errors import WorkspaceBusy, WorkspaceUnusable
from sartor.store.sqlite.database import WorkspaceLock

HOLD = "import sys; from sartor.store.sqlite.database import WorkspaceLock; from pathlib import Path\n"
HOLD += "lock = WorkspaceLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"


def test_a_second_process_is_told_who_holds_the_workspace(tmp_path: Path) -> None:
    with WorkspaceLock(tmp_path):
        second = subprocess.run(
            [sys.executable, "-c", HOLD, str(tmp_path)], capture_output=True, text=True, check=False, input=""
        )
    assert "WorkspaceBusy" in second.stderr
    assert f"process {os.getpid()}" in second.stderr


def test_a_killed_process_gives_the_workspace_back(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(WorkspaceBusy, match=f"process {child.pid}"):
            WorkspaceLock(tmp_path)
        child.kill()
        child.wait()
        WorkspaceLock(tmp_path).release()


def test_a_released_workspace_can_be_held_again(tmp_path: Path) -> None:
    for _ in range(2):
        with WorkspaceLock(tmp_path), pytest.raises(WorkspaceBusy, match=f"process {os.getpid()}"):
            WorkspaceLock(tmp_path)


def test_a_file_cannot_be_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(WorkspaceUnusable, match="cannot be used as a workspace"):
        WorkspaceLock(tmp_path / "home")
