"""The command line: parse, call, present. Results go to stdout, progress and errors to stderr."""

from __future__ import annotations

import errno
import io
import sys

# What a disk says that is full or locked: no fault of the program, so one line tells it.
_OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


def main() -> None:
    """Run the command line; the exit code is 0 done, 1 failed with one clear line, 2 wrong usage."""
    from sartor.cli.app import app
    from sartor.errors import SartorError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file or a pipe may have another encoding than the terminal
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="sartor")
    except SartorError as error:
        print(f"sartor: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if error.errno not in _OF_THE_DISK:
            raise
        where = f"{error.filename}: " if error.filename else ""
        print(f"sartor: {where}{error.strerror}", file=sys.stderr)
        sys.exit(1)
