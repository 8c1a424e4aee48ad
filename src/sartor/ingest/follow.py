"""Bringing an index up to date with the store: after a write, after a crash, and from nothing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sartor.index.base import VectorIndex
    from sartor.recommend.features import FeatureBuilder
    from sartor.store.base import CatalogStore

logger = logging.getLogger(__name__)

_PAGE = 512  # products a step; bounds memory


def catch_up(store: CatalogStore, index: VectorIndex, compose: FeatureBuilder) -> int:
    """Bring every change of the store that the index misses into it.

    Doing a part of it twice does no harm, so a kill at any moment costs only the work since the index was saved.

    Returns:
        How many products had changed.
    """
    done = 0
    while page := store.changes(since=index.revision, limit=_PAGE):
        live = [change.product_id for change in page if not change.deleted]
        entries = compose.entries(store.embedded_photos(compose.model, live))
        index.replace([change.product_id for change in page], entries)
        index.advance(page[-1].revision, changed=len(page))
        done += len(page)
    if done:
        logger.debug("index caught up: products=%d revision=%d", done, index.revision)
    return done


def bring_up_to_date(store: CatalogStore, index: VectorIndex, compose: FeatureBuilder) -> None:
    """Catch up, and build the graph over what came, so that the index answers at its best."""
    catch_up(store, index, compose)
    index.optimize()
    index.mark(store.revision)
