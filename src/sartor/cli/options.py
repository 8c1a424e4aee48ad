"""What several commands share: options, settings made of them, tables, progress bars and contact sheets."""

from __future__ import annotations

import io
import json
import math
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from sartor.choices import Precision

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sartor.catalog.fetching import FetchProgress, OnFetch
    from sartor.config import Settings
    from sartor.evaluation.intervals import Interval
    from sartor.evaluation.sheets import Tile
    from sartor.ingest.photos import OnProgress, Progress, Rejection
    from sartor.shop import Shop
    from sartor.types import Guesses, Photo


Home: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--home",
        help="Directory of the workspace (SARTOR_HOME; ./sartor-data), or its store: mongodb://localhost/shop.",
    ),
]
Model: TypeAlias = Annotated[
    str | None, typer.Option("--model", help="Model to embed with (SARTOR_MODEL; the workspace's default).")
]
Device: TypeAlias = Annotated[
    str | None, typer.Option("--device", help="auto, cpu, gpu, npu, cuda or coreml (SARTOR_DEVICE; auto).")
]
PrecisionOption: TypeAlias = Annotated[
    Precision | None,
    typer.Option("--precision", help="Arithmetic (SARTOR_PRECISION; auto: bf16 where it is fast)."),
]
MetricOption: TypeAlias = Annotated[
    Literal["cosine", "euclidean"] | None,
    typer.Option("--metric", help="How distance is measured (SARTOR_METRIC; cosine)."),
]
Where: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--where", metavar="KEY=VALUE", help='Filter: key=a,b, key!=a, key=10..50, key="a, b"; repeatable.'
    ),
]
Sheet: TypeAlias = Annotated[
    Path | None, typer.Option("--sheet", metavar="FILE", help="Write a contact sheet, .html or .png.")
]
Limit: TypeAlias = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help="Take only the first N products.")
]
AllowUrls: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--allow-urls", help="Fetch photos given as URLs, from public addresses (SARTOR_ALLOW_URLS; off)."
    ),
]
IncludeUnavailable: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--include-unavailable", help="Also what is out of stock (SARTOR_INCLUDE_UNAVAILABLE; left out)."
    ),
]
Columns: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        metavar="NAME=COLUMN,...",
        help="What columns hold: image=Bild,title=Text,price=VK; also id, images. Remembered; '' forgets it.",
    ),
]
Ray: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="CLUSTER",
        help="Embed on a Ray cluster: auto (this host's, else one is started), local or ray://HOST:PORT.",
    ),
]
Csv: TypeAlias = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE.csv", help="Write all figures to a file, one per line.")
]
Seed: TypeAlias = Annotated[int, typer.Option("--seed", min=0, help="Seed of all that is random.")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


_TOLD: set[str] = set()  # misspelled variables, which are told once
STOPPED = 130  # exit code: 128 + SIGINT, as shells have it
_SHEET_SUFFIXES = (".html", ".png")


def settings(**options: Any) -> Settings:
    """Settings from the options that are not None, else from the environment, else from the workspace's file."""
    from pydantic import ValidationError

    from sartor.config import EnvironmentSettings, misspelled_variables, with_file

    for name, like in misspelled_variables(os.environ).items():
        if name not in _TOLD:
            _TOLD.add(name)
            echo(f"sartor: {name} is no setting and has no effect; did you mean {like}?", err=True)
    try:
        given = EnvironmentSettings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = f"SARTOR_{first['loc'][0]}".upper()
        message = f"{name}={first['input']!r} in the environment is not valid: {first['msg']}"
        raise typer.BadParameter(message) from error
    return with_file(given)


@contextmanager
def stoppable(message: str) -> Iterator[None]:
    """After Ctrl-C, print a line that says what is kept, and exit with 130."""
    try:
        yield
    except KeyboardInterrupt:
        echo(f"sartor: stopped; {message}", err=True)
        raise typer.Exit(STOPPED) from None


def echo(message: str, *, err: bool = False) -> None:
    """Print a line; letters that the encoding of the file or pipe does not have become escapes."""
    typer.echo(message, file=sys.stderr if err else sys.stdout)


def title_text(title: str, *, is_predicted: bool) -> str:
    """A title for people, marked where a model made it."""
    return f"{title} (predicted)" if is_predicted else title


def guesses_json(predicted: Guesses) -> dict[str, dict[str, str | float]]:
    """Predictions with their probabilities, as JSON has them."""
    return {
        name: {"value": value, "probability": round(probability, 4)}
        for name, (value, probability) in predicted.items()
    }


def print_json(value: Any) -> None:
    """Print one JSON value on one line, in UTF-8 whatever the encoding of the terminal is.

    Python reads a file's name that is not in the system's encoding as surrogates. They become its bytes again if
    these are UTF-8, else escapes.
    """
    text = json.dumps(value, ensure_ascii=False)
    try:
        text = text.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeError:
        text = json.dumps(value)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(f"{text}\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; nothing if it has no rows."""
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


def print_rejected(rejections: Iterable[Rejection]) -> None:
    """Print the photos that could not be used."""
    print_table(
        "Rejected photos", ("photo", "reason"), ((rejection.photo, rejection.reason) for rejection in rejections)
    )


@contextmanager
def progress_bar(what: str, *, things: str = "photos") -> Iterator[OnProgress]:
    """A bar on stderr with the rate and the time left; silent if stderr is no terminal."""
    with source_bar(what, fetching="", things=things) as (on_progress, _):
        yield on_progress


@contextmanager
def source_bar(what: str, *, fetching: str, things: str = "photos") -> Iterator[tuple[OnProgress, OnFetch]]:
    """The same, for what may have to be fetched before; ``fetching`` is what it says then."""
    from rich import progress
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield (lambda _: None), (lambda _: None)
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
        is_fetching = False

        def show(step: Progress) -> None:
            nonlocal is_fetching
            if is_fetching:
                bar.reset(task, description=what)
                is_fetching = False
            elapsed_s = bar.tasks[task].elapsed or 0
            rate = f"{step.photos / elapsed_s:.0f} {things}/s" if elapsed_s else ""
            if step.fetched:
                rate += f", {step.fetched:,} fetched"
            bar.update(task, completed=step.products, total=step.total, rate=rate)

        def show_fetched(step: FetchProgress) -> None:
            nonlocal is_fetching
            is_fetching = True
            rate = f"{step.size_bytes / 1e6:,.0f} of {step.total_bytes / 1e6:,.0f} MB"
            bar.update(task, description=fetching, completed=step.files, total=step.total, rate=rate)

        yield show, show_fetched


def counted(number: int, thing: str) -> str:
    """``1 photo``, ``2,000 photos``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def interval_text(interval: Interval, *, decimals: int = 4) -> str:
    """``0.812 (0.790 to 0.834)``: the mean and its interval."""
    if math.isnan(interval.mean):
        return "not defined"
    return f"{interval.mean:.{decimals}f} ({interval.low:.{decimals}f} to {interval.high:.{decimals}f})"


def require_sheet_name(sheet: Path | None) -> None:
    """Refuse a file name of another kind, before anything is done."""
    if sheet is not None and sheet.suffix.lower() not in _SHEET_SUFFIXES:
        message = f"a sheet is an .html or .png file, not {sheet.name}"
        raise typer.BadParameter(message)


def tiles_of(shop: Shop, photo: Photo, *caption: str) -> list[Tile]:
    """The tile of a catalog photo on a sheet; none if only its vector was imported."""
    from sartor.evaluation.sheets import Tile

    return [Tile.of_photo(shop.thumbnail(photo).read_bytes(), caption=caption)] if photo.has_picture else []


def path_of(shop: Shop, photo: Photo) -> str | None:
    """The path of a catalog photo; None if only its vector was imported."""
    return str(shop.thumbnail(photo)) if photo.has_picture else None
