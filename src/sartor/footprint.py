"""What a process leaves on its machine and tells others: nothing that nobody asked for.

Libraries that Sartor uses report their use to their makers, or write into the user's home. ``keep_small`` turns
that off; the package calls it before any of them can be imported, so every importer has passed here.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

CACHE_VARIABLE = "SARTOR_CACHE"

# Each is the switch that a library documents. What the user has set stays. Children inherit them.
_SWITCHES = {
    "DO_NOT_TRACK": "1",  # https://consoledonottrack.com
    "HF_HUB_DISABLE_TELEMETRY": "1",  # Hugging Face
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime; else it also writes a device id and a database
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",  # however Streamlit is started
}
# Libraries that make a directory in the home when they are imported: where, and its name in the cache instead.
_DIRECTORIES = {"KERAS_HOME": (".keras", "keras"), "MPLCONFIGDIR": (".config/matplotlib", "matplotlib")}


def keep_small() -> None:
    """Keep the libraries of this process and of its children from reporting, and from writing into the home."""
    # OpenVINO 2026.4.1 sends an event to an analytics service whenever it is imported, by openvino-telemetry
    # 2025.2.0, whose only switch is a file in the user's home. OpenVINO has a stub for where that package is
    # missing, and None in place of a module says that it is.
    cast("dict[str, Any]", sys.modules).setdefault("openvino_telemetry", None)
    for variable, value in _SWITCHES.items():
        os.environ.setdefault(variable, value)
    for variable, (usual, own) in _DIRECTORIES.items():
        if variable not in os.environ and not _home_has(usual):
            os.environ[variable] = str(_cache(os.environ.get(CACHE_VARIABLE)) / own)


def is_writable(directory: Path) -> bool:
    """Whether files can be made in a directory; in one that is missing, whether it can be made.

    Also false on a file system that is mounted read-only, for root, too.
    """
    nearest = next(each for each in (directory.absolute(), *directory.absolute().parents) if each.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def cache_directory(chosen: Path | None = None) -> Path:
    """The directory for what can be made again; it is made if it is missing.

    Args:
        chosen: The one that the settings name; by default ``sartor`` in the user's cache directory. Where that
            cannot be written, it is one in the directory for temporary files.

    Raises:
        OSError: It cannot be made.
    """
    directory = _cache(chosen)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if directory == _temporary() and not _is_ours(directory):
        return Path(tempfile.mkdtemp(prefix="sartor-"))
    return directory


def _cache(chosen: str | Path | None) -> Path:
    if chosen:
        return Path(chosen).absolute()
    try:
        usual = _usual_cache()
    except RuntimeError:  # a user without a home, as in many containers
        return _temporary()
    return usual if is_writable(usual) else _temporary()


def _usual_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "sartor" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "sartor"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sartor"


def _temporary() -> Path:
    user = os.getuid() if hasattr(os, "getuid") else "cache"
    return Path(tempfile.gettempdir()) / f"sartor-{user}"


def _is_ours(directory: Path) -> bool:
    """Whether nobody else made it, who could put files there for us to read."""
    if not hasattr(os, "getuid"):
        return True
    status = directory.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022


def _home_has(name: str) -> bool:
    try:
        return (Path.home() / name).exists()
    except (OSError, RuntimeError):
        return False
