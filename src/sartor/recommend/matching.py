"""How probably a shopper calls a product similar to the query: the one number that lists are ordered by.

A match is a logistic regression of signals: closeness in style, color and category, how probably query and product
agree in each attribute, and how sure the query itself is. It is fitted on products and photos that the model was
not trained on (``training/calibration.py``), for each kind of photo, and kept in the model's card.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sartor.imaging.pixels import apart
from sartor.recommend.features import FEATURES, color_family
from sartor.recommend.weights import DEFAULT_FEATURE_WEIGHTS, SAME_COLOR, SAME_MATCH, SAME_PICTURE, SAME_STYLE
from sartor.types import QueryKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from sartor.encoders.card import AttributeHead, MatchCalibration, MatchFit, ModelCard
    from sartor.encoders.heads import Heads
    from sartor.recommend.features import FeatureWeights
    from sartor.types import Attributes, Matrix, Vector

    Codes = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

COLOR_ATTRIBUTES = frozenset({"color", "colour", "baseColour"})  # they agree by their family
NEAR = "near"  # the signal of how far closeness in style is above ``NEAR_STYLE``, from 0 to 1
NEAR_STYLE = 0.8
FITS_ALL = frozenset({"unisex"})  # values that agree with every other one of their attribute
_SURE = 0.95  # how sure a value of the catalog is
_UNKNOWN, _FITS = 0, -1  # codes of what the catalog does not say, and of values that agree with all
_SIDE_PX = 64  # photos of this side have resolution 0, of twice that 1, which is all that networks see


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Asked:
    """What a query is, as far as its matches depend on it.

    Attributes:
        kind: What it is; None if that is not known.
        probabilities: Of the classes of each attribute that the model predicts, ``(c,)`` each; what the catalog
            knows is nearly certain.
        known: Values of the catalog, if it is a product.
        resolution: Octaves of its shorter side above 64 px, from 0 to 1.
        fingerprint: Of its photo; empty without one.
    """

    kind: QueryKind | None = None
    probabilities: Mapping[str, Vector] = field(default_factory=dict)
    known: Attributes = field(default_factory=dict)
    resolution: float = 1.0
    fingerprint: bytes = b""


def resolution_of(width_px: float, height_px: float) -> float:
    """Octaves of a photo's shorter side above 64 px, from 0 to 1: from 128 px on a network sees no more."""
    side_px = max(1.0, min(width_px, height_px))
    return float(np.clip(np.log2(side_px / _SIDE_PX), 0, 1))


def with_known(heads: Heads, probabilities: Mapping[str, Matrix], rows: Sequence[Attributes]) -> dict[str, Matrix]:
    """Probabilities by attribute, ``(n, c)`` each, in which the values that a catalog knows are nearly certain."""
    return {head.name: _surer(heads, head, probabilities[head.name], rows) for head in heads.heads}


def _surer(heads: Heads, head: AttributeHead, own: Matrix, rows: Sequence[Attributes]) -> Matrix:
    columns = heads.columns[head.name]
    known = [
        (row, columns[str(value)])
        for row, each in enumerate(rows)
        if (value := each.get(head.name)) and str(value) in columns
    ]
    if known:
        own = own.copy()
        at, classes = (list(each) for each in zip(*known, strict=True))
        own[at] *= 1 - _SURE
        own[at, classes] += _SURE
    return own


def merged(parts: Sequence[tuple[Asked, float]]) -> Asked:
    """Several parts as one query, with weights: its probabilities are the means, the rest is the first part's."""
    (first, _), *others = parts
    if not others:
        return first
    total = sum(weight for _, weight in parts)
    return replace(
        first,
        probabilities={
            name: np.asarray(sum(weight / total * part.probabilities[name] for part, weight in parts), np.float32)
            for name in first.probabilities
        },
        known={},
    )


