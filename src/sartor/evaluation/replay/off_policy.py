"""What another way of ranking would have earned, estimated from recorded answers, without showing it to anybody.

An impression is a product that was shown at a place of an answer; its reward is what came of it, such as 1 for a
click. The position-based model says that a product at place k is examined with probability ``theta(k)``, whatever
it is, and that only what is examined is rewarded. So a reward at place k stands for ``theta(k') / theta(k)`` where
the other policy puts the product at place k', and for nothing where it does not show it.

What the log never showed, it cannot tell: the estimate is of what the other policy's list earns by the products
that were shown, which is all it earns where it reorders the same products, and less the smaller the support.

Shapes: i impressions, a answers.

Sources: T. Joachims, A. Swaminathan and T. Schnabel, "Unbiased Learning-to-Rank with Biased Feedback" (WSDM 2017),
of which ``theta(k) = k^-eta`` is section 4; S. Li et al., "Offline Evaluation of Ranking Policies with Click
Models" (KDD 2018), of which this is the item-position estimator; A. Swaminathan and T. Joachims, "The
Self-Normalized Estimator for Counterfactual Learning" (NeurIPS 2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.intervals import Interval

if TYPE_CHECKING:
    from sartor.evaluation.intervals import Indices, Values

NOT_SHOWN = 0  # in place of a position

_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Impressions:
    """Products that were shown, ``(i,)`` each.

    Attributes:
        answers: Number of the answer, from 0.
        positions: Place in it, from 1.
        rewards: What came of it, at least 0.
    """

    answers: Indices
    positions: Indices
    rewards: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class OffPolicyEstimate:
    """What a policy earns, as far as a log can tell.

    Attributes:
        ips: Reward for each answer, by inverse propensity scores; unbiased under the model where nothing is
            clipped, and wide where few impressions count.
        snips: Reward for each impression, self-normalized: their weighted mean, which is never beyond the rewards.
        effective: Effective sample size ``(sum w)^2 / sum w^2``: so many impressions of equal weight tell as much.
        support: Share of the impressions that the policy shows at all.
        impressions: How many there are.
        answers: Of how many answers.
        clipped: Share of the weights that were clipped.
    """

    ips: Interval
    snips: Interval
    effective: float
    support: float
    impressions: int
    answers: int
    clipped: float = 0.0


def examination(positions: Indices, *, eta: float = 1.0) -> Values:
    """Probability that a product at each place from 1 is examined, ``1 / k^eta`` in (0, 1]."""
    return np.asarray(positions, np.float64) ** -eta


def position_weights(logged: Indices, wanted: Indices, *, eta: float = 1.0, clip: float | None = None) -> Values:
    """How much each impression's reward stands for under another policy, ``(i,)`` from 0.

    Args:
        logged: Place at which each was shown, ``(i,)`` from 1.
        wanted: Place at which the policy would show it, ``(i,)`` from 1; 0 where it would not.
        eta: How fast attention falls with the place; 0 for not at all.
        clip: No weight is above this; the estimate has less variance then, and is too low.
    """
    shown = wanted != NOT_SHOWN
    weights = np.zeros(len(logged))
    weights[shown] = examination(wanted[shown], eta=eta) / examination(logged[shown], eta=eta)
    return weights if clip is None else np.minimum(weights, clip)


def effective_sample_size(weights: Values) -> float:
    """``(sum w)^2 / sum w^2``: n for n equal weights, 1 where one is all there is, 0 of nothing.

    Source: L. Kish, Survey Sampling, 1965.
    """
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def estimate(  # noqa: PLR0913 - each is a keyword of its own
    impressions: Impressions,
    wanted: Indices,
    *,
    rng: np.random.Generator,
    eta: float = 1.0,
    clip: float | None = None,
    rounds: int = 1000,
) -> OffPolicyEstimate:
    """Estimate what a policy earns.

    Intervals are 95 % percentile bootstraps over answers, whose impressions depend on each other.

    Args:
        impressions: What was shown, and what came of it.
        wanted: Place at which the policy would show each, ``(i,)`` from 1; 0 where it would not.
        rng: Draws the samples.
        eta: How fast attention falls with the place.
        clip: No weight is above this.
        rounds: How many samples.
    """
    weights = position_weights(impressions.positions, wanted, eta=eta, clip=clip)
    free = weights if clip is None else position_weights(impressions.positions, wanted, eta=eta)
    names, numbers = np.unique(impressions.answers, return_inverse=True)
    count = len(names)
    earned = np.bincount(numbers, weights * impressions.rewards, minlength=count).astype(np.float64)  # (a,)
    weighed = np.bincount(numbers, weights, minlength=count).astype(np.float64)
    ips, snips = _intervals(earned, weighed, rng=rng, rounds=rounds)
    shown = len(wanted)
    return OffPolicyEstimate(
        ips=ips,
        snips=snips,
        effective=effective_sample_size(weights),
        support=float((wanted != NOT_SHOWN).mean()) if shown else 0.0,
        impressions=shown,
        answers=count,
        clipped=float((free > weights).mean()) if shown else 0.0,
    )


def _intervals(
    earned: Values, weighed: Values, *, rng: np.random.Generator, rounds: int
) -> tuple[Interval, Interval]:
    """IPS and SNIPS of ``(a,)`` answers: the mean of what they earn, and its sum over that of their weights."""
    count = len(earned)
    if not count:
        nothing = Interval(mean=np.nan, low=np.nan, high=np.nan, count=0)
        return nothing, nothing
    means, ratios = np.empty(rounds), np.full(rounds, np.nan)
    for each in range(rounds):
        drawn = rng.integers(count, size=count)
        total = weighed[drawn].sum()
        means[each] = earned[drawn].mean()
        if total > 0:
            ratios[each] = earned[drawn].sum() / total
    total = weighed.sum()
    ips = _interval(float(earned.mean()), means, count)
    snips = _interval(float(earned.sum() / total) if total > 0 else np.nan, ratios, count)
    return ips, snips


def _interval(mean: float, drawn: Values, count: int) -> Interval:
    known = drawn[~np.isnan(drawn)]
    if not len(known) or np.isnan(mean):
        return Interval(mean=np.nan, low=np.nan, high=np.nan, count=0)
    low, high = np.percentile(known, _PERCENTILES)
    return Interval(mean=mean, low=float(low), high=float(high), count=count)
