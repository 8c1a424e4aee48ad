"""Files of a workspace by name, in a directory: there whole or not at all, and never changed."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from sartor.errors import WorkspaceUnusable

if TYPE_CHECKING:
    from pathlib import Path

_PART = ".part"


class FolderFiles:
    """The files of a directory, which is made with the first one. Threads and processes may share it.

    Args:
        directory: Where they are.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def upload(self, name: str, content: BinaryIO) -> bool:
        """Write a file from an open one; returns False, and changes nothing, if there is one of this name.

        Raises:
            WorkspaceUnusable: It cannot be written.
        """
        part = self._directory / f"{secrets.token_hex(8)}{_PART}"
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            with part.open("xb") as file:
                shutil.copyfileobj(content, file)
            try:
                os.link(part, self._directory / name)
            except FileExistsError:
                return False
        except OSError as error:
            raise WorkspaceUnusable(
                self._directory, reason=f"{name} cannot be written ({error.strerror})"
            ) from error
        finally:
            with suppress(OSError):
                part.unlink()
        return True

    def read(self, name: str) -> bytes | None:
        """The bytes of a file; None if there is none."""
        try:
            return (self._directory / name).read_bytes()
        except FileNotFoundError:
            return None

    def names(self) -> list[str]:
        """Names of all files, sorted."""
        try:
            return sorted(file.name for file in self._directory.iterdir() if file.suffix != _PART)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def delete(self, name: str) -> bool:
        """Delete a file, if there is one; returns whether it is gone."""
        (self._directory / name).unlink(missing_ok=True)
        return True
