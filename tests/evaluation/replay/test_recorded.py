from __future__ import annotations

import numpy as np
import pytest

from sartor.evaluation.replay.off_policy import estimate
from sartor.evaluation.replay.recorded import RecordedAnswer, off_policy, recorded
from sartor.events.model import Person

CATALOG = ("a", "b", "c")
LISTS = {"other": [np.array([2, 1, 0]), np.array([0])]}


def answers() -> list[RecordedAnswer]:
    who = Person.user("u")
    return [
        RecordedAnswer(person=who, positions={"a": 1, "b": 2, "c": 3}, rewarded=frozenset("c")),
        RecordedAnswer(person=who, positions={"b": 1, "a": 2}, rewarded=frozenset("ab")),
    ]


def test_places_are_those_of_each_way_cut_to_the_length_of_the_answer() -> None:
    found = recorded(answers(), LISTS, CATALOG)
    assert found.impressions.answers.tolist() == [0, 0, 0, 1, 1]
    assert found.impressions.rewards.tolist() == [0, 0, 1, 1, 1]
    assert found.wanted["as logged"].tolist() == [1, 2, 3, 1, 2]
    assert found.wanted["other"].tolist() == [3, 2, 1, 0, 1]


def test_answers_of_several_logs_are_answers_of_one() -> None:
    log = recorded(answers(), LISTS, CATALOG)
    logged, other = off_policy([log, log], eta=1, clip=None, seed=0)
    (once,) = (each.estimate for each in off_policy([log], eta=1, clip=None, seed=0) if each.method == "other")
    assert (logged.method, other.method) == ("as logged", "other")
    assert (logged.estimate.answers, logged.estimate.impressions, logged.estimate.ips.mean) == (4, 10, 1.5)
    assert (other.estimate.ips.mean, other.estimate.snips.mean) == (once.ips.mean, once.snips.mean)
    assert other.estimate.effective == pytest.approx(2 * once.effective)
    alone = estimate(log.impressions, log.wanted["other"], rng=np.random.default_rng(0))
    assert once.ips == alone.ips


def test_nothing_is_estimated_without_answers() -> None:
    assert off_policy([], eta=1, clip=None, seed=0) == ()
