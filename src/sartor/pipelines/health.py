"""The state of a catalog: what about it makes recommendations worse, or may."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from sartor.evaluation.results import CatalogHealth
from sartor.pipelines.health_feed import (
    duplicate_photos,
    missing_attributes,
    shared_photo,
    small_photos,
    without_photo,
)
from sartor.pipelines.health_looks import K, of_neighbors, unlike_their_category
from sartor.pipelines.health_stock import take

if TYPE_CHECKING:
    from collections.abc import Callable

    from sartor.pipelines.compose import Composer
    from sartor.store.sqlite import SqliteStore

logger = logging.getLogger(__name__)


def examine(
    store: SqliteStore, composer: Composer, *, clock: Callable[[], float] = time.perf_counter
) -> CatalogHealth:
    """Look for all that makes recommendations worse, by what the composer's model embeds and predicts.

    Every photo is compared with every other, twice: about a minute for 40,000 on two cores.
    """
    started_s = clock()
    stock = take(store, composer.model)
    findings = (
        without_photo(stock),
        *missing_attributes(stock),
        duplicate_photos(stock, store),
        shared_photo(stock),
        small_photos(stock),
        *unlike_their_category(stock, composer.heads),
        *of_neighbors(stock),
    )
    health = CatalogHealth(
        products=len(stock.products),
        photos=store.counts().photos,
        model=composer.model,
        k=K,
        findings=findings,
    )
    logger.info(
        "examined: products=%d findings=%d seconds=%.1f",
        health.products,
        sum(finding.count > 0 for finding in findings),
        clock() - started_s,
    )
    return health
