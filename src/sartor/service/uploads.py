"""Photos that shoppers uploaded to the pages: reduced, kept for a while, so that their results have an address."""

from __future__ import annotations

import hashlib
import re
import time
from typing import TYPE_CHECKING

from sartor.imaging import decode, without_metadata

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NAME = re.compile(r"[0-9a-f]{64}")
_KEPT_S = 24 * 3600.0
_MOST = 500
_SUFFIXES = ("jpg", "png", "webp")


class Uploads:
    """Photos in a directory, named by the SHA-256 of what was uploaded; the oldest make room for new ones."""

    def __init__(
        self,
        directory: Path,
        *,
        kept_s: float = _KEPT_S,
        most: int = _MOST,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._directory, self._kept_s, self._most, self._clock = directory, kept_s, most, clock

    def put(self, data: bytes) -> str:
        """Keep a photo, reduced and without its metadata, and return its name.

        Raises:
            PhotoRejected: It is no photo that can be used.
        """
        name = hashlib.sha256(data).hexdigest()
        decoded = decode(data, name="the photo")
        kept = without_metadata(decoded)
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / f"{name}.{kept.suffix}"
        draft = path.with_suffix(".part")
        draft.write_bytes(kept.data)
        draft.replace(path)
        self.tidy()
        return name

    def get(self, name: str) -> bytes | None:
        """A photo that is still kept."""
        if not _NAME.fullmatch(name):
            return None
        for suffix in _SUFFIXES:
            path = self._directory / f"{name}.{suffix}"
            if path.is_file():
                return path.read_bytes()
        return None

    def tidy(self) -> None:
        """Delete what is too old, and the oldest beyond what is kept."""
        files = [path for path in self._directory.iterdir() if path.suffix[1:] in _SUFFIXES]
        by_age = sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)
        oldest_s = self._clock() - self._kept_s
        for place, path in enumerate(by_age):
            if place >= self._most or path.stat().st_mtime < oldest_s:
                path.unlink(missing_ok=True)
