"""From the photo names that come with vectors to names that Sartor keeps, and to ids of products."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sartor.catalog.files import without_suffix
from sartor.catalog.photo_index import stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DRIVE = re.compile(r"[A-Za-z]:/+")
LONGEST_NAME = 2_000


def photo_name(value: Any) -> str:
    """The name of a photo as a POSIX path, however it was written; empty where the value is no name."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    name = str(value).replace("\\", "/") if _is_windows(value) else str(value)
    return name.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair cannot be stored


def relative(name: str) -> str:
    """A name without its drive, its root and its ways up."""
    return "/".join(part for part in _DRIVE.sub("", name, count=1).split("/") if part not in {"", ".", ".."})


def ids_of(names: Iterable[str]) -> list[str]:
    """An id for each name: its stem, or its path where another photo has that stem; empty where a name repeats.

    It is the rule by which a table's photos without a row are named.
    """
    taken: dict[str, str] = {}  # id -> name
    seen: set[str] = set()
    ids = []
    for name in names:
        place = relative(name)
        free = (each for each in (stem(place), without_suffix(place), place) if each and each not in taken)
        product_id = "" if place in seen else next(free, "")
        seen.add(place)
        taken[product_id] = name
        ids.append(product_id)
    return ids


def repeated_stems(names: Sequence[str]) -> frozenset[str]:
    """The stems that several names have, by which no photo can be told."""
    seen: set[str] = set()
    repeated: set[str] = set()
    for each in map(stem, names):
        (repeated if each in seen else seen).add(each)
    return frozenset(repeated)


def _is_windows(name: str) -> bool:
    return "\\" in name and ("/" not in name or bool(_DRIVE.match(name.replace("\\", "/"))))
