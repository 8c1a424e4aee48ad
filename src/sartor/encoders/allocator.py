"""Whether OpenVINO can run in this process: it aborts where another allocator stands in for that of the C library.

Containers and service managers preload jemalloc, mimalloc or tcmalloc (``LD_PRELOAD``). With any of them OpenVINO
2026.4.1 ends the process when it loads its plugin for processors: "munmap_chunk(): invalid pointer".
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from functools import cache
from pathlib import Path

_MAPS = Path("/proc/self/maps")
_LIBC = ("libc.", "libc-", "ld-musl")
_PROBE = "import sartor, openvino; openvino.Core().available_devices"
_PROBE_S = 60


@cache
def openvino_aborts_with() -> str | None:
    """The file of the allocator with which OpenVINO would abort here; None where it runs.

    It is tried in a process of its own, so that a version that runs with the allocator is used. That takes half a
    second, and only where there is such an allocator.
    """
    allocator = _foreign_allocator()
    if allocator is None:
        return None
    tried = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", _PROBE], capture_output=True, timeout=_PROBE_S, check=False
    )
    return allocator if tried.returncode < 0 else None


def _foreign_allocator() -> str | None:
    """The file that ``malloc`` comes from; None if it is the C library, or where the system does not tell."""
    try:
        address = ctypes.cast(ctypes.CDLL(None).malloc, ctypes.c_void_p).value or 0
        lines = _MAPS.read_text(encoding="utf-8", errors="replace").splitlines()
    except (OSError, AttributeError, TypeError):  # not Linux
        return None
    for line in lines:
        start, _, end = line.partition(" ")[0].partition("-")
        if int(start, 16) <= address < int(end, 16):
            file = Path(line.split(maxsplit=5)[-1]).name
            return None if file.startswith(_LIBC) or "/" not in line else file
    return None
