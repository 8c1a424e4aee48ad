"""What a cell of an image column says: one image or several, local files or URLs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sartor.catalog.table_format import texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sartor.catalog.table_format import Cell

_LOCALHOST = frozenset({"", "localhost"})
_SEPARATOR = re.compile(r"[,;|]")
_SEPARATOR_OF_URLS = re.compile(r"[,;|\s]+(?=[A-Za-z][A-Za-z0-9+.-]*://)")  # a URL may itself have commas
_DRIVE = re.compile(r"^/(?=[A-Za-z]:/)")  # "file:///C:/1.jpg" is "C:/1.jpg"
_QUERY = re.compile(r"[?#]")
_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]+://|data:)")


def references(cell: Cell, *, is_file: Callable[[str], bool]) -> Iterator[str]:
    """The images that a cell names, in its order.

    A text with separators is one image if there is such a file, and several else; ``[a, b]`` is a list, as JSON
    or Python writes one.

    Args:
        cell: The cell.
        is_file: Whether a text is the name of a file.
    """
    for text in texts(cell):
        is_one = not _SEPARATOR.search(text) or is_file(text)
        yield from filter(None, map(local_reference, (text,) if is_one else _separated(text)))


def is_url(reference: str) -> bool:
    """Whether a reference leads elsewhere than to a local file."""
    return _URL.match(reference) is not None


def local_reference(text: str) -> str:
    """A ``file://`` URL as a path, and backslashes as slashes; other text as it is."""
    if text.lower().startswith("file://"):
        host, slash, path = text[len("file://") :].partition("/")
        # "file://images/1.jpg" has "images" for a host; it is a slip for a relative path
        return _DRIVE.sub("", ("" if host in _LOCALHOST else host) + slash + unquote(path))
    return text if is_url(text) else text.replace("\\", "/")


def base_name(reference: str) -> str:
    """The last part of a path, or of a URL without its query; empty when there is none to read."""
    if reference.lower().startswith("data:"):
        return ""
    path = _QUERY.split(reference, maxsplit=1)[0] if is_url(reference) else reference
    return path.rpartition("/")[2]


def _separated(text: str) -> Iterator[str]:
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    separator = _SEPARATOR_OF_URLS if "://" in text else _SEPARATOR
    return (part.strip(" '\"") for part in separator.split(text))
