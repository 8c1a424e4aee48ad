"""Recorded answers as an off-policy estimate needs them: what was shown where, what came of it, who was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.replay.lists import Asked
from sartor.evaluation.replay.off_policy import NOT_SHOWN, Impressions, estimate
from sartor.evaluation.replay.results import OffPolicyResult
from sartor.events.model import EventType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.evaluation.intervals import Indices
    from sartor.evaluation.splits import TimeSplit
    from sartor.events.model import Event, Person

REWARDED = (EventType.CLICK, EventType.LIKE, EventType.ADD_TO_CART, EventType.PURCHASE)
AS_LOGGED = "as logged"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAnswer:
    """An answer that was shown to somebody.

    Attributes:
        person: To whom.
        positions: Place from 1 of each product that was shown.
        rewarded: Products of these that were clicked, liked, put into the cart or bought from it.
    """

    person: Person
    positions: Mapping[str, int]
    rewarded: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Recorded:
    """The answers of one log, impression by impression.

    Attributes:
        impressions: What was shown.
        wanted: Place at which each way shows each of them, ``(i,)`` from 1; 0 where it does not.
    """

    impressions: Impressions
    wanted: Mapping[str, Indices]


def recorded_answers(split: TimeSplit, *, most: int, rng: np.random.Generator) -> list[RecordedAnswer]:
    """Answers of which all was shown after the split, at most so many, drawn at random.

    Args:
        split: The log.
        most: How many.
        rng: Draws them.
    """
    shown: dict[str, list[Event]] = {}
    for event in split.impressions:
        shown.setdefault(event.recommendation_id, []).append(event)
    later = [name for name, events in shown.items() if events[0].at_s >= split.at_s]
    if len(later) > most:
        later = [later[place] for place in sorted(rng.choice(len(later), most, replace=False))]
    wanted = set(later)
    rewarded: dict[str, set[str]] = {}
    for event in split.after:
        if event.recommendation_id in wanted and event.type in REWARDED:
            rewarded.setdefault(event.recommendation_id, set()).add(event.product_id)
    return [_answer(shown[name], rewarded.get(name, set())) for name in later]


def asked_of(answers: Sequence[RecordedAnswer]) -> list[Asked]:
    """Whom to recommend to again, as many products as the longest answer showed."""
    longest = max((max(answer.positions.values()) for answer in answers), default=1)
    return [Asked(person=answer.person, k=longest) for answer in answers]


def recorded(
    answers: Sequence[RecordedAnswer], lists: Mapping[str, Sequence[Indices]], catalog: Sequence[str]
) -> Recorded:
    """What was shown in the answers of a log, and where each way shows it.

    Args:
        answers: What was shown, at least one.
        lists: Rows of products that each way shows in place of each answer, which is cut to the answer's length.
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
    wanted = {AS_LOGGED: impressions.positions}
    for name, found in lists.items():
        places = [
            {catalog[row]: place for place, row in enumerate(rows[: max(answer.positions.values())], 1)}
            for rows, answer in zip(found, answers, strict=True)
        ]
        wanted[name] = np.array([places[number].get(product, NOT_SHOWN) for number, product, *_ in flat], np.int64)
    return Recorded(impressions=impressions, wanted=wanted)


def off_policy(
    logs: Sequence[Recorded], *, eta: float, clip: float | None, seed: int
) -> tuple[OffPolicyResult, ...]:
    """Estimate what each way would have earned with the answers of all logs, beside what they earned.

    Args:
        logs: Each that has answers.
        eta: How fast attention falls with the place.
        clip: No weight is above this.
        seed: Of intervals.
    """
    if not logs:
        return ()
    counts = [int(each.impressions.answers.max()) + 1 for each in logs]
    firsts = np.cumsum([0, *counts[:-1]])
    impressions = Impressions(
        answers=np.concatenate(
            [each.impressions.answers + first for each, first in zip(logs, firsts, strict=True)]
        ),
        positions=np.concatenate([each.impressions.positions for each in logs]),
        rewards=np.concatenate([each.impressions.rewards for each in logs]),
    )
    return tuple(
        OffPolicyResult(
            method=name,
            estimate=estimate(
                impressions,
                np.concatenate([each.wanted[name] for each in logs]),
                rng=np.random.default_rng(seed),
                eta=eta,
                clip=clip,
            ),
        )
        for name in logs[0].wanted
    )


def _answer(events: Sequence[Event], rewarded: set[str]) -> RecordedAnswer:
    positions: dict[str, int] = {}
    for event in events:
        positions.setdefault(event.product_id, event.position or 1)
    return RecordedAnswer(
        person=events[0].person, positions=positions, rewarded=frozenset(rewarded & positions.keys())
    )
