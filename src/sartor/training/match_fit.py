"""Fits what tells how probably a shopper calls a product similar to a query, on photos that a model has not seen.

Every photo is a query like an uploaded one, described by what the model predicts. Its nearest products are the
candidates, once as the catalog describes them and once as the model does, since catalogs differ in what they tell.
A pair is similar if it agrees in all judged attributes that are known of the query, colors by their family.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from sartor.encoders.card import MatchCalibration, MatchFit, PhotoKinds
from sartor.evaluation.metrics import reliability
from sartor.evaluation.ranking import nearest
from sartor.recommend.features import FEATURES, category_of, color_family
from sartor.recommend.matching import (
    COLOR_ATTRIBUTES,
    FITS_ALL,
    NEAR,
    Asked,
    Matcher,
    curved,
    weights_of,
    with_known,
)
from sartor.recommend.weights import DEFAULT_FEATURE_WEIGHTS, SAME_COLOR, SAME_MATCH
from sartor.types import QueryKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from sartor.encoders.heads import Heads
    from sartor.evaluation.metrics import ReliabilityBin
    from sartor.types import Attributes, Matrix, Vector

    Flags: TypeAlias = npt.NDArray[np.bool_]
    Rows: TypeAlias = npt.NDArray[np.int64]
    Floats: TypeAlias = npt.NDArray[np.float64]

NEIGHBORS = 30  # of each query, which a match is learned from
_MIN_WEIGHTS = {"style": 1.0, "color": 0.1, "category": 0.1}  # so that each orders where the others are equal
_MIN_PEOPLE = 40  # photos of people that a fit of their own takes
_UNFAMILIAR_SHARE = 0.02  # of the photos, that are called unfamiliar at most
_RIDGE = 1e-5
_VIEWS_RIDGE = 0.01  # holds the products on drawn backgrounds to the fit of the shop's photos
_PEOPLE_RIDGE = 0.3  # holds the few photos of people to the fit of these many
_FIRST_OF_SHOP, _FIRST_OF_PEOPLE = 0.15, 0.3  # how much it counts that the product itself comes first
_KIND_LOOSENESS = 30.0  # the inverse of the ridge of what tells people's photos from shops'
_GROUPS = (0.03, 0.06, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)  # borders of matches
_MIN_SLOPE = 0.1
_SHOWN = 8  # first hits of a query, which a curve is fitted on
_SHOP_PRIOR, _PEOPLE_PRIOR = 20.0, 60.0  # pairs
_TINY = 1e-9
_ALIKE = 0.99  # share of pairs beyond the closeness of the same thing that show it
_SURE_OF = 3  # attributes whose confidence counts: those that are judged first


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Sample:
    """Photos that a model has not learned from, shops' and people's, with what is known of them.

    Attributes:
        style: Embeddings, ``(n, d)``.
        color: Color features, ``(n, m)``.
        probabilities: By attribute that the model predicts, ``(n, c)`` each.
        rows: What a catalog says of each.
        possible: By judged attribute, the values that each may have; empty where nothing is known.
        people: Which are people's photos, or products as people might photograph them, ``(n,)``: queries only.
        shows: Row of the product that is shown once more, ``(n,)``: in another size, or as a person might
            photograph it; -1 for all others. These are queries only, too.
        resolution: See ``resolution_of``, ``(n,)``.
        familiarity: Cosine with the nearest class of the first attribute, ``(n,)``.
        groups: What is together in one half when halves judge each other, such as a photo's sender, ``(n,)``.
    """

    style: Matrix
    color: Matrix
    probabilities: Mapping[str, Matrix]
    rows: Sequence[Attributes]
    possible: Mapping[str, Sequence[tuple[str, ...]]]
    people: Flags
    shows: Rows
    resolution: Vector
    familiarity: Vector
    groups: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Pairs:
    """Queries with candidates: signals ``(q, k)`` by name, what the queries are, and whether they are similar.

    Each query is there twice: with candidates as the catalog describes them, and as the model does.

    Attributes:
        queries: ``(q,)`` rows of the sample.
        told: Whether the candidates are as the catalog describes them, ``(q,)``.
        own: Which candidate is the very product that the query shows, ``(q, k)``.
        signals: By name, ``(q, k)``.
        constants: What depends on the query alone, by name, ``(q,)``.
        similar: ``(q, k)``.
    """

    queries: Rows
    told: Flags
    own: Flags
    signals: Mapping[str, Floats]
    constants: Mapping[str, Floats]
    similar: Flags

    def of(self, chosen: Flags) -> Pairs:
        """The pairs of some queries, ``(q,)``."""
        return Pairs(
            queries=self.queries[chosen],
            told=self.told[chosen],
            own=self.own[chosen],
            signals={name: values[chosen] for name, values in self.signals.items()},
            constants={name: values[chosen] for name, values in self.constants.items()},
            similar=self.similar[chosen],
        )


def pairs_of(sample: Sample, heads: Heads, *, people: bool, repeated: bool) -> Pairs:
    """The queries of one kind with their candidates.

    Args:
        sample: The photos.
        heads: What the model predicts.
        people: People's photos, or shops'.
        repeated: Those that show a product once more, which is then among the candidates.
    """
    matcher = Matcher(_asking_for(heads), heads)
    products = np.flatnonzero(~sample.people & (sample.shows < 0))
    queries = np.flatnonzero(judged_photos(sample, people=people, repeated=repeated))
    first = heads.heads[0].name if heads.heads else ""
    known = with_known(heads, sample.probabilities, sample.rows)
    asked, told = (
        category_of(each[first]) if first else np.zeros((len(sample.rows), 0), np.float32)
        for each in (sample.probabilities, known)
    )
    is_other = people or repeated
    near = nearest(
        _weighted(sample, asked)[queries],
        _weighted(sample, told)[products],
        k=NEIGHBORS,
        own=np.full(len(queries), -1) if is_other else np.searchsorted(products, queries),
    )
    candidates = products[near]
    own = candidates == sample.shows[queries][:, None]
    signals: dict[str, list[Floats]] = {}
    for is_told in (True, False):
        category, probabilities = (told, known) if is_told else (asked, sample.probabilities)
        for query, row in enumerate(queries.tolist()):
            at = candidates[query]
            vectors = (sample.style, sample.style), (sample.color, sample.color), (category, asked)
            closeness = np.stack([of_products[at] @ of_query[row] for of_products, of_query in vectors], axis=1)
            found = matcher.signals(
                asked_of(sample, row),
                closeness,
                {name: each[at] for name, each in probabilities.items()},
                [sample.rows[each] for each in at] if is_told else [{}] * len(at),
            )
            for name, values in found.items():
                signals.setdefault(name, []).append(values.astype(np.float64))
    similar = similar_pairs(sample, queries, candidates) | own
    return Pairs(
        queries=np.tile(queries, 2),
        told=np.repeat([True, False], len(queries)),
        own=np.tile(own, (2, 1)),
        signals={name: np.stack(values) for name, values in signals.items()},
        constants=_constants(sample, np.tile(queries, 2)),
        similar=np.tile(similar, (2, 1)),
    )


def asked_of(sample: Sample, row: int, *, fingerprint: bytes = b"") -> Asked:
    """A photo of the sample as a query."""
    return Asked(
        probabilities={name: each[row] for name, each in sample.probabilities.items()},
        fingerprint=fingerprint,
        resolution=float(sample.resolution[row]),
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Judged:
    """Matches of pairs, each computed without its query, and whether the pairs are similar, ``(q, k)`` each."""

    said: Floats
    similar: Flags

    @property
    def bins(self) -> tuple[ReliabilityBin, ...]:
        """Reliability diagram over all pairs."""
        return reliability(self.said.ravel(), self.similar.ravel().astype(np.float64))


def fit_shop(plain: Pairs, repeated: Pairs) -> MatchFit:
    """The fit for shops' photos, by which the product itself comes before those that only agree with it."""
    return _recalibrated(
        _fitted(plain, repeated, first=_FIRST_OF_SHOP, prior=None, ridge=_RIDGE), plain, prior=_SHOP_PRIOR
    )


