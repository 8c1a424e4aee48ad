"""Whether what a model is sure of comes true: its attributes, and its matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.metrics import calibration_error, reliability
from sartor.evaluation.relevance import labels_of
from sartor.evaluation.results import Calibration
from sartor.ingest.photos import batched
from sartor.recommend.features import color_family
from sartor.recommend.rank import Matching

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from sartor.encoders.card import MatchCalibration
    from sartor.evaluation.model_run import EvaluationMatrices
    from sartor.ingest.embed import SeenPhoto
    from sartor.recommend.features import FeatureBuilder
    from sartor.types import Attributes

    Labels = npt.NDArray[np.str_]
    Places = npt.NDArray[np.int64]

_COLORS = ("color", "colour", "baseColour")
_FEWEST = 50  # labels from which a calibration says something
_STEP = 512


def attribute_calibration(
    photos: Sequence[SeenPhoto], attributes: Sequence[Attributes], compose: FeatureBuilder
) -> tuple[Calibration, ...]:
    """Whether what a model predicts of photos is as probable as it says, attribute by attribute.

    A value that the model has no class for counts as predicted wrong.
    """
    found = []
    predicted = [
        each
        for page in batched(photos, _STEP)
        for each in compose.describe(np.stack([photo.vector for photo in page]))
    ]
    for name in compose.attributes:
        labels = labels_of(attributes, name)
        known = np.flatnonzero(labels != "")
        if len(known) < _FEWEST:
            continue
        said = np.array([predicted[place][name][1] for place in known])
        right = np.array([predicted[place][name][0] == labels[place] for place in known], np.float64)
        found.append(_calibration(name, said, right))
    return tuple(found)


def match_calibration(
    view: EvaluationMatrices,
    neighbors: Places,
    calibration: MatchCalibration,
    query_rows: Sequence[Attributes],
    gallery_rows: Sequence[Attributes],
) -> Calibration | None:
    """Whether of the hits with a match of 80 %, 80 in 100 agree with the query; None with too few labels."""
    queries, ranks = np.nonzero(neighbors >= 0)
    products = neighbors[queries, ranks]
    agree = np.ones(len(queries), np.bool_)
    known = np.ones(len(queries), np.bool_)
    for name in calibration.attributes:
        mine = _agreeing(labels_of(query_rows, name), name)[queries]
        theirs = _agreeing(labels_of(gallery_rows, name), name)[products]
        agree &= mine == theirs
        known &= (mine != "") & (theirs != "")
    if known.sum() < _FEWEST:
        return None
    matching = Matching((calibration.slope, calibration.color, calibration.category), calibration.intercept)
    closeness = view.closeness(queries[known], view.gallery.firsts[products[known]])
    return _calibration("match", matching.of(closeness).astype(np.float64), agree[known].astype(np.float64))


def _calibration(name: str, said: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> Calibration:
    bins = reliability(said, right)
    return Calibration(name=name, bins=bins, error=calibration_error(bins), accuracy=float(right.mean()))


def _agreeing(labels: Labels, name: str) -> Labels:
    """Labels as a match compares them: colors by their family."""
    if name not in _COLORS:
        return labels
    families = {label: color_family(label) if label else "" for label in np.unique(labels).tolist()}
    return np.array([families[label] for label in labels.tolist()], np.str_)
