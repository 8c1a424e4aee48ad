"""``sartor events simulate``: a log of simulated shoppers over a catalog, where there is no real one to try."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sartor.cli.options import Home, settings
from sartor.cli.output import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sartor.events import Event
    from sartor.types import Product


def simulate(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="SOURCE", help="Products, as `sartor index` reads them; or the workspace's."),
    ] = None,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.jsonl", help="Where the events are written.")],
    people: Annotated[int, typer.Option("--people", min=1, help="How many people shop.")] = 1000,
    events_per_person: Annotated[
        float, typer.Option("--events-per-person", min=1, help="On average; some have many more.")
    ] = 40.0,
    days: Annotated[int, typer.Option("--days", min=1, help="Over how many days.")] = 90,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="The day before which it ends (today, UTC)."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all that is random.")] = 0,
    home: Home = None,
) -> None:
    """Write the events of simulated shoppers with stable tastes, as JSON Lines.

    Their ids begin with "simulated-". The same catalog, options and day make the same events.
    """
    from sartor.demo.shoppers import ShopperSimulation
    from sartor.demo.shoppers import simulate as simulated

    ends = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) if until is None else until
    products = _products(source, home)
    if not products:
        message = "there is no product to shop for; give a SOURCE, or the --home of a workspace with a catalog"
        raise typer.BadParameter(message)
    order = ShopperSimulation(
        people=people,
        events_per_person=events_per_person,
        days=days,
        seed=seed,
        until_s=ends.replace(tzinfo=UTC).timestamp(),
    )
    count = _write(out, simulated(products, order))
    typer.echo(
        f"{counted(count, 'event')} of simulated shoppers ({people:,}) "
        f"with {counted(len(products), 'product')} written to {out}",
        err=True,
    )


def _products(source: Path | None, home: Path | None) -> list[Product]:
    if source is not None:
        from sartor.catalog import open_source

        with open_source(source) as opened:
            return [each.product for each in opened]
    from sartor.assembly import open_shop

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
    """An event by the names that it is imported under, without what it does not say."""
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
