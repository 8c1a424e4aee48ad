"""What another ranking would have earned, estimated from recorded answers, without showing it to anybody.

An impression is a product that was shown at a position of an answer; its reward is what came of it, such as 1 for
a click. The position-based model says that a product at position k is examined with probability ``theta(k)``,
whatever the product, and that only what is examined is rewarded. So a reward at position k counts ``theta(k') /
theta(k)`` times if the other policy puts the product at position k', and nothing if it does not show it.

What the log never showed, it cannot tell: the estimate is of what the other policy's list earns with the products
that were shown. That is everything if it reorders the same products, and less the smaller the support.

Shapes: i impressions, a answers.

Sources: T. Joachims, A. Swaminathan and T. Schnabel, "Unbiased Learning-to-Rank with Biased Feedback" (WSDM 2017),
section 4 for ``theta(k) = k^-eta``; S. Li et al., "Offline Evaluation of Ranking Policies with Click Models" (KDD
2018), for the item-position estimator; A. Swaminathan and T. Joachims, "The Self-Normalized Estimator for
Counterfactual Learning" (NeurIPS 2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.intervals import percentile_interval, resampled_sums
from sartor.evaluation.replay.lists import ListRequest
from sartor.evaluation.replay.results import OffPolicyEstimate, OffPolicyResult
from sartor.events.model import EventType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.evaluation.intervals import Values
    from sartor.evaluation.ranking import Indices
    from sartor.evaluation.splits import TimeSplit
    from sartor.events.model import Event, Person

NOT_SHOWN = 0  # in place of a position
AS_LOGGED = "as logged"
_REWARDED = (EventType.CLICK, EventType.LIKE, EventType.ADD_TO_CART, EventType.PURCHASE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Impressions:
    """Products that were shown, ``(i,)`` each.

    Attributes:
        answers: Number of the answer, from 0.
        positions: Position in it, from 1.
        rewards: What came of it, from 0.
    """

    answers: Indices
    positions: Indices
    rewards: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAnswer:
    """An answer that was shown to somebody.

    Attributes:
        person: To whom.
        positions: Position from 1 of each product that was shown.
        rewarded: Products of these that were clicked, liked, put into the cart or bought from it.
    """

    person: Person
    positions: Mapping[str, int]
    rewarded: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Recorded:
    """The answers of one log.

    Attributes:
        impressions: What was shown.
        positions: At which position each method shows each of them, ``(i,)`` from 1; 0 if it does not.
    """

    impressions: Impressions
    positions: Mapping[str, Indices]


def recorded_answers(split: TimeSplit, *, limit: int, rng: np.random.Generator) -> list[RecordedAnswer]:
    """Answers that were shown after the split.

    Args:
        split: The log.
        limit: Number of answers; more are sampled.
        rng: Draws them.
    """
    shown: dict[str, list[Event]] = {}
    for event in split.impressions:
        shown.setdefault(event.recommendation_id, []).append(event)
    later = [name for name, events in shown.items() if events[0].at_s >= split.at_s]
    if len(later) > limit:
        later = [later[number] for number in sorted(rng.choice(len(later), limit, replace=False))]
    rewarded: dict[str, set[str]] = {name: set() for name in later}
    for event in split.after:
        if event.recommendation_id in rewarded and event.type in _REWARDED:
            rewarded[event.recommendation_id].add(event.product_id)
    return [_answer(shown[name], rewarded[name]) for name in later]


def list_requests(answers: Sequence[RecordedAnswer]) -> list[ListRequest]:
    """The lists to make again, each as long as the longest answer."""
    longest = max((max(answer.positions.values()) for answer in answers), default=1)
    return [ListRequest(person=answer.person, k=longest) for answer in answers]


def recorded(
    answers: Sequence[RecordedAnswer], lists: Mapping[str, Sequence[Indices]], catalog: Sequence[str]
) -> Recorded:
    """What was shown in the answers of a log, and where each method shows it.

    Args:
        answers: What was shown, at least one.
        lists: Rows of products that each method shows in place of each answer; cut to the answer's length.
        catalog: Ids of products by row.
    """
    flat = [
        (number, product_id, position, float(product_id in answer.rewarded))
        for number, answer in enumerate(answers)
        for product_id, position in answer.positions.items()
    ]
    impressions = Impressions(
        answers=np.array([row[0] for row in flat], np.int64),
        positions=np.array([row[2] for row in flat], np.int64),
        rewards=np.array([row[3] for row in flat], np.float64),
    )
    positions = {AS_LOGGED: impressions.positions}
    for name, rows_of in lists.items():
        position_of = [
            {catalog[row]: position for position, row in enumerate(rows[: max(answer.positions.values())], 1)}
            for rows, answer in zip(rows_of, answers, strict=True)
        ]
        positions[name] = np.array(
            [position_of[number].get(product, NOT_SHOWN) for number, product, *_ in flat], np.int64
        )
    return Recorded(impressions=impressions, positions=positions)


def off_policy(
    logs: Sequence[Recorded], *, eta: float, clip: float | None, seed: int
) -> tuple[OffPolicyResult, ...]:
    """Estimate what each method would have earned with the answers of all logs, beside what was earned.

    Args:
        logs: Each that has answers.
        eta: How fast attention falls with the position.
        clip: Largest weight.
        seed: For intervals.
    """
    if not logs:
        return ()
    counts = [int(log.impressions.answers.max()) + 1 for log in logs]
    firsts = np.cumsum([0, *counts[:-1]])
    impressions = Impressions(
        answers=np.concatenate([log.impressions.answers + first for log, first in zip(logs, firsts, strict=True)]),
        positions=np.concatenate([log.impressions.positions for log in logs]),
        rewards=np.concatenate([log.impressions.rewards for log in logs]),
    )
    return tuple(
        OffPolicyResult(
            method=name,
            estimate=estimate(
                impressions,
                np.concatenate([log.positions[name] for log in logs]),
                rng=np.random.default_rng(seed),
                eta=eta,
                clip=clip,
            ),
        )
        for name in logs[0].positions
    )


def estimate(  # noqa: PLR0913 - each is a keyword of its own
    impressions: Impressions,
    positions: Indices,
    *,
    rng: np.random.Generator,
    eta: float = 1.0,
    clip: float | None = None,
    rounds: int = 1000,
) -> OffPolicyEstimate:
    """Estimate what a policy earns.

    Intervals are 95 % percentile bootstraps over answers, because the impressions of an answer depend on each
    other.

    Args:
        impressions: What was shown, and what came of it.
        positions: At which position the policy would show each, ``(i,)`` from 1; 0 if it would not.
        rng: Draws the samples.
        eta: How fast attention falls with the position.
        clip: Largest weight; None for no bound.
        rounds: Number of samples.
    """
    unclipped = position_weights(impressions.positions, positions, eta=eta)
    weights = position_weights(impressions.positions, positions, eta=eta, clip=clip)
    answers, numbers = np.unique(impressions.answers, return_inverse=True)
    count = len(answers)
    earned, weighed = (
        np.bincount(numbers, values, minlength=count).astype(np.float64)  # (a,)
        for values in (weights * impressions.rewards, weights)
    )
    sampled = resampled_sums(np.stack([earned, weighed], axis=1), rng=rng, rounds=rounds)  # (r, 2)
    total = weighed.sum()
    shown = len(positions)
    return OffPolicyEstimate(
        ips=percentile_interval(
            float(earned.mean()) if count else np.nan, sampled[:, 0] / max(count, 1), count=count
        ),
        snips=percentile_interval(
            float(earned.sum() / total) if total > 0 else np.nan,
            sampled[:, 0] / np.where(sampled[:, 1] > 0, sampled[:, 1], np.nan),
            count=count,
        ),
        effective=effective_sample_size(weights),
        support=float((positions != NOT_SHOWN).mean()) if shown else 0.0,
        impressions=shown,
        answers=count,
        clipped=float((unclipped > weights).mean()) if shown else 0.0,
    )


def position_weights(
    logged: Indices, positions: Indices, *, eta: float = 1.0, clip: float | None = None
) -> Values:
    """How often each impression's reward counts under another policy, ``(i,)`` from 0.

    Args:
        logged: Position at which each was shown, ``(i,)`` from 1.
        positions: Position at which the policy would show it, ``(i,)`` from 1; 0 if it would not.
        eta: How fast attention falls with the position; 0 for not at all.
        clip: Largest weight; the estimate has less variance then, and is too low.
    """
    shown = positions != NOT_SHOWN
    weights = np.zeros(len(logged))
    weights[shown] = examination(positions[shown], eta=eta) / examination(logged[shown], eta=eta)
    return weights if clip is None else np.minimum(weights, clip)


def examination(positions: Indices, *, eta: float = 1.0) -> Values:
    """Probability that a product at each position from 1 is examined, ``1 / k^eta`` in (0, 1]."""
    return np.asarray(positions, np.float64) ** -eta


def effective_sample_size(weights: Values) -> float:
    """``(sum w)^2 / sum w^2``: n for n equal weights, 1 if only one counts, 0 without weights.

    Source: L. Kish, Survey Sampling, 1965.
    """
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def _answer(events: Sequence[Event], rewarded: set[str]) -> RecordedAnswer:
    positions: dict[str, int] = {}
    for event in events:
        positions.setdefault(event.product_id, event.position or 1)
    return RecordedAnswer(
        person=events[0].person, positions=positions, rewarded=frozenset(rewarded & positions.keys())
    )
