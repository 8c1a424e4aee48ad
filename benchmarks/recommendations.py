"""What dials and diversity do, on products that sartor-v1 has not learned from; whether a match keeps its word."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

import sartor
from benchmarks.data import MOBILENET_V2_FILE, PHOTOS_224, SHARED_DATA, Data, data_file
from benchmarks.encoder_quality import ATTRIBUTES, mobilenet_v2, read, see, split_of
from benchmarks.report import Figure, Report, Target
from sartor.evaluation.intervals import bootstrap_interval
from sartor.evaluation.metrics import calibration_error, reliability
from sartor.recommend.features import FeatureWeights, color_family
from sartor.recommend.weights import DEFAULT_FEATURE_WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from sartor.recommend.similar import Recommendation
    from sartor.shop import Shop
    from sartor.types import Attributes, Matrix

    Values = npt.NDArray[np.float64]

K = 5
_OTHERS = ("color family", "closeness of colors", "diversity")
_SETTINGS: dict[str, tuple[FeatureWeights, float]] = {
    "encoder only": (FeatureWeights(style=1), 0.0),
    "color 0.2": (FeatureWeights(style=1, color=0.2), 0.0),
    "color 0.4": (FeatureWeights(style=1, color=0.4), 0.0),
    "color 1": (FeatureWeights(style=1, color=1), 0.0),
    "color only": (FeatureWeights(style=0, color=1), 0.0),
    "category 0.2": (FeatureWeights(style=1, category=0.2), 0.0),
    "category only": (FeatureWeights(style=0, category=1), 0.0),
    "color 0.4, category 0.2": (FeatureWeights(style=1, color=0.4, category=0.2), 0.0),
    "color 1, category 0.4": (FeatureWeights(style=1, color=1, category=0.4), 0.0),
    "default": (DEFAULT_FEATURE_WEIGHTS, 0.0),
    "default, diversity 0.2": (DEFAULT_FEATURE_WEIGHTS, 0.2),
    "default, diversity 0.4": (DEFAULT_FEATURE_WEIGHTS, 0.4),
    "default, diversity 0.6": (DEFAULT_FEATURE_WEIGHTS, 0.6),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was found for a held-out product's photo."""

    asked: Attributes
    found: Recommendation


def recommendations(
    *,
    data: Data = SHARED_DATA,
    home: Annotated[Path | None, typer.Option(metavar="DIR", help="Keeps the catalog for next time.")] = None,
    work: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keeps the split's photos for next time.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Ask about fewer products.")] = None,
) -> Report:
    """Agreement at 5 and diversity for each setting of the dials, by the bundled model on the 224 set."""
    archive = data_file(data, PHOTOS_224)
    items = split_of(data, work)
    photos = read(archive)
    asked = {
        product_id: photo
        for product_id, photo in zip(photos.ids, photos.data, strict=True)
        if items[product_id].held_out
    }
    asked = dict(list(asked.items())[:limit])
    with TemporaryDirectory() as temporary, sartor.open(home or Path(temporary)) as shop:
        shop.index(archive)
        answers = {
            name: ask(shop, asked, dials=dials, diversity=diversity)
            for name, (dials, diversity) in _SETTINGS.items()
        }
    rng = np.random.default_rng(0)
    figures = {}
    notes = []
    judge = see(mobilenet_v2(data_file(data, MOBILENET_V2_FILE)), photos.data).embeddings
    vectors = dict(zip(photos.ids, judge, strict=True))
    for name, found in answers.items():
        scores = scores_of(found, vectors)
        figures |= {
            f"{name}: {what}": Figure.of([float(np.nanmean(values))], "share") for what, values in scores.items()
        }
        interval = bootstrap_interval(scores["all three"], rng=rng)
        notes.append(f"{name}: all three {interval.mean:.3f} ({interval.low:.3f} to {interval.high:.3f})")
    bins = reliability(*matched(answers["default"]))
    for each in bins:
        low = 10 * min(9, int(10 * each.said))
        start = f"match {low} to {low + 10} %"
        figures |= {
            f"{start}: hits": Figure.of([each.count], "hits"),
            f"{start}: said": Figure.of([each.said], "share"),
            f"{start}: agree": Figure.of([each.right], "share"),
        }
    return Report(
        name="recommendations",
        options={"queries": len(asked)},
        warm_up="none, nothing is timed",
        figures=figures,
        targets=[Target(what="mean difference of match and truth", value=calibration_error(bins), at_most=0.1)],
        notes=(
            "Diversity is the mean cosine distance of the hits to each other, by the ImageNet MobileNetV2",
            *notes,
        ),
    )


def ask(shop: Shop, photos: Mapping[str, bytes], *, dials: FeatureWeights, diversity: float) -> list[Answer]:
    """The answer for each photo, the product itself left out, since the catalog has the same photo."""
    return [
        Answer(
            asked=shop.product(product_id).product.attributes,
            found=shop.similar(photo, k=K, weights=dials, diversity=diversity),
        )
        for product_id, photo in photos.items()
    ]


def scores_of(answers: Sequence[Answer], vectors: Mapping[str, Matrix]) -> dict[str, Values]:
    """Agreement of the hits with the query, and how unlike each other they are, ``(n,)`` each."""
    scores: dict[str, list[float]] = {name: [] for name in (*ATTRIBUTES, "all three", *_OTHERS)}
    for answer in answers:
        hits = [hit.attributes for hit in answer.found]
        agree = {name: [hit.get(name) == answer.asked.get(name) for hit in hits] for name in ATTRIBUTES}
        for name, each in agree.items():
            scores[name].append(float(np.mean(each)) if answer.asked.get(name) else np.nan)
        told = all(answer.asked.get(name) for name in ATTRIBUTES)
        scores["all three"].append(float(np.mean(np.all(list(agree.values()), axis=0))) if told else np.nan)
        families = [color_family(str(each.get("color", ""))) for each in (answer.asked, *hits)]
        scores["color family"].append(float(np.mean([each == families[0] for each in families[1:]])))
        scores["closeness of colors"].append(float(np.mean([hit.color for hit in answer.found])))
        shown = np.stack([vectors[hit.product_id] for hit in answer.found])
        scores["diversity"].append(float(1 - (shown @ shown.T)[np.triu_indices(len(shown), 1)].mean()))
    return {name: np.array(values) for name, values in scores.items()}


def matched(answers: Sequence[Answer]) -> tuple[Values, Values]:
    """The match of each hit, and whether it is of the query's type and family of color."""
    pairs = [
        (hit.match, _kind(hit.attributes) == _kind(answer.asked))
        for answer in answers
        for hit in answer.found
        if hit.match is not None
    ]
    matches, right = zip(*pairs, strict=True)
    return np.array(matches), np.array(right, np.float64)


def _kind(attributes: Attributes) -> tuple[str, str]:
    return str(attributes.get("articleType")), color_family(str(attributes.get("color", "")))
