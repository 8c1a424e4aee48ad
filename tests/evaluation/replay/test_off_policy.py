from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.evaluation.replay.off_policy import (
    Impressions,
    RecordedAnswer,
    effective_sample_size,
    estimate,
    examination,
    off_policy,
    position_weights,
    recorded,
)
from sartor.events.model import Person

SHOWN = 6
ATTRACTS = np.array([0.5, 0.1, 0.4, 0.05, 0.3, 0.2])


def clicked(answers: int, *, eta: float, seed: int) -> tuple[Impressions, np.ndarray]:
    """A log of shuffled answers under the position-based model, and the product of each impression."""
    rng = np.random.default_rng(seed)
    products = np.array([rng.permutation(SHOWN) for _ in range(answers)]).ravel()
    positions = np.tile(np.arange(1, SHOWN + 1), answers)
    rewards = rng.random(len(products)) < ATTRACTS[products] * examination(positions, eta=eta)
    log = Impressions(
        answers=np.repeat(np.arange(answers), SHOWN), positions=positions, rewards=rewards.astype(np.float64)
    )
    return log, products


def ranked_by(order: np.ndarray) -> np.ndarray:
    """Position from 1 of each product in a ranking of all."""
    positions = np.zeros(SHOWN, np.int64)
    positions[order] = np.arange(1, len(order) + 1)
    return positions


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_the_estimate_is_what_the_other_ranking_really_earns(eta: float) -> None:
    best = np.argsort(-ATTRACTS)
    truth = float(ATTRACTS[best] @ examination(np.arange(1, SHOWN + 1), eta=eta))
    found = []
    for seed in range(40):
        log, products = clicked(400, eta=eta, seed=seed)
        told = estimate(log, ranked_by(best)[products], rng=np.random.default_rng(seed), eta=eta, rounds=20)
        found.append(told.ips.mean)
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found) - truth) < 4 * error


def test_a_wrong_click_model_is_biased() -> None:
    """So that the test above tells something."""
    best = np.argsort(-ATTRACTS)
    truth = float(ATTRACTS[best] @ examination(np.arange(1, SHOWN + 1), eta=1.0))
    log, products = clicked(20_000, eta=1.0, seed=1)
    told = estimate(log, ranked_by(best)[products], rng=np.random.default_rng(0), eta=0.0)
    assert not told.ips.low < truth < told.ips.high


def test_a_policy_that_shows_less_earns_what_it_shows() -> None:
    log, products = clicked(20_000, eta=1.0, seed=2)
    truth = ATTRACTS[2] + ATTRACTS[0] / 2
    told = estimate(log, ranked_by(np.array([2, 0]))[products], rng=np.random.default_rng(0))
    assert told.ips.low < truth < told.ips.high
    assert told.support == pytest.approx(2 / SHOWN)


def test_the_same_policy_earns_what_was_earned() -> None:
    log, _ = clicked(50, eta=1.0, seed=3)
    told = estimate(log, log.positions, rng=np.random.default_rng(0))
    assert told.ips.mean == pytest.approx(log.rewards.sum() / 50)
    assert told.snips.mean == pytest.approx(log.rewards.mean())
    assert told.effective == pytest.approx(len(log.rewards))
    assert (told.support, told.clipped, told.answers) == (1.0, 0.0, 50)


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(1, 10), st.integers(0, 10), st.floats(0, 3)),
        min_size=1,
        max_size=40,
    ),
    st.floats(0, 2),
    st.one_of(st.none(), st.floats(0.1, 5)),
)
def test_estimates_are_what_their_definitions_say(
    rows: list[tuple[int, int, int, float]], eta: float, clip: float | None
) -> None:
    answers, positions, wanted, rewards = (np.array(column) for column in zip(*rows, strict=True))
    log = Impressions(answers=answers, positions=positions, rewards=rewards.astype(np.float64))
    told = estimate(log, wanted, rng=np.random.default_rng(0), eta=eta, clip=clip, rounds=10)
    weights = [
        0.0 if not place else min((position / place) ** eta, np.inf if clip is None else clip)
        for _, position, place, _ in rows
    ]
    earned = sum(weight * row[3] for weight, row in zip(weights, rows, strict=True))
    assert told.ips.mean == pytest.approx(earned / len({row[0] for row in rows}))
    assert told.support == pytest.approx(sum(row[2] > 0 for row in rows) / len(rows))
    assert 0 <= told.effective <= len(rows) + 1e-9
    if sum(weights):
        assert told.snips.mean == pytest.approx(earned / sum(weights))
        assert rewards.min() - 1e-9 <= told.snips.mean <= rewards.max() + 1e-9
        assert told.effective == pytest.approx(sum(weights) ** 2 / sum(weight**2 for weight in weights))
    else:
        assert np.isnan(told.snips.mean)


