"""Workspaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.errors.base import SartorError

if TYPE_CHECKING:
    from pathlib import Path


class WorkspaceError(SartorError):
    """A workspace cannot be used."""


class WorkspaceBusy(WorkspaceError):
    """Another process holds the workspace."""

    def __init__(self, home: Path, *, holder: str) -> None:
        super().__init__(f"{home} is in use by {holder}; wait until it is done, or choose another --home")


class WorkspaceTooNew(WorkspaceError):
    """A newer Sartor wrote this workspace."""

    def __init__(self, home: Path, *, found: int, supported: int) -> None:
        super().__init__(
            f"{home} was written by a newer Sartor (schema {found}, this one knows {supported}); "
            "upgrade with: pip install -U sartor"
        )


class WorkspaceUnusable(WorkspaceError):
    """The directory cannot hold a workspace, or what it holds is damaged."""

    def __init__(self, home: Path, *, reason: str) -> None:
        super().__init__(f"{home} cannot be used as a workspace: {reason}")


class BackupFailed(WorkspaceError):
    """A workspace cannot be backed up."""

    def __init__(self, home: Path, *, reason: str) -> None:
        super().__init__(f"{home} is not backed up: {reason}")
