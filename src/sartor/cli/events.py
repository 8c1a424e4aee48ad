"""``sartor events``: import, show and erase what shoppers did, and simulate it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sartor.cli.options import (
    Home,
    Json,
    Seed,
    counted,
    echo,
    print_json,
    print_table,
    progress_bar,
    settings,
    stoppable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sartor.events.model import Event, Person
    from sartor.ingest.events import EventImportReport, OnEvents
    from sartor.ingest.photos import OnProgress
    from sartor.types import Product


app = typer.Typer(
    help="Import what shoppers did, and show or erase what is stored about a person.", no_args_is_help=True
)


User = Annotated[str | None, typer.Option("--user", metavar="ID", help="A person with an account.")]
Visitor = Annotated[str | None, typer.Option("--visitor", metavar="ID", help="A person without an account.")]


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="CSV or JSON Lines: type, user_id or visitor_id, product_id, timestamp, …"
        ),
    ],
    *,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--columns",
            metavar="THEIRS=OURS",
            help="A column of FILE and the field that it is, such as when=timestamp; repeatable.",
        ),
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--types",
            metavar="THEIRS=OURS",
            help="A type of FILE and the type that it is, such as bag=add_to_cart; bag= leaves such events out, "
            "=purchase is for events without a type; repeatable.",
        ),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Import the events of FILE. Importing again changes nothing; after a stop, it continues where it was.

    The usual names of columns and types are known, such as event_time, item_id, cart and transaction.
    """
    names, kinds = _mapping(columns), _mapping(types)
    from sartor.wiring import open_shop

    with (
        stoppable("what was committed stays, the same command adds the rest"),
        open_shop(settings(home=home)) as shop,
        progress_bar(f"Importing {file.name}", things="events") as on_progress,
    ):
        report = shop.import_events(file, columns=names, types=kinds, on_progress=_as_event_progress(on_progress))
    if as_json:
        counts = {name: dict(getattr(report, name)) for name in ("left_out", "reasons", "ignored")}
        print_json(asdict(report) | counts | {"seconds": round(report.seconds, 3)})
    else:
        _print(report)
    if report.failure is not None:
        echo(f"sartor: {report.failure}", err=True)
        raise typer.Exit(1)


def _mapping(options: list[str] | None) -> dict[str, str]:
    """Names in a file and ours, from options."""
    mapping = {}
    for option in options or ():
        theirs, equals, ours = option.rpartition("=")
        if not equals:
            message = f"{option!r} is not THEIRS=OURS"
            raise typer.BadParameter(message)
        if theirs.strip() in mapping:
            message = f"{theirs.strip()!r} is mapped twice, the second time by {option!r}"
            raise typer.BadParameter(message)
        mapping[theirs.strip()] = ours.strip()
    return mapping


@app.command("show")
def show(*, user: User = None, visitor: Visitor = None, home: Home = None) -> None:
    """Print all that is stored about a person as JSON; for a visitor who became a user, that is the user."""
    person = _person(user, visitor)
    from sartor.wiring import open_shop

    with open_shop(settings(home=home)) as shop:
        stored = shop.person(person)
    print_json({
        f"{stored.person.kind}_id": stored.person.id,
        "visitor_ids": list(stored.visitors),
        "events": [_as_json(event) for event in stored.events],
    })  # fmt: skip


@app.command("forget")
def forget(*, user: User = None, visitor: Visitor = None, home: Home = None, as_json: Json = False) -> None:
    """Erase all that is stored about a person, for good; backups made before still have it."""
    person = _person(user, visitor)
    from sartor.wiring import open_shop

    with open_shop(settings(home=home)) as shop:
        held = shop.person(person)
        erased = shop.forget(person)
    if as_json:
        who = {f"{held.person.kind}_id": held.person.id, "visitor_ids": list(held.visitors)}
        print_json({"erased": erased, **who})
        return
    if held.person != person:
        echo(f"the {person.kind} {person.id} is the {held.person.kind} {held.person.id}")
    also = f", the {counted(len(held.visitors), 'visitor')} merged into it" if held.visitors else ""
    echo(f"erased the {held.person.kind} {held.person.id}{also} and {counted(erased, 'event')}")


def _person(user: str | None, visitor: str | None) -> Person:
    from sartor.events.model import Person

    if user is not None and visitor is None:
        return Person.user(user)
    if visitor is not None and user is None:
        return Person.visitor(visitor)
    message = "give --user ID or --visitor ID, one of them"
    raise typer.BadParameter(message)