def test_what_was_never_shown_tells_nothing() -> None:
    log, _ = clicked(10, eta=1.0, seed=4)
    told = estimate(log, np.zeros(len(log.positions), np.int64), rng=np.random.default_rng(0))
    assert (told.ips.mean, told.effective, told.support) == (0.0, 0.0, 0.0)
    assert np.isnan(told.snips.mean)


def test_of_no_impressions_nothing_is_estimated() -> None:
    none = np.zeros(0, np.int64)
    log = Impressions(answers=none, positions=none, rewards=np.zeros(0))
    told = estimate(log, none, rng=np.random.default_rng(0))
    assert np.isnan(told.ips.mean)
    assert (told.answers, told.impressions, told.support) == (0, 0, 0.0)


def test_clipping_bounds_the_weights_and_is_told() -> None:
    logged, wanted = np.array([10, 1]), np.array([1, 1])
    assert position_weights(logged, wanted).tolist() == pytest.approx([10, 1])
    assert position_weights(logged, wanted, clip=3.0).tolist() == pytest.approx([3, 1])
    log = Impressions(answers=np.array([0, 0]), positions=logged, rewards=np.array([1.0, 0.0]))
    assert estimate(log, wanted, rng=np.random.default_rng(0), clip=3.0).clipped == 0.5


def test_effective_sample_size_of_equal_weights_is_their_number() -> None:
    assert effective_sample_size(np.full(7, 0.3)) == pytest.approx(7)
    assert effective_sample_size(np.array([5.0, 0.0, 0.0])) == pytest.approx(1)
    assert effective_sample_size(np.zeros(3)) == 0


CATALOG = ("a", "b", "c")
LISTS = {"other": [np.array([2, 1, 0]), np.array([0])]}


def answers() -> list[RecordedAnswer]:
    who = Person.user("u")
    return [
        RecordedAnswer(person=who, positions={"a": 1, "b": 2, "c": 3}, rewarded=frozenset("c")),
        RecordedAnswer(person=who, positions={"b": 1, "a": 2}, rewarded=frozenset("ab")),
    ]


def test_positions_are_those_of_each_method_cut_to_the_length_of_the_answer() -> None:
    found = recorded(answers(), LISTS, CATALOG)
    assert found.impressions.answers.tolist() == [0, 0, 0, 1, 1]
    assert found.impressions.rewards.tolist() == [0, 0, 1, 1, 1]
    assert found.positions["as logged"].tolist() == [1, 2, 3, 1, 2]
    assert found.positions["other"].tolist() == [3, 2, 1, 0, 1]


def test_answers_of_several_logs_are_estimated_together() -> None:
    log = recorded(answers(), LISTS, CATALOG)
    logged, other = off_policy([log, log], eta=1, clip=None, seed=0)
    (once,) = (each.estimate for each in off_policy([log], eta=1, clip=None, seed=0) if each.method == "other")
    assert (logged.method, other.method) == ("as logged", "other")
    assert (logged.estimate.answers, logged.estimate.impressions, logged.estimate.ips.mean) == (4, 10, 1.5)
    assert (other.estimate.ips.mean, other.estimate.snips.mean) == (once.ips.mean, once.snips.mean)
    assert other.estimate.effective == pytest.approx(2 * once.effective)
    alone = estimate(log.impressions, log.positions["other"], rng=np.random.default_rng(0))
    assert once.ips == alone.ips


def test_nothing_is_estimated_without_answers() -> None:
    assert off_policy([], eta=1, clip=None, seed=0) == ()
