from __future__ import annotations

import numpy as np
import pytest

from sartor.evaluation.replay.lists import LogScores, experiment

METRICS = ("nDCG@10", "diversity")


def log_of(people: int, *, gain: float, seed: int) -> LogScores:
    """Scores at random, for-you's that much higher."""
    rng = np.random.default_rng(seed)
    scores = {
        method: {metric: rng.random(people) + more for metric in METRICS}
        for method, more in (("for-you", gain), ("popularity", 0.0))
    }
    scores["for-you"]["diversity"][0] = np.nan  # a list of one product has none
    return LogScores(
        targets=rng.integers(1, 9, people).astype(np.float64),
        scores=scores,
        coverage={"for-you": 0.1 * people, "popularity": 0.0},
    )


def test_each_person_counts_the_same_whatever_the_log() -> None:
    logs = [log_of(30, gain=1, seed=1), log_of(5, gain=1, seed=2)]
    found = experiment(logs, history=5, seed=0)
    assert (found.history, found.people, found.logs) == (5, 35, 2)
    assert found.targets == pytest.approx(np.concatenate([log.targets for log in logs]).mean())
    for result in found.methods:
        for metric, interval in result.metrics.items():
            everybody = np.concatenate([log.scores[result.method][metric] for log in logs])
            assert interval.mean == pytest.approx(np.nanmean(everybody))
            assert interval.count == np.count_nonzero(~np.isnan(everybody))
            assert interval.low < interval.mean < interval.high
    assert [result.coverage for result in found.methods] == pytest.approx([1.75, 0])


def test_more_people_narrow_the_interval() -> None:
    one = log_of(100, gain=0, seed=3)
    widths = [
        interval.high - interval.low
        for count in (1, 9)
        for interval in [experiment([one] * count, history=1, seed=0).methods[1].metrics["nDCG@10"]]
    ]
    assert widths[1] == pytest.approx(widths[0] / 3, rel=0.15)


@pytest.mark.parametrize(
    ("gains", "ahead", "apart"), [((1, 1), 2, True), ((1, -1), 1, False), ((-1, -1), 0, False)]
)
def test_logs_in_which_for_you_is_ahead_are_counted(
    gains: tuple[float, float], ahead: int, *, apart: bool
) -> None:
    logs = [log_of(50, gain=gain, seed=seed) for seed, gain in enumerate(gains)]
    (ndcg, *_) = experiment(logs, history=1, seed=0).comparisons
    assert (ndcg.against, ndcg.metric, ndcg.ahead) == ("popularity", "nDCG@10", ahead)
    assert ndcg.apart == (ahead == 2)
    assert ndcg.test.count == 100
