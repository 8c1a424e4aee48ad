"""``sartor events``: what shoppers did, brought in, shown and erased."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sartor.cli.options import Home, Json, settings
from sartor.cli.output import STOPPED, counted, print_json, print_table, progress_bar

if TYPE_CHECKING:
    from sartor.events import Event, Person
    from sartor.pipelines.event_import import EventImportReport, OnEvents
    from sartor.pipelines.report import OnProgress

app = typer.Typer(
    help="Bring in what shoppers did, and show or erase what is held about one.", no_args_is_help=True
)

User = Annotated[str | None, typer.Option("--user", metavar="ID", help="Somebody with an account.")]
Visitor = Annotated[str | None, typer.Option("--visitor", metavar="ID", help="Somebody without one.")]


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="CSV or JSON Lines: type, user_id or visitor_id, product_id, timestamp, …"
        ),
    ],
    *,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Bring in the events of FILE. Doing it again changes nothing; stopped half-way, it goes on where it was."""
    from sartor.assembly import open_shop

    try:
        with (
            open_shop(settings(home=home)) as shop,
            progress_bar(f"Importing {file.name}", things="events") as on_progress,
        ):
            report = shop.import_events(file, on_progress=_shown_on(on_progress))
    except KeyboardInterrupt:
        typer.echo("sartor: stopped; what was committed stays, the same command adds the rest", err=True)
        raise typer.Exit(STOPPED) from None
    if as_json:
        print_json(asdict(report) | {"ignored": dict(report.ignored), "seconds": round(report.seconds, 3)})
    else:
        _print(report)


@app.command("show")
def show(*, user: User = None, visitor: Visitor = None, home: Home = None) -> None:
    """Print all that is held about a person as JSON; a visitor who was merged into a user is that user."""
    person = _person(user, visitor)
    from sartor.assembly import open_shop

    with open_shop(settings(home=home)) as shop:
        held = shop.person(person)
    print_json({
        f"{held.person.kind}_id": held.person.id,
        "visitor_ids": list(held.visitors),
        "events": [_as_json(event) for event in held.events],
    })  # fmt: skip


@app.command("forget")
def forget(*, user: User = None, visitor: Visitor = None, home: Home = None, as_json: Json = False) -> None:
    """Erase all that is held about a person, for good; copies made before still have it."""
    person = _person(user, visitor)
    from sartor.assembly import open_shop

    with open_shop(settings(home=home)) as shop:
        erased = shop.forget(person)
    if as_json:
        print_json({"erased": erased})
    else:
        typer.echo(f"erased the {person.kind} {person.id} and {counted(erased, 'event')}")


def _person(user: str | None, visitor: str | None) -> Person:
    from sartor.events import Person

    if user is not None and visitor is None:
        return Person.user(user)
    if visitor is not None and user is None:
        return Person.visitor(visitor)
    message = "give --user ID or --visitor ID, one of them"
    raise typer.BadParameter(message)


def _as_json(event: Event) -> dict[str, Any]:
    """An event by the names that it is imported under, without what it does not say."""
    from datetime import UTC, datetime

    fields = {
        "event_id": event.id,
        "type": event.type,
        "product_id": event.product_id,
        "timestamp": datetime.fromtimestamp(event.at_s, UTC).isoformat(),
        "recommendation_id": event.recommendation_id,
        "position": event.position,
        "quantity": event.quantity,
        "price": event.price,
        "basket_id": event.basket_id,
        "query": event.query,
    }
    return {name: value for name, value in fields.items() if value not in {None, ""}}


def _shown_on(on_progress: OnProgress) -> OnEvents:
    """Progress of an import on a bar; how many events a file has follows from how much of it was read."""
    from sartor.pipelines.event_import import EventProgress
    from sartor.pipelines.report import Progress

    def show(step: EventProgress) -> None:
        total = round(step.read * step.size_bytes / step.read_bytes) if step.read_bytes else None
        on_progress(Progress(products=step.read, total=total, photos=step.read, committed=()))

    return show


def _print(report: EventImportReport) -> None:
    outcomes = ", ".join(f"{getattr(report, name):,} {name}" for name in ("added", "duplicates", "rejected"))
    typer.echo(f"{report.source}: {counted(report.read, 'event')} ({outcomes}) in {report.seconds:.1f} s")
    if report.unknown_products:
        typer.echo(
            f"{report.unknown_products:,} of them are about products that the catalog does not have, "
            f"such as {', '.join(report.unknown_examples)}; they count once it does"
        )
    if report.undated:
        typer.echo(
            f"{report.undated:,} of them have neither event_id nor timestamp: they count as of now, "
            "and importing the file again adds them again"
        )
    print_table(
        "Noticed in the file",
        ("case", "count", "examples"),
        ((finding.case, finding.count, ", ".join(finding.examples)) for finding in report.findings),
    )
    print_table("Ignored columns", ("column", "events"), report.ignored)
    print_table("Rejected", ("place", "reason"), ((line.place, line.reason) for line in report.rejections))
    further = report.rejected - len(report.rejections)
    if further:
        typer.echo(f"… and {further:,} more")