def fit_people(photos: Pairs, repeated: Pairs, shop: MatchFit) -> MatchFit:
    """The fit for people's photos, of which there are few.

    What weighs how much is learned from the many products that are shown as people might take them; the photos of
    people move that a little, and tell how often a match comes true.
    """
    views = (
        _fitted(repeated, repeated, first=0.0, prior=shop, ridge=_VIEWS_RIDGE) if len(repeated.queries) else shop
    )
    fit = _fitted(photos, repeated, first=_FIRST_OF_PEOPLE, prior=views, ridge=_PEOPLE_RIDGE)
    return _recalibrated(fit, photos, prior=_PEOPLE_PRIOR)


def said_by(fit: MatchFit, pairs: Pairs) -> Floats:
    """The matches of pairs by a fit, ``(q, k)``."""
    names, columns = _columns(pairs)
    weights = np.array([_weight(fit, name) for name in names])
    return np.asarray(1 / (1 + np.exp(-curved(columns @ weights + fit.intercept, fit.curve))))


def calibrated(
    sample: Sample,
    heads: Heads,
    attributes: tuple[str, ...],
    *,
    more: tuple[Matrix, Flags] | None = None,
    only: Flags | None = None,
) -> tuple[MatchCalibration, dict[QueryKind, Judged]] | None:
    """The calibration of a model, and for each kind of photo whether it comes true; None without both answers.

    Each half of the photos is judged by the fit of the other half.

    Args:
        sample: Photos that the model has not learned from.
        heads: What it predicts.
        attributes: In which a pair has to agree.
        more: Embeddings of further photos, and which are people's. They may be of the training, where whose photo
            one is was no label; they help to tell the kinds apart.
        only: Which photos are queries, ``(n,)``; None for all.
    """
    asked = np.ones(len(sample.rows), np.bool_) if only is None else only

    def pairs(*, people: bool, repeated: bool) -> Pairs:
        found = pairs_of(sample, heads, people=people, repeated=repeated)
        return found.of(asked[found.queries])

    plain = pairs(people=False, repeated=False)
    if plain.similar.all() or not plain.similar.any():
        return None
    sizes, views = (pairs(people=people, repeated=True) for people in (False, True))
    fit = fit_shop(plain, sizes)
    judged = {QueryKind.SHOP_PHOTO: _cross_judged(plain, sizes, sample.groups, fit_shop)}
    people = None
    if (sample.people & (sample.shows < 0)).sum() >= _MIN_PEOPLE:
        photos = pairs(people=True, repeated=False)
        if photos.similar.any() and not photos.similar.all():
            people = fit_people(photos, views, fit)
            judged[QueryKind.PERSONS_PHOTO] = _cross_judged(
                photos, views, sample.groups, partial(fit_people, shop=fit)
            )
    calibration = MatchCalibration(
        **fit.model_dump(),
        attributes=attributes,
        people=people,
        photos=_kinds(sample, asked, more) if people else None,
    )
    return calibration, judged


