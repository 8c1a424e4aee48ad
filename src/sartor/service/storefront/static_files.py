"""Stylesheets, modules and pictures of the pages: read once, served under an address that changes with them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_DIGEST_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is sent."""

    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """All of them, by name.

    Attributes:
        named: The files.
        digest: Of all of them together, so that modules find each other by relative addresses.
    """

    named: Mapping[str, StaticFile]
    digest: str

    @classmethod
    def read(cls) -> StaticFiles:
        """Read those of the package."""
        named, digest = {}, hashlib.sha256()
        for path in sorted(files(__package__).joinpath("static").iterdir(), key=lambda each: each.name):
            suffix = path.name.rpartition(".")[2]
            if suffix in _MEDIA_TYPES:
                data = path.read_bytes()
                digest.update(f"{path.name}\0{len(data)}\0".encode() + data)
                named[path.name] = StaticFile(data, _MEDIA_TYPES[suffix])
        return cls(named, digest.hexdigest()[:_DIGEST_CHARACTERS])

    def address(self, name: str) -> str:
        """Where a file is.

        Raises:
            KeyError: There is none.
        """
        self.named[name]
        return f"/static/{self.digest}/{name}"
