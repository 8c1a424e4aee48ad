"""How results look: JSON for machines, tables for people, progress on stderr."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sartor.pipelines.report import OnProgress, Progress

STOPPED = 130  # exit code: 128 + SIGINT, as shells have it


def print_json(value: Any) -> None:
    """Print one JSON value on one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; nothing when it has no rows."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    if table.row_count:
        Console().print(table)


@contextmanager
def progress_bar(what: str, *, things: str = "photos") -> Iterator[OnProgress]:
    """A bar on stderr with the rate of things and the time left; silent when stderr is no terminal."""
    from rich import progress
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None, rate="")

        def show(step: Progress) -> None:
            elapsed_s = bar.tasks[task].elapsed or 0
            rate = f"{step.photos / elapsed_s:.0f} {things}/s" if elapsed_s else ""
            bar.update(task, completed=step.products, total=step.total, rate=rate)

        yield show


def counted(number: int, thing: str) -> str:
    """``1 photo``, ``2,000 photos``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