def _cross_judged(
    pairs: Pairs, repeated: Pairs, groups: Sequence[str], fit: Callable[[Pairs, Pairs], MatchFit]
) -> Judged:
    names = list(dict.fromkeys(groups[row] for row in pairs.queries.tolist()))
    half = np.array([names.index(groups[row]) % 2 for row in pairs.queries.tolist()])
    said = np.full(pairs.similar.shape, np.nan)
    for one in (0, 1):
        others = pairs.of(half != one)
        if others.similar.any() and not others.similar.all():
            said[half == one] = said_by(fit(others, repeated), pairs.of(half == one))
    known = pairs.told & ~np.isnan(said).any(axis=1)
    return Judged(said=SAME_MATCH * said[known], similar=pairs.similar[known])


def same_thing(style: Vector, color: Vector, is_same: Flags) -> tuple[float, float] | None:
    """Closeness in style and color from which 99 of 100 pairs show the same product; None if there is none.

    Args:
        style: Closeness of pairs in style, ``(n,)``.
        color: In color.
        is_same: Whether they show the same product.
    """
    rows = np.flatnonzero(color >= SAME_COLOR)
    order = rows[np.argsort(-style[rows], kind="stable")]
    share = np.cumsum(is_same[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(share >= _ALIKE)
    return (float(style[order[enough[-1]]]), SAME_COLOR) if len(enough) else None


def _kinds(sample: Sample, asked: Flags, more: tuple[Matrix, Flags] | None) -> PhotoKinds:
    """How people's photos are told from shops', and from unfamiliar ones."""
    from sklearn.linear_model import LogisticRegression

    style, people = sample.style[asked], sample.people[asked]
    if more is not None:
        style, people = np.concatenate([style, more[0]]), np.concatenate([people, more[1]])
    told = LogisticRegression(C=_KIND_LOOSENESS, max_iter=3000)
    told.fit(style, people)
    real = asked & (sample.shows < 0)
    familiar = min(
        float(np.quantile(sample.familiarity[kind], _UNFAMILIAR_SHARE))
        for kind in (sample.people & real, ~sample.people & real)
    )
    return PhotoKinds(
        toward_person=tuple(round(float(each), 3) for each in told.coef_[0]),
        intercept=round(float(told.intercept_[0]), 3),
        familiar=math.floor(1e4 * familiar) / 1e4,
    )


def _fitted(pairs: Pairs, repeated: Pairs, *, first: float, prior: MatchFit | None, ridge: float) -> MatchFit:
    """Weights of signals that are not negative.

    They minimize the cross-entropy of similarity, plus ``first`` times that of finding the product itself among
    the candidates (a softmax over each list). ``ridge`` holds them to the prior's, or to 0.
    """
    names, columns = _columns(pairs)
    x, y = columns.reshape(-1, len(names)), pairs.similar.ravel().astype(np.float64)
    means, spread = x.mean(axis=0), x.std(axis=0) + _TINY
    scaled = (x - means) / spread
    start = np.zeros(len(names) + 1)
    if prior is not None:
        weights = np.array([_weight(prior, name) for name in names])
        start = np.append(weights * spread, prior.intercept + weights @ means)
    if repeated.own.any():
        found = repeated.of(np.asarray(repeated.own.any(axis=1)))
        lists = (_columns(found)[1] - means) / spread  # (r, k, s)
        own = found.own.argmax(axis=1)
        itself = lists[np.arange(len(own)), own]

    def loss(parameters: Floats) -> tuple[float, Floats]:
        z = scaled @ parameters[:-1] + parameters[-1]
        off = parameters[:-1] - start[:-1]
        slope = (1 / (1 + np.exp(-z)) - y) / len(y)
        value = float((np.logaddexp(0, z) - y * z).mean() + ridge * off @ off)
        gradient = np.append(scaled.T @ slope + 2 * ridge * off, slope.sum())
        if repeated.own.any():
            scores = lists @ parameters[:-1]
            total = logsumexp(scores, axis=1)
            value += first * float((total - itself @ parameters[:-1]).mean())
            shares = np.exp(scores - total[:, None])
            gradient[:-1] += first * (np.einsum("rk,rks->s", shares, lists) - itself.sum(axis=0)) / len(own)
        return value, gradient

    bounds: list[tuple[float | None, None]] = [
        (_MIN_WEIGHTS.get(name, 0.0) * each, None) if name in pairs.signals else (None, None)
        for name, each in zip(names, spread.tolist(), strict=True)
    ]
    solved = minimize(loss, start, jac=True, bounds=[*bounds, (None, None)], method="L-BFGS-B").x
    return _fit_of(pairs, names, solved[:-1] / spread, float(solved[-1] - (solved[:-1] / spread) @ means))


def _recalibrated(fit: MatchFit, pairs: Pairs, *, prior: float) -> MatchFit:
    """The same order, with a curve by which the matches of the first hits come true where the catalog tells.

    What stands first is more often overrated than the rest. The pairs are grouped by their match. In each group,
    the share that is similar is shrunk to what was said by ``prior`` pairs, and made to rise from group to group.

    Source: B. Zadrozny and C. Elkan, "Transforming classifier scores into accurate multiclass probability
    estimates" (KDD 2002).
    """
    from sklearn.isotonic import IsotonicRegression

    told = pairs.of(pairs.told)
    names, columns = _columns(told)
    every = columns @ np.array([_weight(fit, name) for name in names]) + fit.intercept
    first = np.argsort(-every, axis=1, kind="stable")[:, :_SHOWN]
    log_odds = np.take_along_axis(every, first, axis=1).ravel()
    said, similar = 1 / (1 + np.exp(-log_odds)), np.take_along_axis(told.similar, first, axis=1).ravel()
    groups = np.digitize(said, _GROUPS)
    x, shares, counts = [], [], []
    for group in np.unique(groups):
        own = groups == group
        x.append(float(log_odds[own].mean()))
        shares.append((similar[own].sum() + prior * said[own].mean()) / (own.sum() + prior))
        counts.append(int(own.sum()))
    rising = IsotonicRegression().fit_transform(x, shares, sample_weight=counts).clip(0.002, 0.998)
    y = np.log(rising / (1 - rising))
    for number in range(1, len(y)):  # where it would be level, the order stays
        y[number] = max(y[number], y[number - 1] + _MIN_SLOPE * (x[number] - x[number - 1]))
    points = tuple((round(one, 3), round(float(other), 3)) for one, other in zip(x, y, strict=True))
    return fit.model_copy(update={"curve": points})


def _fit_of(pairs: Pairs, names: Sequence[str], weights: Floats, intercept: float) -> MatchFit:
    by_name = {name: round(float(weight), 4) for name, weight in zip(names, weights, strict=True)}
    return MatchFit(
        slope=by_name["style"],
        near=by_name[NEAR],
        color=by_name["color"],
        category=by_name["category"],
        agreement={
            name.removeprefix("same "): by_name[name] for name in pairs.signals if name not in {*FEATURES, NEAR}
        },
        confidence={
            name.removeprefix("sure of "): by_name[name] for name in pairs.constants if name != "resolution"
        },
        resolution=by_name.get("resolution", 0.0),
        intercept=round(intercept, 4),
        means={name: round(float(pairs.signals[name].mean()), 4) for name in pairs.signals},
    )


def _columns(pairs: Pairs) -> tuple[list[str], Floats]:
    """Names and values ``(q, k, s)`` of all that a match depends on."""
    constants = [np.broadcast_to(each[:, None], pairs.similar.shape) for each in pairs.constants.values()]
    return [*pairs.signals, *pairs.constants], np.stack([*pairs.signals.values(), *constants], axis=-1)


def _weight(fit: MatchFit, name: str) -> float:
    if name == "resolution":
        return fit.resolution
    if name.startswith("sure of "):
        return fit.confidence.get(name.removeprefix("sure of "), 0.0)
    return weights_of(fit).get(name, 0.0)


def _asking_for(heads: Heads) -> MatchCalibration:
    """A calibration by which a matcher gives all signals."""
    return MatchCalibration(
        slope=1.0, intercept=0.0, attributes=(), agreement={head.name: 1.0 for head in heads.heads}
    )


def _weighted(sample: Sample, category: Matrix) -> Matrix:
    """Vectors whose dot products are the index's scores, ``(n, d + m + c)``: both carry the weights' roots."""
    shares = np.sqrt(np.array(DEFAULT_FEATURE_WEIGHTS.shares, np.float32))
    parts = (sample.style, sample.color, category)
    return np.hstack([share * part for share, part in zip(shares, parts, strict=True)])


def similar_pairs(
    sample: Sample, queries: Rows, candidates: Rows, *, names: Sequence[str] | None = None, exact: bool = False
) -> Flags:
    """Whether queries ``(q,)`` agree with candidates ``(q, k)`` in judged attributes.

    An attribute that is not known of a query is not judged; a product without one agrees with nothing.

    Args:
        sample: The photos.
        queries: Rows of the sample.
        candidates: Rows of the sample.
        names: Which attributes; None for all that are judged.
        exact: By their very values, rather than colors by their family and unisex with all.
    """
    agree = np.ones(candidates.shape, np.bool_)
    for name in sample.possible if names is None else names:
        values = [_compared(name, each, exact=exact) for each in sample.possible[name]]
        for query, row in enumerate(queries.tolist()):
            if wanted := values[row]:
                anything = not exact and not FITS_ALL.isdisjoint(wanted)
                wide = wanted if exact else wanted | FITS_ALL
                agree[query] &= [
                    bool(values[at]) and (anything or not values[at].isdisjoint(wide))
                    for at in candidates[query].tolist()
                ]
    return agree


def judged_photos(sample: Sample, *, people: bool, repeated: bool) -> Flags:
    """The photos of a kind of which all is known that most photos of the kind tell, ``(n,)``."""
    judged = (sample.people == people) & ((sample.shows >= 0) == repeated)
    told = [np.array([bool(each) for each in possible]) for possible in sample.possible.values()]
    mostly = [known for known in told if 2 * (known & judged).sum() >= judged.sum()]
    return np.asarray(np.logical_and.reduce([judged, *mostly]))


def _compared(name: str, values: Sequence[str], *, exact: bool) -> frozenset[str]:
    by_family = name in COLOR_ATTRIBUTES and not exact
    return frozenset(color_family(each) if by_family else each.lower() for each in values)


def _constants(sample: Sample, queries: Rows) -> dict[str, Floats]:
    found = {
        f"sure of {name}": sample.probabilities[name][queries].max(axis=1).astype(np.float64)
        for name in list(sample.possible)[:_SURE_OF]
        if name in sample.probabilities
    }
    return found | {"resolution": sample.resolution[queries].astype(np.float64)}
