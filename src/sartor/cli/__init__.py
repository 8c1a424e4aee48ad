"""The command line: parse, call, present. Results go to stdout, progress and errors to stderr."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; the exit code is 0 done, 1 failed with one clear line, 2 wrong usage."""
    from sartor.cli.app import app
    from sartor.errors import SartorError

    try:
        app(prog_name="sartor")
    except SartorError as error:
        print(f"sartor: {error}", file=sys.stderr)
        sys.exit(1)
