"""Where an export is written: aside first, and under its own name only when it is whole and on disk."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sartor.errors import ExportFailed, ExportTaken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANIFEST = "export.json"  # in a folder: what it is, and the sign that it may be replaced


def require_free(path: Path, *, is_folder: bool, force: bool) -> None:
    """Refuse a path where something is that may not be replaced.

    A folder is replaced only where it is an earlier export: what else lies in a folder is nobody's to delete.

    Raises:
        ExportTaken: There is something.
    """
    if path.is_symlink() or (path.exists() and path.is_dir() != is_folder):
        raise ExportTaken(path, reason="is something else than this export would be", by_force=False)
    if not path.exists() or (is_folder and not any(path.iterdir())):
        return
    if is_folder and (foreign := _foreign(path)):
        raise ExportTaken(path, reason=f"holds {foreign}, which no earlier export wrote", by_force=False)
    if not force:
        raise ExportTaken(path, reason="is there already", by_force=True)


@contextmanager
def written_whole(path: Path, *, is_folder: bool) -> Iterator[Path]:
    """A path beside the wanted one, which takes its place in the end, and is removed if anything goes wrong.

    Raises:
        ExportFailed: It cannot be written.
    """
    path = path.absolute()  # "." has no name
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_folder:
            aside.mkdir()
        yield aside
        _to_disk(aside)
        _put_in_place(aside, path)
    except OSError as error:
        raise ExportFailed(path, reason=error.strerror or str(error)) from error
    finally:
        _remove(aside)


def _foreign(path: Path) -> str:
    """Name of something in a folder that no earlier export wrote there; empty when there is nothing such."""
    try:
        written = {MANIFEST, *json.loads((path / MANIFEST).read_bytes())["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        written = set()
    return next((each.name for each in sorted(path.iterdir()) if each.name not in written), "")


def _to_disk(path: Path) -> None:
    """Tables and vectors are synchronized, thousands of thumbnails are left to the operating system."""
    for file in path.iterdir() if path.is_dir() else (path,):
        if file.is_file():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())


def _put_in_place(aside: Path, path: Path) -> None:
    """Rename; a folder cannot be renamed over another one, so the earlier one steps aside before."""
    if not aside.is_dir() or not path.exists():
        aside.replace(path)
        return
    former = aside.with_suffix(".old")
    path.rename(former)
    try:
        aside.rename(path)
    except OSError:
        former.rename(path)
        raise
    _remove(former)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    elif path.exists():
        path.unlink()
