"""How long a whole recommendation takes in a catalog of 37,344, and whether filters find what they should."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

import sartor
from benchmarks.data import PHOTOS_224, PHOTOS_SMALL, SHARED_DATA, Data, data_file
from benchmarks.encoder_quality import read
from benchmarks.report import Figure, Report, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from sartor.shop import Shop

_WARM_UP = 20
_FACETS = ("articleType", "gender", "color", "season", "usage")
_FILTERED = ("articleType", "gender", "color", "season", "usage", "year")
_SELECTIVITIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5)
_K = 10


def recommendation_latency(
    *,
    data: Data = SHARED_DATA,
    home: Annotated[Path | None, typer.Option(metavar="DIR", help="Keeps the catalog for next time.")] = None,
    queries: Annotated[int, typer.Option(help="How many photos to ask about.")] = 300,
) -> Report:
    """Embed, search, re-rank, count facets and give reasons for photos, one at a time, with the bundled model."""
    photos = read(data_file(data, PHOTOS_224)).data
    step = max(1, len(photos) // (queries + _WARM_UP))
    asked = photos[::step][: queries + _WARM_UP]
    with TemporaryDirectory() as temporary, sartor.open(home or Path(temporary)) as shop:
        shop.index(data_file(data, PHOTOS_SMALL))
        products = len(shop.product_ids())
        kinds: dict[str, Callable[[bytes], object]] = {
            "similar": shop.similar,
            "with facets and diversity": partial(shop.similar, facets=_FACETS, diversity=0.2),
            "with facets and a filter": partial(shop.similar, facets=_FACETS, where={"gender": "Women"}),
        }
        took = {name: [_milliseconds(partial(call, photo)) for photo in asked] for name, call in kinds.items()}
    figures = {name: Figure.of(each[_WARM_UP:], "ms") for name, each in took.items()}
    return Report(
        name="recommendation_latency",
        options={"products": products, "queries": len(asked) - _WARM_UP},
        warm_up=f"{_WARM_UP} queries of each kind",
        figures=figures,
        targets=[Target(what=f"p95 {name}, ms", value=figure.p95, at_most=25) for name, figure in figures.items()],
    )


def filtered_recall(
    *,
    data: Data = SHARED_DATA,
    home: Annotated[Path | None, typer.Option(metavar="DIR", help="Keeps the catalog for next time.")] = None,
    queries: Annotated[int, typer.Option(help="How many photos to ask about.")] = 60,
) -> Report:
    """Filtered search beside exact search, by attributes that a thousandth to all of the catalog has."""
    photos = read(data_file(data, PHOTOS_224)).data
    asked = photos[:: max(1, len(photos) // queries)][:queries]
    with TemporaryDirectory() as temporary, sartor.open(home or Path(temporary)) as shop:
        shop.index(data_file(data, PHOTOS_SMALL))
        products = len(shop.product_ids())
        counts = shop.similar(asked[0], facets=_FILTERED).facets
        values = [(name, each.value, each.count / products) for name in _FILTERED for each in counts[name]]
        filters: dict[float, dict[str, str]] = {1.0: {}}
        for wanted in _SELECTIVITIES:
            name, value, share = min(values, key=lambda each: abs(np.log(each[2] / wanted)))
            filters[share] = {name: value}
        recalls = {share: [_recall(shop, photo, where) for photo in asked] for share, where in filters.items()}
    return Report(
        name="filtered_recall",
        options={"products": products, "queries": len(asked), "k": _K},
        warm_up="none, nothing is timed",
        figures={
            f"recall at {_K}, {_words(filters[share])}, {share:.2%} of the catalog": Figure.of(
                [float(np.mean(found))], "share"
            )
            for share, found in sorted(recalls.items())
        },
        targets=[
            Target(
                what="least mean recall",
                value=min(float(np.mean(each)) for each in recalls.values()),
                at_least=0.99,
            ),
        ],
    )


def _recall(shop: Shop, photo: bytes, where: dict[str, str]) -> float:
    """Share of the exact answer, with the variants behind its hits, that the index finds."""
    found, best = (
        {
            product_id
            for hit in shop.similar(photo, k=_K, where=where, exact=exact)
            for product_id in (hit.product_id, *hit.variants)
        }
        for exact in (False, True)
    )
    return len(found & best) / len(best)


def _words(where: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in where.items()) or "no filter"


def _milliseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)
