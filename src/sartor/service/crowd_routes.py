"""Routes about what everybody does: what is trending, and what goes together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query

from sartor.events import Occasion
from sartor.recommend.filters import parse_where
from sartor.service.context import Context, Engine, needs
from sartor.service.keys import Scope
from sartor.service.present import feed_out
from sartor.service.recommend_routes import Filters
from sartor.service.schemas import MAX_K
from sartor.service.shopper_schemas import MAX_WINDOW_DAYS, FeedOut

if TYPE_CHECKING:
    from collections.abc import Callable

    from sartor.recommend.feed import Feed

router = APIRouter(prefix="/v1", tags=["recommendations"], dependencies=[needs(Scope.READ)])

_DAY_S = 86_400


@router.get("/trending")
async def trending(
    engine: Engine,
    where: Filters = [],  # noqa: B006 - FastAPI copies it
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 12,
    window_days: Annotated[float, Query(gt=0, le=MAX_WINDOW_DAYS, description="How far back it looks.")] = 7.0,
) -> FeedOut:
    """Products that shoppers turn to now."""
    shop, wanted, window_s = engine.shop, parse_where(where), _DAY_S * window_days
    return await engine.desk.run(
        lambda: timed(engine, lambda: shop.trending(k=k, window_s=window_s, where=wanted))
    )


@router.get("/products/{product_id:path}/together")
async def together(
    product_id: str,
    engine: Engine,
    where: Filters = [],  # noqa: B006
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 12,
    by: Annotated[
        Literal["any", "bought", "seen", "liked"],
        Query(description="In one basket, in one session, by one person, or any of these."),
    ] = "any",
) -> FeedOut:
    """Products that shoppers buy, look at or like together with one of the catalog."""
    shop, wanted, occasion = engine.shop, parse_where(where), None if by == "any" else Occasion(by)
    return await engine.desk.run(
        lambda: timed(engine, lambda: shop.together(product_id, by=occasion, k=k, where=wanted))
    )


def timed(engine: Context, find: Callable[[], Feed]) -> FeedOut:
    """A feed as it goes out, with how long it took to find."""
    start = time.perf_counter()
    feed = find()
    return feed_out(feed, model=engine.shop.model.id, took_ms=1000 * (time.perf_counter() - start))
