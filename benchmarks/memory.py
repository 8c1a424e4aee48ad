"""The most memory that a piece of work holds, beyond what its process held before."""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Self

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # proc_pid_clear_refs(5)
_RSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024  # getrusage(2) counts in KiB on Linux


class PeakGrowth:
    """How far the resident memory of this process grows inside a ``with``, pages of mapped files included.

    Without ``/proc`` it counts from the highest that the process has ever held.
    """

    def __enter__(self) -> Self:
        if _RESET.exists():
            _RESET.write_text(_RESET_PEAK, encoding="ascii")
        self._before = _resident_mb("VmRSS")
        return self

    def __exit__(self, *_: object) -> None:
        self.mb = _resident_mb("VmHWM") - self._before


def _resident_mb(field: str) -> float:
    if not _STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT_BYTES / 1e6
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(field))


def size_mb(directory: Path) -> float:
    """What the files of a directory hold, in 10^6 bytes of disk."""
    return sum(file.stat().st_blocks * 512 for file in directory.rglob("*") if file.is_file()) / 1e6
