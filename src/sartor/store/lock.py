"""One process at a time holds a workspace; the others are told which one."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from sartor.errors import WorkspaceBusy, WorkspaceUnusable

_LOCK_FILE = "workspace.lock"
_HOLDER_FILE = "holder.json"


class WorkspaceLock:
    """Holds a workspace until it is released or the process ends, however it ends.

    Raises:
        WorkspaceBusy: Another process holds it.
        WorkspaceUnusable: The directory cannot be written.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = FileLock(home / _LOCK_FILE, thread_local=False)  # another thread may release it
        try:
            home.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            self._write_holder()
        except Timeout:
            raise WorkspaceBusy(home, holder=_holder(home / _HOLDER_FILE)) from None
        except OSError as error:
            raise WorkspaceUnusable(home, reason=error.strerror or str(error)) from error

    def release(self) -> None:
        """Let another process have the workspace."""
        (self._home / _HOLDER_FILE).unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _write_holder(self) -> None:
        command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])
        since = datetime.now().astimezone().isoformat(timespec="seconds")
        holder = {"pid": os.getpid(), "command": command, "since": since}
        (self._home / _HOLDER_FILE).write_text(json.dumps(holder), encoding="utf-8")


def _holder(file: Path) -> str:
    try:
        holder = json.loads(file.read_bytes())
        return f"{holder['command']!r} (process {holder['pid']}, since {holder['since']})"
    except (OSError, ValueError, KeyError):  # it is just starting, or just done
        return "another process"