def _as_json(event: Event) -> dict[str, Any]:
    """An event by the names of an import, without empty fields."""
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


def _as_event_progress(on_progress: OnProgress) -> OnEvents:
    """Show an import on a bar; the number of events is estimated from the share of the file that was read."""
    from sartor.ingest.events import EventProgress
    from sartor.ingest.photos import Progress

    def show(step: EventProgress) -> None:
        total = round(step.read * step.size_bytes / step.read_bytes) if step.read_bytes else None
        on_progress(Progress(products=step.read, total=total, photos=step.read, committed=()))

    return show


def _print(report: EventImportReport) -> None:
    outcomes = ", ".join(f"{getattr(report, name):,} {name}" for name in ("added", "duplicates", "rejected"))
    echo(f"{report.source}: {counted(report.read, 'event')} ({outcomes}) in {report.seconds:.1f} s")
    if report.unknown_products:
        echo(
            f"{report.unknown_products:,} of them are about products that the catalog does not have, "
            f"such as {', '.join(report.unknown_examples)}; they count once it does"
        )
    if report.undated:
        echo(
            f"{report.undated:,} of them have neither event_id nor timestamp: they count as of now, "
            "and importing the file again adds them again"
        )
    if report.placeholders:
        echo(
            f"{report.placeholders:,} of them have an id such as undefined or null, which is nobody's "
            "and was left out"
        )
    print_table(
        "Noticed in the file",
        ("case", "count", "examples"),
        ((finding.case, finding.count, ", ".join(finding.examples)) for finding in report.findings),
    )
    print_table("Left out, as these types have no meaning here", ("type", "events"), report.left_out)
    print_table("Ignored columns", ("column", "events"), report.ignored)
    print_table("Rejected by reason", ("reason", "lines"), report.reasons)
    print_table("Rejected", ("place", "reason"), ((line.place, line.reason) for line in report.rejections))
    further = report.rejected - len(report.rejections)
    if further:
        echo(f"… and {further:,} more")


@app.command("simulate")
def simulate(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="SOURCE", help="Products, as `sartor index` reads them (the workspace's)."),
    ] = None,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.jsonl", help="File to write.")],
    people: Annotated[int, typer.Option("--people", min=1, help="Number of shoppers.")] = 1000,
    events_per_person: Annotated[
        float,
        typer.Option("--events-per-person", min=1, help="Mean number of events; some shoppers have many more."),
    ] = 40.0,
    days: Annotated[int, typer.Option("--days", min=1, help="Number of days.")] = 90,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="The day after the last one (today, UTC)."),
    ] = None,
    seed: Seed = 0,
    home: Home = None,
) -> None:
    """Write the events of simulated shoppers with stable preferences, as JSON Lines.

    Their ids begin with "simulated-". The same catalog, options and day give the same events.
    """
    from sartor.evaluation.simulation.simulate import ShopperSimulation
    from sartor.evaluation.simulation.simulate import simulate as simulated

    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) if until is None else until
    products = _products(source, home)
    if not products:
        message = "there is no product to shop for; give a SOURCE, or the --home of a workspace with a catalog"
        raise typer.BadParameter(message)
    simulation = ShopperSimulation(
        people=people,
        events_per_person=events_per_person,
        days=days,
        seed=seed,
        until_s=end.replace(tzinfo=UTC).timestamp(),
    )
    count = _write(out, simulated(products, simulation))
    echo(
        f"{counted(count, 'event')} of simulated shoppers ({people:,}) "
        f"with {counted(len(products), 'product')} written to {out}",
        err=True,
    )


def _products(source: Path | None, home: str | None) -> list[Product]:
    if source is not None:
        from sartor.catalog import open_source

        with open_source(source) as opened:
            return [offered.product for offered in opened]
    from sartor.wiring import open_shop

    with open_shop(settings(home=home)) as shop:
        return [shop.product(product_id).product for product_id in shop.product_ids()]


def _write(path: Path, events: Iterable[Event]) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for event in events:
            file.write(json.dumps(_fields(event), ensure_ascii=False) + "\n")
            count += 1
    return count


def _fields(event: Event) -> dict[str, Any]:
    """An event by the names of an import, without empty fields."""
    fields = {
        "event_id": event.id,
        "type": event.type,
        f"{event.person.kind}_id": event.person.id,
        "product_id": event.product_id,
        "timestamp": round(event.at_s, 3),
        "recommendation_id": event.recommendation_id or None,
        "position": event.position,
        "price": event.price,
        "basket_id": event.basket_id or None,
    }
    return {name: value for name, value in fields.items() if value is not None}
