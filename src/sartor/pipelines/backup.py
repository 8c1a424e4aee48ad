"""A copy of a workspace that can be used in its place, made while it is in use."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sartor.errors import BackupFailed
from sartor.store.backup import copy_store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that is done.

    Attributes:
        directory: Where it lies.
        files: How many files it has.
        size_bytes: Their length.
    """

    directory: Path
    files: int
    size_bytes: int


def back_up(home: Path, directory: Path, *, stores: Sequence[str], folders: Sequence[str]) -> Backup:
    """Copy a workspace; until everything is there, it lies beside ``directory``, under a name with ``.part``.

    Stores are copied before the files that they tell of, which are there before a store tells of them.

    Args:
        home: The workspace.
        directory: Where to; a new directory, or an empty one.
        stores: Files of stores, of which the first has to be there.
        folders: Directories of files that are written once.

    Raises:
        BackupFailed: There is no workspace, something is in the way, or a file cannot be copied.
    """
    if not (home / stores[0]).is_file():
        raise BackupFailed(home, reason="there is no workspace; give its directory with --home")
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise BackupFailed(home, reason=f"{directory} is there already; name a new directory")
    part = directory.absolute().with_name(f"{directory.absolute().name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for name in stores:
            if (home / name).is_file():
                copy_store(home / name, part / name)
        for name in folders:
            _copy(home / name, part / name)
        sizes = [file.stat().st_size for file in part.rglob("*") if file.is_file()]
        part.replace(directory)  # takes the place of an empty directory, too
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise BackupFailed(home, reason=str(error)) from error
    return Backup(directory=directory, files=len(sizes), size_bytes=sum(sizes))


def _copy(source: Path, target: Path) -> None:
    """Copy the files of a directory, except for those that are deleted meanwhile."""
    for file in sorted(source.rglob("*")):
        to = target / file.relative_to(source)
        try:
            if file.is_file():
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, to)
        except FileNotFoundError:
            if file.exists():
                raise
