"""What the worker processes of one service share: a directory that their supervisor makes and deletes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import multiprocess

from sartor.service.listener import OpenConnections

if TYPE_CHECKING:
    from pathlib import Path

_METRICS, _COUNTS, _READY, _FAILURE = "metrics", "request-counts", "ready", "failure"
_MEMBER = "worker-"


@dataclass(frozen=True, slots=True)
class WorkerGroup:
    """The workers of one service, as the supervisor and each of them see it.

    Attributes:
        directory: The directory that they share; only this host's processes use it.
    """

    directory: Path

    @property
    def metrics(self) -> Path:
        """Directory of the files that Prometheus' client keeps for each process."""
        return self.directory / _METRICS

    @property
    def request_counts(self) -> Path:
        """File with the counts of ``rates.SharedCounts``."""
        return self.directory / _COUNTS

    def prepare(self) -> None:
        """Make what the workers expect."""
        self.metrics.mkdir()

    @property
    def is_ready(self) -> bool:
        """Whether all workers were ready once; from then on one that starts is ready before it accepts."""
        return self._file(_READY).exists()

    def mark_ready(self) -> None:
        """Note that all workers are ready."""
        self._file(_READY).touch()

    def connections(self) -> OpenConnections:
        """The open connections of this process; it is a member once they are published."""
        return OpenConnections(self.directory, _MEMBER)

    def leave(self, pid: int | None) -> None:
        """Note that a process has ended."""
        self._file(f"{_MEMBER}{pid}").unlink(missing_ok=True)
        multiprocess.mark_process_dead(pid, str(self.metrics))  # type: ignore[no-untyped-call]

    @property
    def members(self) -> set[int]:
        """Process ids of the workers that are ready."""
        return {int(file.name.removeprefix(_MEMBER)) for file in self.directory.glob(f"{_MEMBER}*")}

    def fail(self, reason: str) -> None:
        """Note why a worker cannot start; the first reason counts."""
        draft = self._file(f"{_FAILURE}-{os.getpid()}")
        draft.write_text(reason, encoding="utf-8")
        if self.failure is None:
            draft.replace(self._file(_FAILURE))

    @property
    def failure(self) -> str | None:
        """Why a worker cannot start; None if all could."""
        try:
            return self._file(_FAILURE).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def _file(self, name: str) -> Path:
        return self.directory / name
