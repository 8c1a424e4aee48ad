"""What answers are worth: their order by match beside the order by score, and whether their words come true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.encoders.heads import Heads
from sartor.evaluation.metrics import calibration_error, reliability
from sartor.evaluation.ranking import nearest
from sartor.recommend.features import category_of
from sartor.recommend.matching import Matcher, matches, with_known
from sartor.recommend.similar import candidates_of
from sartor.recommend.weights import DEFAULT_FEATURE_WEIGHTS, likeness_of
from sartor.training.match_fit import asked_of, similar_pairs
from sartor.types import Likeness

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from sartor.encoders.card import MatchCalibration
    from sartor.training.match_fit import Sample

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Rows = npt.NDArray[np.int64]

K = 5
ATTRIBUTES = ("articleType", "color", "gender")
KINDS = {"shops' photos": (False, False), "people's photos": (True, False)}
AGAIN = {"the same product, 60 x 80": (False, True), "the same product, as people take it": (True, True)}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Lists:
    """Candidates of some queries in the order of their score, and their matches.

    Attributes:
        queries: Rows of the sample, ``(q,)``.
        candidates: Rows of the sample, ``(q, k)``.
        said: Matches, ``(q, k)``.
        before: Matches by a calibration of closeness alone, ``(q, k)``.
    """

    queries: Rows
    candidates: Rows
    said: Floats
    before: Floats

    def first(self, *, by_match: bool) -> npt.NDArray[np.int64]:
        """Columns of the first five, ``(q, 5)``."""
        if not by_match:
            return np.tile(np.arange(K), (len(self.queries), 1))
        return np.argsort(-self.said, axis=1, kind="stable")[:, :K]


def lists_of(
    sample: Sample,
    heads: Heads,
    calibration: MatchCalibration,
    before: MatchCalibration,
    queries: Rows,
    fingerprints: Sequence[bytes],
) -> Lists:
    """Ask for some photos of the sample as ``similar`` does."""
    matcher, old = Matcher(calibration, heads), Matcher(before, heads)
    products = np.flatnonzero(~sample.people & (sample.shows < 0))
    known = with_known(heads, sample.probabilities, sample.rows)
    asked, told = (category_of(each[heads.heads[0].name]) for each in (sample.probabilities, known))
    shares = DEFAULT_FEATURE_WEIGHTS.shares
    scored = [
        np.hstack([np.float32(share**0.5) * part for share, part in zip(shares, parts, strict=True)])
        for parts in ((sample.style, sample.color, asked), (sample.style, sample.color, told))
    ]
    place = {row: at for at, row in enumerate(products.tolist())}
    near = nearest(
        scored[0][queries],
        scored[1][products],
        k=candidates_of(K, diversity=0.0),
        own=np.array([place.get(row, -1) for row in queries.tolist()]),
    )
    candidates = products[near]
    said, earlier = np.empty(near.shape), np.empty(near.shape)
    for query, row in enumerate(queries.tolist()):
        at = candidates[query]
        described = matcher.asked(sample.style[row], asked_of(sample, row, fingerprint=fingerprints[row]))
        closeness = np.stack(
            [sample.style[at] @ sample.style[row], sample.color[at] @ sample.color[row], told[at] @ asked[row]],
            axis=1,
        )
        rows = [sample.rows[each] for each in at.tolist()]
        predicted = {name: each[at] for name, each in sample.probabilities.items()}
        signals = matcher.signals(described, closeness, predicted, rows)
        same = matcher.same(described, closeness, [fingerprints[each] for each in at.tolist()])
        said[query] = matches(matcher.log_odds(described, signals), same)
        earlier[query] = 1 / (1 + np.exp(-old.log_odds(described, signals)))
    return Lists(queries=queries, candidates=candidates, said=said, before=earlier)


def figures_of(sample: Sample, lists: Lists, *, again: bool) -> dict[str, Mapping[str, float]]:
    """What five hits are worth, by order: ``by match`` and ``by score``."""
    similar = similar_pairs(sample, lists.queries, lists.candidates)
    exact = {
        name: similar_pairs(sample, lists.queries, lists.candidates, names=(name,), exact=True)
        for name in ATTRIBUTES
    }
    exact = {
        name: each for name, each in exact.items() if any(sample.possible[name][row] for row in lists.queries)
    }
    all_three = np.logical_and.reduce(list(exact.values()))
    own = lists.candidates == sample.shows[lists.queries][:, None]
    found: dict[str, Mapping[str, float]] = {}
    for order, said in (("by score", lists.before), ("by match", lists.said)):
        first = lists.first(by_match=order == "by match")
        of = {
            name: np.take_along_axis(values, first, axis=1)
            for name, values in {
                "similar": similar,
                "all at once": all_three,
                "own": own,
                "said": said,
                **exact,
            }.items()
        }
        if again:
            found[order] = {
                "the product first": float(of["own"][:, 0].mean()),
                "among five": float(of["own"].any(axis=1).mean()),
            }
            continue
        right, weak = (
            of["similar"][:, 0],
            np.array([likeness_of(each) is Likeness.A_LITTLE for each in of["said"][:, 0]]),
        )
        found[order] = {
            **{name: float(of[name].mean()) for name in (*exact, "all at once", "similar")},
            "first similar": float(right.mean()),
            "first all at once": float(of["all at once"][:, 0].mean()),
            "a little over a right first": float(weak[right].mean()),
            "a little over a wrong first": float(weak[~right].mean()),
            "calibration error of five": _error(of["said"], of["similar"]),
            "calibration error of candidates": _error(said, similar),
        }
    return found


def _error(said: Floats, right: Flags) -> float:
    return calibration_error(reliability(said.ravel().astype(np.float64), right.ravel().astype(np.float64)))