def recolored(asked: Asked, color: str, heads: Heads) -> Asked:
    """The same query in another color, by its name."""
    family, found = color_family(color), dict(asked.probabilities)
    for head in heads.heads:
        if head.name in COLOR_ATTRIBUTES and head.name in found:
            of_family = np.array([color_family(name) == family for name in head.classes], np.float32)
            found[head.name] = of_family / max(1.0, float(of_family.sum()))
    known = {name: value for name, value in asked.known.items() if name not in COLOR_ATTRIBUTES}
    return replace(asked, probabilities=found, known=known)


class Known(NamedTuple):
    """What matches depend on of ``n`` products, whatever they are asked for.

    Attributes:
        sure: Probabilities of the classes of the attributes that have to agree, ``(n, c)``, those that the catalog
            knows nearly certain.
        codes: Of their values in the catalog, ``(n, a)``: equal where values agree.
    """

    sure: Matrix
    codes: Codes


class Matcher:
    """Computes matches by the calibration of a model's card."""

    def __init__(self, calibration: MatchCalibration, heads: Heads) -> None:
        self.calibration, self.heads = calibration, heads
        fits = [fit for fit in (calibration, calibration.people) if fit is not None]
        self._agreeing = [head for head in heads.heads if any(head.name in fit.agreement for fit in fits)]
        self._toward_person = np.array(
            () if calibration.photos is None else calibration.photos.toward_person, np.float32
        )
        self._kernels = {head.name: agreement_kernel(head) for head in self._agreeing}
        ends = np.cumsum([len(head.classes) for head in self._agreeing], dtype=np.int64).tolist()
        self._spans = [slice(end - len(head.classes), end) for head, end in zip(self._agreeing, ends, strict=True)]
        self._codes: list[dict[str, int]] = [{} for _ in self._agreeing]
        self._coding = Lock()

    def asked(self, embedding: Vector, asked: Asked) -> Asked:
        """A query by photo with whose photo it is, by its embedding ``(d,)``, if the model was taught to tell."""
        photos = self.calibration.photos
        if photos is None:
            return asked
        toward = float(embedding @ self._toward_person) + photos.intercept
        kind = QueryKind.PERSONS_PHOTO if toward > 0 else QueryKind.SHOP_PHOTO
        if self.heads.familiarity(embedding[None])[0] < photos.familiar:
            kind = QueryKind.UNFAMILIAR
        return replace(asked, kind=kind)

    def signals(
        self, asked: Asked, closeness: Matrix, probabilities: Mapping[str, Matrix], rows: Sequence[Attributes]
    ) -> dict[str, Vector]:
        """What a match depends on, ``(n,)`` each: closeness by feature, and agreement by attribute.

        Args:
            asked: The query.
            closeness: In style, color and category, ``(n, 3)``.
            probabilities: Of the products' attributes, as the model predicts them, ``(n, c)`` each.
            rows: What the catalog says of them.
        """
        is_asked = any(head.name in asked.probabilities for head in self._agreeing)
        return self.signals_of(asked, closeness, self.known(probabilities, rows) if is_asked else None)

    def known(self, probabilities: Mapping[str, Matrix], rows: Sequence[Attributes]) -> Known:
        """What matches depend on of products, whatever they are asked for.

        Args:
            probabilities: Of the products' attributes, as the model predicts them, ``(n, c)`` each.
            rows: What the catalog says of them.
        """
        if not self._agreeing:
            return Known(np.empty((len(rows), 0), np.float32), np.empty((len(rows), 0), np.int64))
        sure = [_surer(self.heads, head, probabilities[head.name], rows) for head in self._agreeing]
        codes = [[self._code(number, each) for number in range(len(self._agreeing))] for each in rows]
        return Known(np.concatenate(sure, axis=1), np.array(codes, np.int64).reshape(len(rows), -1))

    def signals_of(self, asked: Asked, closeness: Matrix, known: Known | None) -> dict[str, Vector]:
        """The same as ``signals``, for products that are known already; None where no attribute is asked for."""
        found = dict(zip(FEATURES, closeness.T, strict=True))
        found[NEAR] = np.maximum(0, found["style"] - NEAR_STYLE) / (1 - NEAR_STYLE)
        if known is None:
            return found
        wanted = np.zeros((known.sure.shape[1], len(self._agreeing)), np.float32)
        for number, (head, span) in enumerate(zip(self._agreeing, self._spans, strict=True)):
            if head.name in asked.probabilities:
                wanted[span, number] = self._kernels[head.name] @ asked.probabilities[head.name]
        expected = known.sure @ wanted  # (n, a)
        own = np.array([self._code(number, asked.known) for number in range(len(self._agreeing))], np.int64)
        agree = (known.codes == own) | (known.codes == _FITS) | (own == _FITS)
        both = (known.codes != _UNKNOWN) & (own != _UNKNOWN)
        expected = np.where(both, np.where(agree, np.float32(_SURE), np.float32(1 - _SURE)), expected)
        for number, head in enumerate(self._agreeing):
            if head.name in asked.probabilities:
                found[signal_of(head.name)] = expected[:, number]
        return found

    def _code(self, number: int, attributes: Attributes) -> int:
        """The number of a product's value of an agreeing attribute; values that agree have the same one."""
        name = self._agreeing[number].name
        value = attributes.get(name)
        if not value:
            return _UNKNOWN
        text, codes = str(value), self._codes[number]
        code = codes.get(text)
        if code is None:
            compared = _compared(name, text)
            with self._coding:  # two threads must not give two values the same number
                same = codes.get(f"\0{compared}", len(codes) + 1)
                code = codes[text] = _FITS if compared in FITS_ALL else codes.setdefault(f"\0{compared}", same)
        return code

    def log_odds(
        self,
        asked: Asked,
        signals: Mapping[str, Vector],
        weights: FeatureWeights = DEFAULT_FEATURE_WEIGHTS,
    ) -> Floats:
        """Log-odds of a match, ``(n,)`` float64, for signals ``(n,)`` each.

        ``b + sum_j w_j (x_j + (g_j - 1) (x_j - m_j))``, where ``g_j`` is the share of the signal's feature among
        the weights, over its default share, and ``m_j`` the signal's mean. With the default weights it is as
        calibrated; without style and category, colors alone make the order. The fit's curve then bends the sum.
        """
        fit = self._fit_of(asked.kind)
        total = np.full(len(signals["style"]), _constant(fit, asked), np.float64)
        gains, means = _gains(weights), means_of(fit)
        for name, weight in weights_of(fit).items():
            if weight and name in signals:
                total += weight * (signals[name] + (gains[feature_of(name)] - 1) * (signals[name] - means[name]))
        return curved(total, fit.curve)

    def penalty(
        self, asked: Asked, closeness: Matrix, weights: FeatureWeights = DEFAULT_FEATURE_WEIGHTS
    ) -> Floats:
        """What a disliked product of weight 1 takes from the log-odds, ``(n,)``, by closeness ``(n, 3)`` to it.

        ``sum_f g_f w_f max(0, c_f - m_f)``: a product no closer to it than neighbors are on average loses nothing.
        """
        fit = self._fit_of(asked.kind)
        gains, means, own = _gains(weights), means_of(fit), weights_of(fit)
        above = np.maximum(0, closeness - np.array([means[name] for name in FEATURES]))
        return np.asarray(above @ np.array([gains[name] * own[name] for name in FEATURES]))

    def same(self, asked: Asked, closeness: Matrix, fingerprints: Sequence[bytes]) -> Flags:
        """Which products show the same thing as the query, ``(n,)``."""
        style, color, _ = closeness.T
        alike = (style >= SAME_STYLE) & (color >= SAME_COLOR)
        if alike.any():
            rows = np.flatnonzero(alike)
            distances = apart([asked.fingerprint] * len(rows), [fingerprints[row] for row in rows.tolist()])
            alike[rows] = distances <= SAME_PICTURE
        if self.calibration.same_style is not None and self.calibration.same_color is not None:
            alike |= (style >= self.calibration.same_style) & (color >= self.calibration.same_color)
        return np.asarray(alike)

    def _fit_of(self, kind: QueryKind | None) -> MatchFit:
        """The fit for a kind of query: people's for what is no shop's photo, if there is one."""
        people = self.calibration.people
        is_persons = kind in {QueryKind.PERSONS_PHOTO, QueryKind.UNFAMILIAR}
        return people if people is not None and is_persons else self.calibration


