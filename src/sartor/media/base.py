"""The contract of a media store: thumbnails of photos, named by the photo's SHA-256 and never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sartor.imaging.thumbnail import Thumbnail


class MediaStore(Protocol):
    """Thumbnails by file name, ``{sha256}.{suffix}``. Threads may share it.

    A thumbnail is there whole or not at all, and on disk when ``put`` returns.
    """

    def put(self, sha256: str, thumbnail: Thumbnail) -> str:
        """Keep a thumbnail and return its file name; one that is kept already stays as it is.

        Raises:
            PhotoRejected: This is not a SHA-256, or not the suffix of a thumbnail.
            WorkspaceUnusable: The file cannot be written.
        """
        ...

    def path(self, name: str) -> Path:
        """The local file of a thumbnail, whether it exists or not; never outside of the store.

        Raises:
            PhotoRejected: ``put`` gives no such name.
        """
        ...

    def read(self, name: str) -> bytes:
        """The bytes of a thumbnail.

        Raises:
            PhotoRejected: ``put`` gives no such name, or nothing is kept under it.
        """
        ...

    def exists(self, name: str) -> bool:
        """Whether a thumbnail is kept."""
        ...

    def names(self) -> Iterator[str]:
        """Names of all thumbnails, sorted."""
        ...

    def delete(self, name: str) -> None:
        """Delete a thumbnail; nothing happens if there is none."""
        ...

    def remove_leftovers(self) -> int:
        """Remove half-written files of a killed process, and return how many; call it before any ``put``."""
        ...
