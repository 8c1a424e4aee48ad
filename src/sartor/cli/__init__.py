"""The command line: parse, call, present. Results go to stdout, progress and errors to stderr."""

from __future__ import annotations

import io
import sys


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
