"""How what is known of a person, of all people and of the catalog becomes one score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.recommend.tuning import CLOSE_FROM, POPULAR_SURE, TOGETHER_SURE

if TYPE_CHECKING:
    from sartor.types import Matrix, Vector


PARTS = ("visual", "together", "popular", "new")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """How much each part counts.

    ``score = visual V + together T + popular P + new N``, where each part is from 0 to 1:

    - ``V = max_i (share_i / share_1)^(1/4) max(0, (s_i - c) / (1 - c))`` over the person's interests, of which
      the first has the greatest share; ``s_i`` is the closeness to the interest, ``c`` is ``CLOSE_FROM``;
    - ``T = t / (max t + TOGETHER_SURE)``, with ``t`` the mean closeness, by what people did, to the products that
      the person liked, weighted as the liking is;
    - ``P = log(1 + p) / log(1 + max(max p, POPULAR_SURE))``, with ``p`` how much people like the product lately;
    - ``N`` falls from 1 for the newest product to 0 for those that are not new.

    Attributes:
        visual: Of looking like what the person likes.
        together: Of going with it, by what people did.
        popular: Of being liked by many.
        new: Of being new in the catalog.
    """

    visual: float = 1.0
    together: float = 1.4
    popular: float = 2.0
    new: float = 0.05

    def parts(self, evidence: Evidence) -> Matrix:
        """What each of ``PARTS`` brings to the scores of ``n`` products, ``(4, n)``."""
        weights = np.array([getattr(self, part) for part in PARTS], np.float32)
        return np.asarray(weights[:, None] * np.stack([getattr(evidence, part) for part in PARTS]))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Evidence:
    """The parts of the score of ``n`` products, each ``(n,)`` from 0 to 1."""

    visual: Vector
    together: Vector
    popular: Vector
    new: Vector


def visual(closeness: Matrix, shares: Vector) -> Vector:
    """``V`` for closenesses ``(interests, n)`` in [-1, 1] and the interests' shares, the greatest first."""
    if not len(shares):
        return np.zeros(closeness.shape[1], np.float32)
    standing = (shares / shares[0]) ** 0.25
    near = np.clip((closeness - CLOSE_FROM) / (1 - CLOSE_FROM), 0, 1)
    return np.asarray((standing[:, None] * near).max(axis=0), np.float32)


def together(closeness: Vector) -> Vector:
    """``T`` for mean closenesses by what people did, of all products ``(p,)``."""
    greatest = float(closeness.max(initial=0.0))
    return np.asarray(closeness / (greatest + TOGETHER_SURE), np.float32)


def popular(liked: Vector) -> Vector:
    """``P`` for how much people like each of all products lately, ``(p,)`` from 0."""
    greatest = max(float(liked.max(initial=0.0)), POPULAR_SURE)
    return np.asarray(np.log1p(liked) / np.log1p(greatest), np.float32)
