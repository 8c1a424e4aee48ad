"""Whether two builds of Sartor answer alike: the same questions to both, and a table of what differs.

Both index the same products and import the same simulated events, each into a workspace of its own. They are asked
by their commands and over HTTP only, and go by the same clock, which the questions move.
"""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.build_answers import Compared, Verdict, compared, tallied
from benchmarks.build_material import Material
from benchmarks.build_questions import Questions
from benchmarks.build_sources import make_sources
from benchmarks.builds import Build, Clock, Command, Request
from benchmarks.data import PHOTOS_224, SHARED_DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from benchmarks.build_answers import Answer

_OWN_CHECKOUT = Path(__file__).resolve().parents[1]
_UNTIL, _NOW_S = "2026-01-01", 1_767_268_800  # noon of that day, UTC
_PEOPLE, _EVENTS_EACH = 200, 40
_STEP_S = 2  # between two requests
_WIDTH = 115


def same_answers(  # noqa: PLR0913 - each is an option
    *,
    before: Annotated[
        Path, typer.Option("--before", metavar="DIR", exists=True, file_okay=False, help="The other checkout.")
    ],
    source: Annotated[
        Path,
        typer.Option(
            "--source", metavar="ZIP", help="Products as Kaggle has them.", show_default="../shared/data"
        ),
    ] = SHARED_DATA / PHOTOS_224,
    limit: Annotated[int, typer.Option(min=100, help="How many of them.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Of the questions and of the simulated shoppers.")] = 0,
    differences: Annotated[int, typer.Option(min=0, help="How many differences are shown.")] = 10,
    spelled: Annotated[
        list[str] | None,
        typer.Option(
            "--spelled",
            metavar="OLD=NEW",
            help="Words of a command that are others here, such as 'evaluate --events=replay'; repeatable.",
        ),
    ] = None,
) -> None:
    """Ask another checkout and this one the same questions; fails where an answer differs."""
    if not source.is_file():
        message = f"there is no {source}; say where the products are with --source ZIP"
        raise typer.BadParameter(message)
    with TemporaryDirectory() as temporary:
        run = _Run(
            folder=Path(temporary).resolve(),
            before=before.resolve(),
            source=source.resolve(),
            limit=limit,
            seed=seed,
            spelled=dict(_pair(each) for each in spelled or ()),
        )
        results = run.ask_everything()
    _print(results, differences=differences)
    if any(result.verdict is not Verdict.IDENTICAL for result in results):
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One comparison of two builds.

    Attributes:
        folder: A folder for all that is made.
        before: The other checkout.
        source: Products as Kaggle has them, a ZIP.
        limit: How many of them are indexed.
        seed: Of all that is random.
        spelled: Words of commands as the own checkout spells them, by how the other one does.
    """

    folder: Path
    before: Path
    source: Path
    limit: int
    seed: int
    spelled: Mapping[str, str]

    def ask_everything(self) -> list[Compared]:
        """Fill both workspaces, ask all questions, and compare the answers."""
        clock = Clock(self.folder / "clock", now_s=_NOW_S)
        builds = [
            Build("before", self.before, self.folder / "before", clock),
            Build("after", _OWN_CHECKOUT, self.folder / "after", clock, spelled=self.spelled),
        ]
        with ThreadPoolExecutor(len(builds)) as pool:
            ask = _Asking(builds, clock, pool, [])
            with _timed("products indexed, events imported"):
                questions = Questions(self._fill(ask), seed=self.seed)
            with _timed("asked by commands"):
                ask.commands(questions.commands())
            with _timed("asked over HTTP"), ask.serving():
                ask.requests(questions.reading())
                ask.requests(questions.writing())
            with _timed("asked with API keys"):
                for build in builds:
                    build.create_keys("read", "write")
                with ask.serving("--read-needs-key"):
                    ask.requests(questions.guarded())
            with _timed("asked by commands again"):
                ask.commands(questions.last_commands())
        return ask.results

    def _fill(self, ask: _Asking) -> Material:
        """Give both builds the same catalog and log, and read what questions are made of."""
        sources = make_sources(self.source, self.folder, limit=self.limit, seed=self.seed)
        catalog = Command(kind="CLI index", arguments=("index", str(sources.catalog), "--json"))
        priced = Command(kind="CLI index", arguments=("index", str(sources.priced), "--json"))
        simulation = ("--people", str(_PEOPLE), "--events-per-person", str(_EVENTS_EACH), "--seed", str(self.seed))
        simulate = ("events", "simulate", "--out", "events.jsonl", "--until", _UNTIL, *simulation)
        export = ("export", "catalog.jsonl", "--format", "jsonl", "--json")
        ask.commands(
            [
                catalog,
                priced,
                catalog,
                Command(kind="CLI events", arguments=simulate, reads="events.jsonl"),
                Command(kind="CLI export", arguments=export, reads="catalog.jsonl"),
            ]
        )
        events = self.folder / "events.jsonl"
        shutil.copy(self.folder / "before" / "events.jsonl", events)
        take = Command(kind="CLI events", arguments=("events", "import", str(events), "--json"))
        ask.commands([take, take])
        exported = self.folder / "before" / "catalog.jsonl"
        return Material.read(exported, events, photos=sources.unseen, source=sources.catalog)


@dataclass(frozen=True, slots=True)
class _Asking:
    """Asks all builds at once, and notes how their answers compare."""

    builds: Sequence[Build]
    clock: Clock
    pool: ThreadPoolExecutor
    results: list[Compared]

    def commands(self, commands: Sequence[Command]) -> None:
        """Run commands, in their order."""
        answers = self.pool.map(lambda build: [build.run(command) for command in commands], self.builds)
        for command, pair in zip(commands, zip(*answers, strict=True), strict=True):
            self.results.append(compared(command.kind, str(command), *pair))

    def requests(self, requests: Iterable[Request]) -> None:
        """Send requests, one after the other, each a little later by the clock."""
        for request in requests:
            self.clock.move(_STEP_S)
            pair = self.pool.map(_asker(request), self.builds)
            self.results.append(compared(request.kind, str(request), *pair))

    @contextmanager
    def serving(self, *options: str) -> Iterator[None]:
        """Serve all workspaces until the context ends."""
        with ExitStack() as stack:
            for build in self.builds:
                stack.enter_context(build.serving(*options))
            yield


def _pair(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not equals or not old.strip():
        message = f"--spelled takes OLD=NEW, not {text!r}"
        raise typer.BadParameter(message)
    return old, new


def _asker(request: Request) -> Callable[[Build], Answer]:
    return lambda build: build.ask(request)


@contextmanager
def _timed(what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"{what}: {time.perf_counter() - start:.0f} s", flush=True)


def _print(results: Sequence[Compared], *, differences: int) -> None:
    console = Console(width=_WIDTH)
    tallies = tallied(results)
    table = Table("kind", *(f"{each}" for each in ("asked", *Verdict)))
    for column in table.columns[1:]:
        column.justify = "right"
    for kind, tally in tallies.items():
        table.add_row(kind, str(tally.asked), *(str(tally.counts[each]) for each in Verdict))
    table.add_section()
    totals = (str(sum(tally.counts[each] for tally in tallies.values())) for each in Verdict)
    table.add_row("all", str(len(results)), *totals)
    console.print(table)
    differing = [result for result in results if result.verdict is not Verdict.IDENTICAL]
    for result in sorted(differing, key=lambda each: each.verdict)[:differences]:  # "different" first
        console.print(f"\n{result.verdict}, {result.kind}: {result.asked}", markup=False, highlight=False)
        console.print("\n".join(result.diff), markup=False, highlight=False)
    if len(differing) > differences:
        console.print(f"\n… and {len(differing) - differences} more; --differences N shows more of them")
