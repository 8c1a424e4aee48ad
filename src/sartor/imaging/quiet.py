"""Pillow's warnings, what it logs, and what its native decoders print, dropped in the threads that decode.

A damaged TIFF makes libtiff print to the process's standard error, a line or more for each strip. Redirecting that
would take the output of other threads, too. So libtiff's handler of errors is replaced by one that asks which
thread it is called in, and passes on what others have to say.
"""

from __future__ import annotations

import ctypes
import logging
import threading
import warnings
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _ThisThread(threading.local):
    """The module pattern of a warning filter; matches Pillow's modules in threads that are quiet."""

    is_quiet = False

    def match(self, module: str) -> bool:
        return self.is_quiet and module.startswith("PIL.")


_this_thread = _ThisThread()
_FILTER = ("ignore", None, Warning, _this_thread, 0)
_lock = threading.Lock()
# The one logger of Pillow that has more than notes for its authors; where nobody set up logging, Python prints it.
logging.getLogger("PIL.TiffImagePlugin").addFilter(lambda _record: not _this_thread.is_quiet)


@contextmanager
def pillow_kept_quiet() -> Iterator[None]:
    """Drop Pillow's warnings, what it logs, and libtiff's errors, in this thread until the block ends."""
    _put_filter_first()
    _this_thread.is_quiet = True
    try:
        yield
    finally:
        _this_thread.is_quiet = False


def _put_filter_first() -> None:
    """Put the filter first in the process's list; outside the blocks above it matches nothing.

    The list is changed directly because ``warnings.filterwarnings`` takes a pattern only as text and would show
    again every warning that is shown once.
    """
    filters = cast("list[object]", warnings.filters)
    if filters and filters[0] is _FILTER:
        return
    with _lock:
        for position in reversed([index for index, known in enumerate(filters) if known is _FILTER]):
            del filters[position]
        filters.insert(0, _FILTER)


# void handler(const char *module, const char *format, va_list): all are pointers, since a va_list is passed as one
# by the calling conventions of 64-bit x86 and ARM.
_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


_replaced: list[Callable[[int | None, int | None, int | None], None]] = []


def _pass_on(module: int | None, text: int | None, arguments: int | None) -> None:
    if not _this_thread.is_quiet:
        for replaced in _replaced:
            replaced(module, text, arguments)


_handler = _HANDLER(_pass_on)  # kept as long as the process: libtiff has its address


@cache
def libtiff_asks_the_thread() -> bool:
    """Replace libtiff's handler of errors, once in a process; False if this Pillow hides its libtiff.

    The symbol is looked up in Pillow's own library and those it is linked with, so that it is the copy that Pillow
    uses. What the handler replaces, such as the one that prints, is still called in threads that are not quiet.
    """
    try:
        replace = ctypes.CDLL(import_module("PIL._imaging").__file__).TIFFSetErrorHandler
    except (AttributeError, OSError):
        return False
    replace.argtypes, replace.restype = [ctypes.c_void_p], ctypes.c_void_p
    if address := replace(ctypes.cast(_handler, ctypes.c_void_p)):
        _replaced.append(_HANDLER(address))
    return True
