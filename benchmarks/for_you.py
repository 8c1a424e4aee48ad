"""For-you with a full store: how fast events come in, how long a feed takes, and what memory it holds."""

from __future__ import annotations

import time
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

import sartor
from benchmarks.data import PHOTOS_SMALL, SHARED_DATA, Data, data_file
from benchmarks.memory import PeakGrowth
from benchmarks.report import Figure, Report, Target
from sartor.evaluation.simulation.simulate import ShopperSimulation, simulated
from sartor.events.model import Event, EventType, Person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.shop import Shop

_WARM_UP = 20
_BATCH = 500  # events that a shop sends at once
_K = 12
_SHOWN_TOO = 1.04  # events for each that says more than that a product was shown


def for_you(
    *,
    data: Data = SHARED_DATA,
    home: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keeps the catalog and the events for next time.")
    ] = None,
    people: Annotated[int, typer.Option(min=100, help="Simulated shoppers.")] = 100_000,
    events: Annotated[int, typer.Option(min=1000, help="Of all of them.")] = 5_000_000,
    queries: Annotated[int, typer.Option(min=30, help="Feeds to ask for, each of somebody else.")] = 500,
) -> Report:
    """Recommend to simulated shoppers of a real catalog, one at a time, with all their events in the store."""
    with TemporaryDirectory() as temporary:
        where = home or Path(temporary)
        with sartor.open(where) as shop:
            shop.index(data_file(data, PHOTOS_SMALL))
            asked = [str(number) for number in range(queries + _WARM_UP)]
            persons, rates = _fill(shop, people=people, events=events, asked=len(asked))
        with sartor.open(where) as shop, PeakGrowth() as held:
            start = time.perf_counter()
            shop.warm_up()
            learned_s = time.perf_counter() - start
            feeds = {
                "for somebody with a history": [_feed_ms(shop, person) for person in persons],
                "for somebody without one": [_feed_ms(shop, Person.visitor(name)) for name in asked],
                "an event, on disk, and the next feed": [_after_event_ms(shop, person) for person in persons],
                "for somebody with a history, while all is learned anew": _while_learning_ms(shop, persons),
            }
            counts = shop.event_counts()
        disk_mb = sum(file.stat().st_size for file in where.glob("events.sqlite3*")) / 1e6
    figures = {name: Figure.of(took[_WARM_UP:], "ms") for name, took in feeds.items()}
    figures |= {
        "reading and learning from all events, beside the model": Figure.of([learned_s], "s"),
        "memory, with the model and the index": Figure.of([held.mb], "MB"),
        "disk of the events": Figure.of([disk_mb], "MB"),
    }
    if rates:
        figures[f"events a second, {_BATCH} at once, each batch on disk"] = Figure.of(rates, "1/s")
    p95 = figures["for somebody with a history"].p95
    return Report(
        name="for_you",
        options={"people": counts.people, "events": counts.events, "queries": queries, "k": _K},
        warm_up=f"{_WARM_UP} feeds of each kind",
        figures=figures,
        targets=[Target(what="p95 of a feed, ms", value=p95, at_most=30)],
        notes=("The shoppers are simulated: see docs/explanation/for-you-evaluation.md.",),
    )


def _while_learning_ms(shop: Shop, persons: Sequence[Person]) -> list[float]:
    """Feeds beside the thread that learns from all events, as it does by itself after many new ones."""
    learning = Thread(target=shop.shoppers.interactions.learn)  # it begins by itself after ten minutes
    learning.start()
    took = []
    for person in cycle(persons):
        if not learning.is_alive():
            return took
        took.append(_feed_ms(shop, person))
    return took


def _fill(shop: Shop, *, people: int, events: int, asked: int) -> tuple[Sequence[Person], list[float]]:
    """Bring the events in where there are none; some of the people, and how fast each batch was."""
    ids = shop.product_ids()
    products = [shop.product(product_id).product for product_id in ids]
    settings = ShopperSimulation(
        people=people, events_per_person=events / people / _SHOWN_TOO, until_s=time.time() - 3600
    )
    made = simulated(products, settings)
    chosen = np.random.default_rng(0).choice(people, asked, replace=False)
    rates = []
    if not shop.event_counts().events:
        one_by_one = made.one_by_one(ids)
        while batch := list(islice(one_by_one, _BATCH)):
            start = time.perf_counter()
            shop.record(*batch)
            rates.append(len(batch) / (time.perf_counter() - start))
    return [made.person(int(number)) for number in chosen], rates


def _feed_ms(shop: Shop, person: Person) -> float:
    start = time.perf_counter()
    shop.for_user(person, k=_K)
    return 1000 * (time.perf_counter() - start)


def _after_event_ms(shop: Shop, person: Person) -> float:
    product_id = shop.for_user(person, k=1)[0].product_id
    now_s = time.time()
    event = Event(id=f"{person.id} {now_s}", type=EventType.VIEW, person=person, at_s=now_s, product_id=product_id)
    start = time.perf_counter()
    shop.record(event)
    shop.for_user(person, k=_K)
    return 1000 * (time.perf_counter() - start)
