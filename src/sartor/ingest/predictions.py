"""Keeping a listing's predictions up to date: what the default model predicts of products, from stored embeddings.

A model predicts what the catalog does not tell, from embeddings that are there already, so nothing is embedded for
it. Predictions are derived, as an index is: they follow the store's revisions, and are made anew for a new default
model.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sartor.store.base import Predicted

if TYPE_CHECKING:
    from collections.abc import Collection

    from sartor.recommend.features import FeatureBuilder
    from sartor.store.base import CatalogStore
    from sartor.types import Guesses

logger = logging.getLogger(__name__)

_PAGE = 512  # products a step; bounds memory


def predictions_of(
    store: CatalogStore, features: FeatureBuilder, product_ids: Collection[str]
) -> dict[str, Guesses]:
    """What a model predicts of products where the catalog leaves it open, by product id.

    Embeddings are read only of products that leave something open.
    """
    names = set(features.attributes)
    open_ = [
        product_id
        for product_id, stored in (store.products(product_ids) if names else {}).items()
        if stored.photos and not names <= stored.product.attributes.keys()
    ]
    return features.predictions(store.embedded_photos(features.model, open_)) if open_ else {}


def follow_predictions(store: CatalogStore, features: FeatureBuilder) -> int:
    """Bring a listing's predictions up to date; cheap if they are.

    Args:
        store: The catalog. Nothing is done where an indexer writes its listing.
        features: Of the default model.

    Returns:
        How many products had changed, or had the predictions of another model.
    """
    done = 0
    while (now := store.predicted()) is not None:
        is_ahead = now.revision > store.revision  # another file was put in the place of the store's
        begin = Predicted(key=features.key) if is_ahead or now.key != features.key else now
        if not features.key and begin == now:
            return done  # without heads, what follows has no predictions anyway
        changes = store.changes(since=begin.revision, limit=_PAGE) if begin.revision < store.revision else []
        if not changes and begin == now:
            break
        live = [change.product_id for change in changes if not change.deleted]
        guesses = predictions_of(store, features, live)
        reached = Predicted(key=features.key, revision=changes[-1].revision if changes else begin.revision)
        store.predict({product_id: guesses.get(product_id, {}) for product_id in live}, reached, since=now)
        done += len(changes)
    if done:
        logger.debug("predictions caught up: products=%d model=%s", done, features.model)
    return done
