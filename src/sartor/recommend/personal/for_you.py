"""Recommendations for a person: candidates by interests, interactions and recency, ranked by a blend."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sartor.described import title_of
from sartor.events.model import EventType
from sartor.recommend.base import Basis, Feed
from sartor.recommend.personal.cold_start import cold_start
from sartor.recommend.personal.profile import disliked_products, user_preferences, user_profile
from sartor.recommend.personal.signals import (
    SIGNALS,
    Evidence,
    NewProducts,
    Signals,
    cooccurrence_scores,
    popularity_scores,
    visual,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sartor.recommend.base import FeedRequest
    from sartor.recommend.candidates import CandidateSource
    from sartor.recommend.personal.interactions import Interactions
    from sartor.recommend.personal.profile import UserProfile
    from sartor.recommend.personal.signals import ItemScores
    from sartor.store.base import EventStore
    from sartor.types import Hit, Neighbor, Vector

_VISUAL_CANDIDATES, _TOGETHER_CANDIDATES = 32, 64  # the first for each interest
_POPULAR_CANDIDATES, _NEW_CANDIDATES = 32, 16
_RANKED_PER_HIT, _MIN_RANKED = 2, 12  # candidates among which varied ones are selected
_MIN_REASON_SHARE = 0.2  # of a score
_PERSONAL = ("visual", "together")  # signals that are about the person


@dataclass(frozen=True, slots=True, kw_only=True)
class ForYou:
    """Recommends products to people."""

    candidates: CandidateSource
    events: EventStore
    interactions: Interactions  # as of their last ``follow``
    newest: NewProducts

    def feed(self, request: FeedRequest) -> Feed:
        """Products for a person, by the blend; for a person without history, a cold start.

        Raises:
            ValueError: ``k`` is below 1, or the diversity not from 0 to 1.
        """
        if request.k < 1 or not 0 <= request.diversity <= 1:
            msg = f"k must be at least 1 and diversity from 0 to 1, not {request.k} and {request.diversity}"
            raise ValueError(msg)
        preferences = user_preferences(
            self.events.recent(request.person, limit=request.events, until_s=request.now_s),
            disliked=disliked_products(self.events, request.person),
            bought=self.events.products_of(request.person, (EventType.PURCHASE,)),
        )
        request = replace(request, without=request.without | preferences.done)
        profile = user_profile(preferences, self.candidates.photos, sizes=self.candidates.sizes)
        signals = Signals(
            popular=popularity_scores(self.interactions, now_s=request.now_s), new=self.newest.scores()
        )
        if profile is None:
            return cold_start(self.candidates, signals, request)
        related = cooccurrence_scores(profile, self.interactions)
        neighbors = self._candidates(request, profile, signals, related)
        hits: tuple[Hit, ...] = ()
        if neighbors:
            hits = self._hits(request, profile, neighbors, _evidence(profile, signals, related, neighbors))
        return Feed(hits=hits, based_on=Basis.HISTORY)

    def _candidates(
        self, request: FeedRequest, profile: UserProfile, signals: Signals, related: ItemScores
    ) -> list[Neighbor]:
        """Products that may be in the feed, each once."""
        blend = request.blend
        queries = profile.queries if blend.visual else profile.queries[:0]
        near = self.candidates.nearest(queries, k=_VISUAL_CANDIDATES, where=request.where, without=request.without)
        more = [
            *(related.best(_TOGETHER_CANDIDATES) if blend.together else ()),
            *(signals.popular.best(_POPULAR_CANDIDATES) if blend.popular else ()),
            *(list(signals.new)[:_NEW_CANDIDATES] if blend.new else ()),
        ]
        left_out = request.without.union(neighbor.product_id for neighbor in near)
        others = [product_id for product_id in dict.fromkeys(more) if product_id not in left_out]
        return near + self.candidates.passing(others, request.where)

    def _hits(
        self, request: FeedRequest, profile: UserProfile, neighbors: list[Neighbor], evidence: Evidence
    ) -> tuple[Hit, ...]:
        parts = evidence.weighted(request.blend)  # (4, n)
        scores = parts.sum(axis=0)
        best = np.argsort(-scores, kind="stable")[: _RANKED_PER_HIT * request.k + _MIN_RANKED]
        rankable = self.candidates.rankable([neighbors[row] for row in best])
        items = rankable.select(
            scores[best],
            k=request.k,
            diversity=request.diversity,
            without_groups=self.candidates.groups_of(profile.preferences.disliked),
        )
        reasons = [
            _reasons(rankable.neighbors[item.row], parts[:, best[item.row]], profile, self.interactions)
            for item in items
        ]
        titles = self._titles({reason.product_id for own in reasons for reason in own})
        return rankable.hits([
            replace(item, reasons=tuple(reason.words(titles) for reason in own))
            for item, own in zip(items, reasons, strict=True)
        ])  # fmt: skip

    def _titles(self, product_ids: Collection[str]) -> dict[str, str]:
        stored = self.candidates.catalog.products(product_ids) if product_ids else {}
        return {
            product_id: title_of(product.product, product.predicted).text for product_id, product in stored.items()
        }


def _evidence(profile: UserProfile, signals: Signals, related: ItemScores, neighbors: list[Neighbor]) -> Evidence:
    ids = [neighbor.product_id for neighbor in neighbors]
    vectors = np.stack([neighbor.vector for neighbor in neighbors])
    # Not a matrix product: for so little, its threads wait for each other longer than they compute.
    closeness = np.einsum("in,cn->ic", profile.queries, vectors)
    return Evidence(
        visual=visual(closeness, profile.shares),
        together=related.of(ids),
        popular=signals.popular.of(ids),
        new=signals.new_of(ids),
    )


@dataclass(frozen=True, slots=True)
class _Reason:
    """Words, and the product of the person's history that they are about, if any."""

    text: str
    product_id: str = ""

    def words(self, titles: Mapping[str, str]) -> str:
        return f"{self.text} {titles.get(self.product_id) or self.product_id}".rstrip()


def _reasons(
    hit: Neighbor, parts: Vector, profile: UserProfile, interactions: Interactions
) -> tuple[_Reason, ...]:
    """The signals that a score is mostly made of: personal ones first, of these the greatest."""
    share = parts / (float(parts.sum()) or 1.0)
    order = np.lexsort((-share, np.array([signal not in _PERSONAL for signal in SIGNALS])))
    return tuple(
        _reason(SIGNALS[row], hit, profile, interactions) for row in order if share[row] >= _MIN_REASON_SHARE
    )


def _reason(signal: str, hit: Neighbor, profile: UserProfile, interactions: Interactions) -> _Reason:
    if signal == "visual":
        start, row = "because you", profile.nearest(hit.vector)
    elif signal == "together":
        ids = [member.product_id for member in profile.members]
        near = interactions.closeness(hit.product_id, ids) * profile.weights
        start, row = "chosen by others who", int(near.argmax())
    else:
        return _Reason("liked by many lately" if signal == "popular" else "new in")
    product_id = profile.members[row].product_id
    return _Reason(f"{start} {profile.preferences.deed(product_id)}", product_id)
