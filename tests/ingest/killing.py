"""Processes that a test kills.

They are forked from one that has imported all that they need: importing takes longer than they live.
"""

from __future__ import annotations

import multiprocessing
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(
    ["tests.ingest.indexing_child", "tests.ingest.event_child", "tests.evaluation.promoting_child"]
)


class Child:
    """A process that says something, line by line, until it is killed.

    Attributes:
        stdout: What it says.
    """

    def __init__(self, process: multiprocessing.process.BaseProcess, stdout: TextIO) -> None:
        self._process, self.stdout = process, stdout

    def kill(self) -> None:
        """Kill it, which no process can put off."""
        self._process.kill()


@contextmanager
def child(work: Callable[..., None], *arguments: object) -> Iterator[Child]:
    """Run ``work(stdout, *arguments)`` in a process of its own, and end it with the block."""
    reader, writer = _PROCESSES.Pipe(duplex=False)
    process = _PROCESSES.Process(target=_run, args=(writer, work, arguments))
    process.start()
    writer.close()
    with os.fdopen(os.dup(reader.fileno()), encoding="utf-8") as stdout:
        reader.close()
        try:
            yield Child(process, stdout)
        finally:
            process.kill()
            process.join()


def _run(writer: Connection, work: Callable[..., None], arguments: tuple[object, ...]) -> None:
    with os.fdopen(os.dup(writer.fileno()), "w", encoding="utf-8") as stdout:
        writer.close()
        work(stdout, *arguments)