def matcher_of(card: ModelCard, heads: Heads) -> Matcher | None:
    """What computes a model's matches; None if its card has no calibration."""
    return None if card.calibration is None else Matcher(card.calibration, heads)


def curved(log_odds: Floats, curve: Sequence[tuple[float, float]]) -> Floats:
    """Log-odds bent by a rising line through points, which goes on with slope 1 outside of them."""
    if not curve:
        return log_odds
    x, y = np.array(curve).T
    outside = np.minimum(0, log_odds - x[0]) + np.maximum(0, log_odds - x[-1])
    return np.asarray(np.interp(log_odds, x, y) + outside)


def matches(log_odds: Floats, same: Flags) -> Floats:
    """Matches ``(n,)`` from log-odds; what shows the same thing comes first, with at least 99 %."""
    probabilities = 1 / (1 + np.exp(-log_odds))
    return np.asarray(np.where(same, SAME_MATCH + (1 - SAME_MATCH) * probabilities, SAME_MATCH * probabilities))


def signal_of(attribute: str) -> str:
    """Name of the signal that tells how much query and product agree in an attribute."""
    return f"same {attribute}"


def feature_of(signal: str) -> str:
    """The feature whose weight counts for a signal: color for those of colors, else category for agreement."""
    if signal in FEATURES:
        return signal
    if signal == NEAR:
        return "style"
    return "color" if signal.removeprefix("same ") in COLOR_ATTRIBUTES else "category"


