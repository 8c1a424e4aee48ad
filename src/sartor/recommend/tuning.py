"""The numbers that recommendations are tuned by; ``docs/explanation/recommendations.md`` has the measurements."""

from __future__ import annotations

from sartor.recommend.traits import Dials

DEFAULT_DIALS = Dials(style=1.0, color=0.2, category=0.2)
COLORED_DIALS = Dials(style=0.6, color=1.0, category=0.4)  # a color was asked for, beside photos or products
COLOR_ONLY_DIALS = Dials(style=0.0, color=1.0, category=0.0)

LIKE_WEIGHT = 0.5  # of a liked product beside a part of the query
DISLIKE_WEIGHT = 0.3
# Two photos show the same thing from these closenesses in style and color, and up to this share of different
# steps of brightness.
SAME_STYLE, SAME_COLOR = 0.95, 0.95
SAME_PICTURE = 0.13
