"""What answers are worth: their order by match beside the order by score, and whether their words come true."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zlib import crc32

import numpy as np
import typer

from benchmarks.data import SHARED_DATA, Data
from benchmarks.held_out import HeldOut, held_out
from benchmarks.report import Figure, Report, Target
from sartor.encoders.card import CARD_FILE, MatchCalibration, ModelCard
from sartor.encoders.heads import Heads
from sartor.encoders.registry import DEFAULT_MODEL, DIRECTORY
from sartor.evaluation.metrics import calibration_error, reliability
from sartor.evaluation.ranking import nearest
from sartor.recommend.features import category_of
from sartor.recommend.matching import Matcher, matches, with_known
from sartor.recommend.similar import candidates_of
from sartor.recommend.weights import DEFAULT_FEATURE_WEIGHTS, likeness_of
from sartor.training.match_fit import asked_of, calibrated, judged_photos, similar_pairs
from sartor.types import Likeness

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from sartor.evaluation.metrics import ReliabilityBin
    from sartor.training.match_fit import Sample

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Rows = npt.NDArray[np.int64]

# The calibration of closeness alone that the bundled model had before, beside the order by score.
_CLOSENESS = MatchCalibration(
    slope=11.126814, color=0.376759, category=2.684401, intercept=-12.676631, attributes=("articleType", "color")
)
K = 5
PICTURES = Path(__file__).resolve().parents[1] / "docs" / "explanation"
ATTRIBUTES = ("articleType", "color", "gender")
KINDS = {"shops' photos": (False, False), "people's photos": (True, False)}
_FILES = {"shops' photos": "shops", "people's photos": "peoples"}
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


def lists_of(found: HeldOut, heads: Heads, calibration: MatchCalibration, queries: Rows) -> Lists:
    """Ask for some photos as ``similar`` does."""
    sample, fingerprints = found.sample, found.fingerprints
    matcher, old = Matcher(calibration, heads), Matcher(_CLOSENESS, heads)
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


def answers(
    *,
    data: Data = SHARED_DATA,
    model: Annotated[
        Path, typer.Option(metavar="DIR", help="What sartor train wrote; without it, the bundled model.")
    ] = DIRECTORY / DEFAULT_MODEL,
    work: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keeps the split's photos for next time.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Ask about fewer products.")] = None,
) -> Report:
    """Five hits by match and by score, for photos of shops and people; each half by the fit of the other half."""
    card = ModelCard.read(model / CARD_FILE)
    found = held_out(model, card, data=data, work=work, limit=limit)
    return report_of(found, Heads.read(model, card), limit=limit, pictures=None if limit else PICTURES)


def report_of(found: HeldOut, heads: Heads, *, limit: int | None = None, pictures: Path | None = None) -> Report:
    """The figures of held-out photos; ``pictures`` is a folder for diagrams."""
    sample = found.sample
    half = np.array([crc32(group.encode()) % 2 for group in sample.groups])
    fits = [
        calibrated(sample, heads, tuple(sample.possible), more=found.training, only=half != one) for one in (0, 1)
    ]
    figures: dict[str, Figure] = {}
    targets: list[Target] = []
    for kind, (people, repeated) in {**KINDS, **AGAIN}.items():
        judged = judged_photos(sample, people=people, repeated=repeated)
        parts = [
            lists_of(found, heads, fit[0], np.flatnonzero(judged & (half == one)))
            for one, fit in enumerate(fits)
            if fit is not None
        ]
        lists = Lists(**{
            each.name: np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Lists)
        })  # fmt: skip
        by_order = figures_of(sample, lists, again=repeated)
        for order, values in by_order.items():
            figures |= {f"{kind}: {order}: {name}": Figure.of([value], "share") for name, value in values.items()}
        if not repeated:
            targets += _targets(kind, by_order)
            figures |= _diagram(kind, sample, lists, pictures)
    return Report(
        name="answers",
        options={"photos": int((sample.shows < 0).sum())} | ({"limit": limit} if limit else {}),
        warm_up="none, nothing is timed",
        figures=figures,
        targets=targets,
        notes=("Each half of the photos is judged by what was fitted on the other half",),
    )


def _targets(kind: str, by_order: Mapping[str, Mapping[str, float]]) -> list[Target]:
    new, old = by_order["by match"], by_order["by score"]
    return [
        Target(what=f"{kind}: calibration error of five", value=new["calibration error of five"], at_most=0.04),
        Target(
            what=f"{kind}: a little over a right first", value=new["a little over a right first"], at_most=0.03
        ),
        Target(
            what=f"{kind}: a little over a wrong first", value=new["a little over a wrong first"], at_least=0.6
        ),
        Target(what=f"{kind}: similar", value=new["similar"], at_least=old["similar"]),
    ]


def _diagram(kind: str, sample: Sample, lists: Lists, pictures: Path | None) -> dict[str, Figure]:
    """The reliability of the five hits' matches, by tenths, and a picture of it."""
    first = lists.first(by_match=True)
    similar = similar_pairs(sample, lists.queries, lists.candidates)
    said, right = (np.take_along_axis(each, first, axis=1).ravel() for each in (lists.said, similar))
    figures = {}
    bins = reliability(said, right.astype(np.float64))
    if pictures is not None:
        name = f"match-of-{_FILES[kind]}-photos.svg"
        (pictures / name).write_text(diagram(bins, title=f"Five hits of {kind}"), encoding="utf-8")
    for each in bins:
        low = 10 * min(9, int(10 * each.said))
        start = f"match of {kind}, {low} to {low + 10} %"
        figures |= {
            f"{start}: hits": Figure.of([each.count], "hits"),
            f"{start}: said": Figure.of([each.said], "share"),
            f"{start}: agree": Figure.of([each.right], "share"),
        }
    return figures


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
            "a little over a right first": _share(weak[right]),
            "a little over a wrong first": _share(weak[~right]),
            "calibration error of five": _error(of["said"], of["similar"]),
            "calibration error of candidates": _error(said, similar),
        }
    return found


