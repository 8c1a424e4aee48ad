"""Pillow's warnings and libtiff's errors: dropped in the threads that decode, and in no others."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import warnings

import pytest
from PIL import Image

from sartor.imaging.quiet import pillow_kept_quiet


def make_pillow_warn() -> None:
    """Pillow warns of an image between once and twice as large as its limit."""
    Image._decompression_bomb_check((10_000, 10_000))


def test_pillow_is_quiet_inside_of_the_block_and_not_after_it() -> None:
    with pillow_kept_quiet():
        make_pillow_warn()

    with pytest.warns(Image.DecompressionBombWarning):
        make_pillow_warn()


def test_other_warnings_are_heard_inside_of_the_block() -> None:
    with pillow_kept_quiet(), pytest.warns(UserWarning, match="from elsewhere"):
        warnings.warn("from elsewhere", stacklevel=1)


def test_other_threads_are_heard_while_one_is_quiet() -> None:
    quiet, done = threading.Event(), threading.Event()

    def stay_quiet() -> None:
        with pillow_kept_quiet():
            quiet.set()
            done.wait(timeout=5)

    thread = threading.Thread(target=stay_quiet)
    thread.start()
    quiet.wait(timeout=5)
    with pytest.warns(Image.DecompressionBombWarning):
        make_pillow_warn()
    done.set()
    thread.join()


def test_a_filter_that_was_set_later_does_not_matter() -> None:
    with pillow_kept_quiet():
        pass
    warnings.simplefilter("error")

    with pillow_kept_quiet():
        make_pillow_warn()
    with pytest.raises(Image.DecompressionBombWarning):  # the filter that was set later is in force
        make_pillow_warn()


def test_the_list_of_filters_does_not_grow() -> None:
    for _ in range(3):
        warnings.simplefilter("error")
        with pillow_kept_quiet():
            length = len(warnings.filters)
    warnings.simplefilter("error")
    with pillow_kept_quiet():
        assert len(warnings.filters) == length


def test_a_block_that_fails_ends_the_quiet() -> None:
    with pytest.raises(KeyError), pillow_kept_quiet():
        raise KeyError

    with pytest.warns(Image.DecompressionBombWarning):
        make_pillow_warn()


def test_what_pillow_logs_is_heard_outside_of_the_block_alone(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("PIL.TiffImagePlugin")

    with pillow_kept_quiet():
        logger.error("inside")
    logger.error("outside")

    assert caplog.messages == ["outside"]


DAMAGED_TIFF = """
import io, os, sys, threading
from PIL import Image
from sartor.errors import PhotoRejected
from sartor.imaging import decode

file = io.BytesIO()
Image.effect_noise((64, 64), 60).save(file, "TIFF", compression="tiff_deflate")
data = bytearray(file.getvalue())
data[60:200] = bytes(140)
"""
OURS = """
for _ in range(3):
    try:
        decode(bytes(data), name="photo")
    except PhotoRejected as rejected:
        print(rejected.reason)
"""
OTHERS = """
def look():
    try:
        Image.open(io.BytesIO(data)).load()
    except OSError:
        pass
    os.write(2, b"something else")
thread = threading.Thread(target=look)
thread.start()
thread.join()
"""


def written_by(code: str) -> tuple[str, str]:
    """What a process of its own writes to standard output and standard error."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout, done.stderr


def test_libtiff_writes_nothing_for_a_damaged_photo() -> None:
    assert written_by(DAMAGED_TIFF + OURS) == ("is damaged\n" * 3, "")


def test_libtiff_still_writes_for_others_in_the_process() -> None:
    alone = written_by(DAMAGED_TIFF + OTHERS)[1]
    beside = written_by(DAMAGED_TIFF + OURS + OTHERS)[1]

    assert beside == alone
    assert alone.endswith("something else")
    assert len(alone) > len("something else")
