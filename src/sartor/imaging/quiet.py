"""Silence for Pillow's warnings, in the thread that decodes and in no other.

Pillow warns of odd EXIF, APNG or TIFF tags in photos that decode well, and a warning must neither print in
the middle of an ingest nor, under ``-W error``, change which photos are accepted. ``warnings.catch_warnings``
swaps a list that all threads share, so two decoders would undo each other's filters.
"""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator


class _ThisThread(threading.local):
    """Stands where a warning filter has the pattern of a module's name, and knows who asks."""

    is_quiet = False

    def match(self, module: str) -> bool:
        return self.is_quiet and module.startswith("PIL.")


_this_thread = _ThisThread()
_FILTER = ("ignore", None, Warning, _this_thread, 0)
_lock = threading.Lock()


@contextmanager
def pillow_kept_quiet() -> Iterator[None]:
    """Drop what Pillow warns of in this thread until the block ends."""
    _put_filter_first()
    _this_thread.is_quiet = True
    try:
        yield
    finally:
        _this_thread.is_quiet = False


def _put_filter_first() -> None:
    """Make the filter the first of the process's: it stays, and matches nothing outside of the blocks above.

    The list is changed directly because ``warnings.filterwarnings`` takes a pattern only as text, and because
    it would make every warning that is shown once show again.
    """
    filters = cast("list[object]", warnings.filters)
    if filters and filters[0] is _FILTER:
        return
    with _lock:
        for position in reversed([at for at, known in enumerate(filters) if known is _FILTER]):
            del filters[position]
        filters.insert(0, _FILTER)