def diagram(bins: Sequence[ReliabilityBin], *, title: str) -> str:
    """A reliability diagram as SVG: what was said across, what came true up; the larger a dot, the more hits."""
    most = max(each.count for each in bins)
    side, margin = 260, 36
    dots = "".join(
        f'<circle cx="{margin + side * each.said:.1f}" cy="{margin + side * (1 - each.right):.1f}" '
        f'r="{2 + 9 * (each.count / most) ** 0.5:.1f}" fill="#2f6f9f" fill-opacity="0.75"/>'
        for each in bins
    )
    low, left = margin + side, margin - 6
    ticks = "".join(
        f'<text x="{margin + side * share:.0f}" y="{low + 14}" text-anchor="middle">{100 * share:.0f}</text>'
        f'<text x="{left}" y="{low - side * share + 4:.0f}" text-anchor="end">{100 * share:.0f}</text>'
        for share in (0, 0.2, 0.4, 0.6, 0.8, 1)
    )
    whole = side + 2 * margin
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {whole + 8}" width="{whole}" role="img" '
        f'aria-label="{title}" font-family="sans-serif" font-size="11">'
        f'<rect width="{whole}" height="{whole + 8}" fill="#ffffff"/>'
        f'<text x="{margin}" y="20" font-size="13">{title}</text>'
        f'<rect x="{margin}" y="{margin}" width="{side}" height="{side}" fill="none" stroke="#888888"/>'
        f'<path d="M{margin} {margin + side}L{margin + side} {margin}" stroke="#aaaaaa" stroke-dasharray="4 4"/>'
        f"{dots}{ticks}"
        f'<text x="{margin + side / 2:.0f}" y="{margin + side + 30}" text-anchor="middle">match, %</text>'
        f'<text x="12" y="{margin + side / 2:.0f}" text-anchor="middle" '
        f'transform="rotate(-90 12 {margin + side / 2:.0f})">similar, %</text></svg>\n'
    )


def _share(flags: Flags) -> float:
    return float(flags.mean()) if len(flags) else float("nan")


def _error(said: Floats, right: Flags) -> float:
    return calibration_error(reliability(said.ravel().astype(np.float64), right.ravel().astype(np.float64)))
