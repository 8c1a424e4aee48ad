"""Events through the API, in batches from two clients: how many a second are on disk."""

from __future__ import annotations

import json
import time
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

import sartor
from benchmarks.data import PHOTOS_224, SHARED_DATA, Data, data_file
from benchmarks.report import Figure, Report, Target
from benchmarks.service_load import TURNS, run, serving
from sartor.evaluation.simulation.simulate import ShopperSimulation, simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from http.client import HTTPConnection

    from sartor.events.model import Event
    from sartor.types import Product

_PRODUCTS = 500
_BATCHES = (1, 100, 500)
_CLIENTS = 2
_MOST = 300_000  # events of a run


def event_load(
    *,
    data: Data = SHARED_DATA,
    seconds: Annotated[float, typer.Option(help="Of each run.")] = 15.0,
) -> Report:
    """`sartor serve`, sent the events of simulated shoppers from the same machine over HTTP."""
    with TemporaryDirectory() as temporary:
        home = Path(temporary)
        with sartor.open(home) as shop:
            shop.index(data_file(data, PHOTOS_224), limit=_PRODUCTS)
            products = [shop.product(product_id).product for product_id in shop.product_ids()]
        rates, waits = {}, {}
        with serving(home) as address:
            for size in _BATCHES:
                send = _sender(list(_bodies(products, size=size, seed=size)))
                tally = run(address, send, clients=_CLIENTS, seconds=seconds)
                name = f"batches of {size}" if size > 1 else "one by one"
                rates[name] = size * len(tally.seconds) / tally.elapsed_s
                waits[name] = [1000 * each for each in tally.seconds]
    return Report(
        name="event_load",
        options={"clients": _CLIENTS, "seconds": round(seconds)},
        warm_up="none; the store begins empty",
        figures={f"events a second, {name}": Figure.of([rate], "1/s") for name, rate in rates.items()}
        | {f"a request, {name}": Figure.of(took, "ms") for name, took in waits.items()},
        targets=[Target(what="events a second, in batches of 500", value=rates["batches of 500"], at_least=2000)],
        notes=("Each answer comes when its events are on disk.",),
    )


def _sender(bodies: Sequence[bytes]) -> Callable[[HTTPConnection, int], None]:
    """Sends each body once: the turns of one client begin where those of the one before end."""

    def send(connection: HTTPConnection, turn: int) -> None:
        place = _CLIENTS * (turn % TURNS) + turn // TURNS
        connection.request("POST", "/v1/events", bodies[place], {"Content-Type": "application/json"})

    return send


def _bodies(products: Sequence[Product], *, size: int, seed: int) -> Iterator[bytes]:
    """Bodies of requests, each with other events."""
    settings = ShopperSimulation(people=20_000, events_per_person=20, seed=seed, until_s=time.time() - 3600)
    events = islice(simulate(products, settings), _MOST if size > 1 else _CLIENTS * TURNS)
    while batch := list(islice(events, size)):
        yield json.dumps({"events": [_fields(event) for event in batch]}).encode()


def _fields(event: Event) -> dict[str, object]:
    fields = {
        "event_id": event.id,
        "type": str(event.type),
        f"{event.person.kind}_id": event.person.id,
        "product_id": event.product_id,
        "timestamp": event.at_s,
        "recommendation_id": event.recommendation_id,
        "position": event.position,
        "price": event.price,
        "basket_id": event.basket_id,
    }
    return {name: value for name, value in fields.items() if value not in ("", None)}
