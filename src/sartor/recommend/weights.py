"""The numbers that recommendations are tuned by; ``docs/explanation/recommendations.md`` has the measurements."""

from __future__ import annotations

from sartor.events.model import EventType, RelationType
from sartor.recommend.features import FeatureWeights

DAY_S = 86_400

DEFAULT_DIALS = FeatureWeights(style=1.0, color=0.2, category=0.2)
COLORED_DIALS = FeatureWeights(
    style=0.6, color=1.0, category=0.4
)  # a color was asked for, beside photos or products
COLOR_ONLY_DIALS = FeatureWeights(style=0.0, color=1.0, category=0.0)

LIKE_WEIGHT = 0.5  # of a liked product beside a part of the query
DISLIKE_WEIGHT = 0.3
# Two photos show the same thing from these closenesses in style and color, and up to this share of different
# steps of brightness.
SAME_STYLE, SAME_COLOR = 0.95, 0.95
SAME_PICTURE = 0.13

# What an event says of a person's liking; half of it is left after the half-life.
EVENT_WEIGHTS = {
    EventType.VIEW: 1.0,
    EventType.CLICK: 1.0,
    EventType.LIKE: 4.0,
    EventType.ADD_TO_CART: 4.0,
    EventType.PURCHASE: 5.0,
}
LIKING_HALF_LIFE_S = 3 * DAY_S
HISTORY_EVENTS, HISTORY_PRODUCTS = 200, 40  # of a person are looked at, the latest
INTEREST_APART, MOST_INTERESTS = 1.1, 3  # Ward's distance from which two groups are two interests
FEED_DIVERSITY = 0.15

SESSION_GAP_S = 30 * 60  # without an event ends a session
TOGETHER_KEPT, TOGETHER_LARGEST, TOGETHER_SHRINKAGE = 100, 40, 5.0
TOGETHER_LEAST = 2  # occasions of a product from which others go with it
TREND_WINDOW_S = 7 * DAY_S
POPULARITY_HALF_LIFE_S = 14 * DAY_S
NEW_SHARE, NEW_MOST = 0.02, 200  # of the catalog is new, and how many at most
# What it counts that two products meet on an occasion.
OCCASION_SHARES = {RelationType.BOUGHT: 0.2, RelationType.SEEN: 0.4, RelationType.LIKED: 0.4}

# What shoppers bought together counts in looks from so many baskets on, of at least two slots each. A basket of
# more pieces is a reseller's, and says nothing of what is worn together.
LEAST_BASKETS, LARGEST_BASKET = 200, 30
PRIOR_PAIRS = 5.0  # expected pairs that what is believed beforehand weighs as much as
KINDS_SHARE = 0.5  # of suitability that kinds and colors may decide: they know nothing of style, its other half
PARTNERS = 16  # candidates of each slot that were most often bought with what is given
# "Often bought together" is said from so many times on, or of so many pairs alike; and from 1.5 times chance on.
OFTEN, OFTEN_ALIKE, OFTEN_SCORE = 3, 10, 0.6
CLOSE_FROM = 0.2  # closeness from which a product looks like an interest at all
TOGETHER_SURE = 0.02  # mean closeness from which what people did is half believed
POPULAR_SURE = 40.0  # liking, that of ten people, below which nothing is as popular as can be
