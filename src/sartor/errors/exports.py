"""Exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.errors.base import SartorError

if TYPE_CHECKING:
    from pathlib import Path


class ExportError(SartorError):
    """A workspace cannot be exported as wanted."""


class ExportTaken(ExportError):
    """There is something where an export shall be written."""

    def __init__(self, path: Path, *, reason: str, by_force: bool) -> None:
        remedy = "replace it with --force, or choose another path" if by_force else "choose another path"
        super().__init__(f"{path} {reason}; {remedy}")


class ExportMisnamed(ExportError):
    """The path or the options of an export do not fit its format."""

    def __init__(self, path: Path, *, reason: str) -> None:
        super().__init__(f"{path} cannot be that export: {reason}")


class ExportFailed(ExportError):
    """An export could not be written."""

    def __init__(self, path: Path, *, reason: str) -> None:
        super().__init__(f"{path} cannot be written ({reason}); nothing of it was left behind")