def weights_of(fit: MatchFit) -> dict[str, float]:
    """The weights of a fit by signal."""
    closeness = {"style": fit.slope, NEAR: fit.near, "color": fit.color, "category": fit.category}
    return closeness | {signal_of(name): weight for name, weight in fit.agreement.items()}


def means_of(fit: MatchFit) -> dict[str, float]:
    """The means of a fit's signals; of one that has none, values at which the match is one half."""
    if fit.means:
        return dict.fromkeys(weights_of(fit), 0.0) | fit.means
    style = (-fit.intercept - 0.5 * (fit.color + fit.category)) / (fit.slope or 1.0)
    return dict.fromkeys(weights_of(fit), 0.5) | {"style": float(np.clip(style, 0, 1)), NEAR: 0.0}


def agreement_kernel(head: AttributeHead) -> Matrix:
    """How much two classes of an attribute agree, ``(c, c)``: colors of one family, and unisex with all."""
    is_color = head.name in COLOR_ATTRIBUTES
    names = np.array([color_family(name) if is_color else name.lower() for name in head.classes])
    fits_all = np.isin(names, list(FITS_ALL))
    return np.asarray((names[:, None] == names) | fits_all[:, None] | fits_all, np.float32)


def _compared(name: str, text: str) -> str:
    return color_family(text) if name in COLOR_ATTRIBUTES else text.lower()


def _constant(fit: MatchFit, asked: Asked) -> float:
    sure = sum(
        weight * float(asked.probabilities[name].max())
        for name, weight in fit.confidence.items()
        if name in asked.probabilities
    )
    return fit.intercept + fit.resolution * asked.resolution + sure


def _gains(weights: FeatureWeights) -> dict[str, float]:
    shares = zip(FEATURES, weights.shares, DEFAULT_FEATURE_WEIGHTS.shares, strict=True)
    return {name: share / default for name, share, default in shares}
