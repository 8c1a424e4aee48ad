"""What a measurement was made on, in words: the machine, the versions, the time."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_PACKAGES = ("sartor", "numpy", "openvino", "onnxruntime", "pillow", "qdrant-edge-py")


def versions(packages: Sequence[str] = _PACKAGES) -> dict[str, str]:
    """Of Python and of the packages that decide a result; those that are not installed are left out."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine_words() -> str:
    """The processor, how many cores, and the system."""
    return f"{processor()}, {os.cpu_count() or 1} cores, {platform.system()}"


def now() -> str:
    """The time in UTC, as ISO 8601 has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def processor() -> str:
    """The processor's model."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())
