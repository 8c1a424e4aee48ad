"""The contract of a media store: thumbnails of photos, named by the photo's SHA-256 and never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from sartor.imaging.thumbnail import Thumbnail


class Originals(Protocol):
    """Uploaded sources where all hosts find them."""

    def put_source(self, name: str, file: BinaryIO) -> str:
        """Keep a source and return its address; the same content under the same name is kept once.

        Raises:
            MediaAway: The server does not answer; nothing of it is seen.
            WorkspaceUnusable: It is refused.
        """
        ...

    def delete_sources(self, in_use: Collection[str], *, min_age_s: float) -> int:
        """Delete those whose address, without options, is not given, if they are so old; returns how many."""
        ...


class MediaStore(Protocol):
    """Thumbnails by file name, ``{sha256}.{suffix}``. Threads may share it.

    A thumbnail is there whole or not at all, and safe when ``flush`` returns, which comes before the transaction
    that names its photo. If a server does not answer, each method raises ``MediaAway``, or ``StoreAway`` if it is
    that of the store.

    Attributes:
        name: What messages call it, without a password.
        originals: Keeps uploaded sources; None where they stay on the host that got them.
    """

    name: str
    originals: Originals | None

    def put(self, sha256: str, thumbnail: Thumbnail) -> str:
        """Keep a thumbnail and return its file name; of one that is kept already, only the age begins anew.

        Raises:
            PhotoRejected: This is not a SHA-256, or not the suffix of a thumbnail.
            WorkspaceUnusable: The file cannot be written.
        """
        ...

    def flush(self) -> None:
        """Make sure that what was put outlives this process; a bucket takes many thumbnails at once.

        Raises:
            WorkspaceUnusable: It cannot be written.
            MediaAway: The server does not answer; call it again when it does.
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

    def keep(self, name: str) -> bool:
        """Whether a thumbnail is kept; its age begins anew, so that it stays until its photo is written."""
        ...

    def keep_all(self, names: Iterable[str]) -> set[str]:
        """Those of the names whose thumbnails are kept, in few calls; their age begins anew."""
        ...

    def age_s(self, name: str) -> float:
        """Seconds since a thumbnail may have been put or kept last; infinity if there is none."""
        ...

    def names(self) -> Iterator[str]:
        """Names of all thumbnails, sorted."""
        ...

    def delete(self, name: str, *, min_age_s: float = 0.0) -> bool:
        """Delete a thumbnail that was put at least so many seconds ago; returns whether it is gone.

        A thumbnail is put before the store names its photo, so another process may be about to name a young one.
        """
        ...

    def remove_leftovers(self, *, min_age_s: float) -> int:
        """Remove half-written files of killed processes that are at least so old; returns how many."""
        ...

    def damage(self) -> list[str]:
        """What is wrong with what keeps the thumbnails, in sentences; empty when all is well."""
        ...

    def close(self) -> None:
        """Close the files that are open; what was put and not flushed belongs to no photo of the store."""
        ...
