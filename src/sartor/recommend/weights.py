"""The numbers that recommendations are tuned by; ``docs/explanation/recommendations.md`` has the measurements."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sartor.errors import BadDial
from sartor.events.model import EventType, RelationType
from sartor.recommend.features import FEATURES, FeatureWeights
from sartor.types import Likeness

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY_S = 86_400

# Similar products
DEFAULT_FEATURE_WEIGHTS = FeatureWeights(style=1.0, color=0.2, category=0.2)
_RECOLORED = FeatureWeights(style=0.6, color=1.0, category=0.4)
_COLOR_ONLY = FeatureWeights(style=0.0, color=1.0, category=0.0)
LIKE_WEIGHT = 0.5  # of a liked product beside a part of the query
DISLIKE_WEIGHT = 0.3
# Two photos show the same thing from these closenesses in style and color, and up to this share of different
# steps of brightness.
SAME_STYLE, SAME_COLOR = 0.95, 0.95
SAME_PICTURE = 0.13
SAME_MATCH = 0.99  # of what shows the same thing, at least; other matches end there
# Matches from which two are called very close, close and similar; below they are a little alike. On photos that
# the bundled model did not learn from, 1 % of right first hits of shops' photos are below the last one, and 3 % of
# people's; of wrong first hits 8 % and 14 %.
VERY_CLOSE, CLOSE, SIMILAR = 0.8, 0.5, 0.2

# Search by words: the ranks of four lists are fused: the products whose text has all words of the query; has
# those that are no filters; has some of those, where none has all; and whose photo is close to the words. Words
# that are no filters are mostly names, so texts count more where there are any.
NAMED_WEIGHTS = 8.0, 2.0, 1.0, 0.5
UNNAMED_WEIGHTS = 2.0, 1.0, 1.0, 1.0
PASSING_WEIGHT = 0.01  # of what passes the filters, where nothing else is known of it
RANK_OFFSET = 60
SEARCH_CANDIDATES = 48  # of each list
SEARCH_CATEGORY = 0.2  # weight of the category beside that of the style, 1

# User profiles: what an event says of a person's preferences; half of it is left after the half-life.
EVENT_WEIGHTS = {
    EventType.VIEW: 1.0,
    EventType.CLICK: 1.0,
    EventType.LIKE: 4.0,
    EventType.ADD_TO_CART: 4.0,
    EventType.PURCHASE: 5.0,
}
PREFERENCE_HALF_LIFE_S = 3 * DAY_S
HISTORY_EVENTS, HISTORY_PRODUCTS = 200, 40  # the latest of a person that count
INTEREST_DISTANCE, MAX_INTERESTS = 1.1, 3  # Ward's distance from which two groups are two interests

# Interactions of all people. A transaction is a basket, a session, or what one person does in a month.
SESSION_GAP_S = 30 * 60  # without an event ends a session
MAX_RELATED = 100  # products kept as related to one
MAX_TRANSACTION_PRODUCTS = 40  # the latest of a transaction that count
COOCCURRENCE_SHRINKAGE = 5.0
MIN_TRANSACTIONS = 2  # of a product, for "together" to name others
RELATION_SHARES = {RelationType.BOUGHT: 0.2, RelationType.SEEN: 0.4, RelationType.LIKED: 0.4}
TREND_WINDOW_S = 7 * DAY_S
POPULARITY_WINDOW_S, POPULARITY_HALF_LIFE_S = 60 * DAY_S, 14 * DAY_S

# Feeds
FEED_DIVERSITY = 0.15
NEW_SHARE, MAX_NEW = 0.02, 200  # share of the catalog that is new, and how many products at most
MIN_CLOSENESS = 0.2  # from which a product looks like an interest at all
COOCCURRENCE_HALF = 0.02  # mean closeness by interactions from which they are half believed
MIN_TOP_POPULARITY = 40.0  # that of ten people's likes; below it nothing is as popular as can be

# Outfits. Baskets count from so many on, with pieces of at least two slots each. A basket of more pieces is a
# reseller's and says nothing of what is worn together.
MIN_BASKETS, MAX_BASKET_PIECES = 200, 30
PRIOR_PAIRS = 5.0  # expected pairs that the prior weighs as much as
KINDS_SHARE = 0.5  # of suitability that kinds and colors may decide: they know nothing of style, its other half
PARTNERS_PER_SLOT = 16  # candidates of each slot that were most often bought with the query's products
# "Often bought together" is said from so many baskets, or pairs alike, and from 1.5 times chance.
OFTEN_BASKETS, OFTEN_PAIRS_ALIKE, OFTEN_SCORE = 3, 10, 0.6


def default_feature_weights(*, has_color: bool = False, has_parts: bool = True) -> FeatureWeights:
    """Feature weights of a query for similar products that does not set its own.

    Args:
        has_color: The query asks for a color.
        has_parts: The query has photos or products, beside a color or alone.
    """
    if not has_color:
        return DEFAULT_FEATURE_WEIGHTS
    return _RECOLORED if has_parts else _COLOR_ONLY


def likeness_of(match: float) -> Likeness:
    """The word for a match probability.

    Example:
        >>> likeness_of(0.9).value
        'very close'
    """
    if match >= VERY_CLOSE:
        return Likeness.VERY_CLOSE
    if match >= CLOSE:
        return Likeness.CLOSE
    return Likeness.SIMILAR if match >= SIMILAR else Likeness.A_LITTLE


def feature_weights(
    given: FeatureWeights | Mapping[str, float] | None = None, *, has_color: bool = False, has_parts: bool = True
) -> FeatureWeights:
    """The feature weights of a query, which every door asks this function for.

    Args:
        given: All weights, or some by name; the others, and those of a query without any, are the defaults.
        has_color: The query asks for a color.
        has_parts: The query has photos or products, beside a color or alone.

    Raises:
        BadDial: A name is none of style, color and category, or a weight is not from 0 to 1.

    Example:
        >>> feature_weights({"color": 0.5})
        FeatureWeights(style=1.0, color=0.5, category=0.2)
    """
    if isinstance(given, FeatureWeights):
        return given
    values = given or {}
    if unknown := sorted(set(values) - set(FEATURES)):
        raise BadDial(reason=f"there is no {unknown[0]}; there are {', '.join(FEATURES)}")
    return replace(default_feature_weights(has_color=has_color, has_parts=has_parts), **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """Weights of the signals in a feed's score.

    ``score = visual V + together T + popular P + new N``, where each signal is from 0 to 1:

    - ``V = max_i (share_i / share_1)^(1/4) max(0, (s_i - c) / (1 - c))`` over the person's interests, the first
      of which has the greatest share; ``s_i`` is the closeness to the interest, ``c`` is ``MIN_CLOSENESS``;
    - ``T = t / (max t + COOCCURRENCE_HALF)``, with ``t`` the mean closeness by interactions to the products that
      the person prefers, weighted by preference;
    - ``P = log(1 + p) / log(1 + max(max p, MIN_TOP_POPULARITY))``, with ``p`` the recent popularity;
    - ``N`` falls from 1 for the newest product to 0 for those that are not new.
    """

    visual: float = 1.0
    together: float = 1.4
    popular: float = 2.0
    new: float = 0.05
