"""Directories that cannot be written, also by root."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOUNT = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'


def read_only_mount(directory: Path) -> list[str]:
    """What to put before a command so that it finds the directory on a read-only mount."""
    prefix = ["unshare", "--mount", "sh", "-c", _MOUNT, str(directory)]
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root mounts, with unshare of util-linux")
    if subprocess.run([*prefix, "true"], check=False).returncode:
        pytest.skip("this container may not mount")
    return prefix


def as_a_user() -> list[str]:
    """What to put before a command so that permissions hold for it, though the tests run as root."""
    if os.geteuid() != 0:
        return []
    prefix = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override"]
    if shutil.which("setpriv") is None or subprocess.run([*prefix, "true"], check=False).returncode:
        pytest.skip("root keeps its rights here: there is no setpriv of util-linux")
    return prefix


@contextmanager
def without_permission(directory: Path) -> Iterator[None]:
    """Nothing in the directory may be written."""
    everything = [directory, *directory.rglob("*")]
    modes = [(path, path.stat().st_mode) for path in everything]
    try:
        for path, mode in modes:
            path.chmod(mode & ~0o222)
        yield
    finally:
        for path, mode in modes:
            path.chmod(mode)
