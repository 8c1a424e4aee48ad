"""Whether the probabilities of a model come true: of its attributes, and of its matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.metrics import calibration_error, reliability
from sartor.evaluation.relevance import labels_of
from sartor.evaluation.results import Calibration
from sartor.ingest.photos import batched
from sartor.recommend.features import color_family
from sartor.recommend.matching import COLOR_ATTRIBUTES, FITS_ALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.evaluation.intervals import Values
    from sartor.evaluation.ranking import Indices
    from sartor.evaluation.relevance import Labels
    from sartor.evaluation.reranking import Reranking
    from sartor.ingest.embed import PhotoEmbedding
    from sartor.recommend.features import FeatureBuilder
    from sartor.types import Attributes

_MIN_LABELS = 50  # fewer say nothing about a calibration
_STEP = 512


def attribute_calibration(
    photos: Sequence[PhotoEmbedding], attributes: Sequence[Attributes], features: FeatureBuilder
) -> tuple[Calibration, ...]:
    """Whether a model's predictions for photos are as probable as it says, attribute by attribute.

    A value that is not a class of the model counts as a wrong prediction.
    """
    predicted = [
        prediction
        for page in batched(photos, _STEP)
        for prediction in features.describe(np.stack([photo.vector for photo in page]))
    ]
    calibrations = []
    for name in features.attributes:
        labels = labels_of(attributes, name)
        known = np.flatnonzero(labels != "")
        if len(known) < _MIN_LABELS:
            continue
        said = np.array([predicted[row][name][1] for row in known])
        right = np.array([predicted[row][name][0] == labels[row] for row in known], np.float64)
        calibrations.append(_calibration(name, said, right))
    return tuple(calibrations)


def match_calibration(
    reranking: Reranking, neighbors: Indices, query_rows: Sequence[Attributes], gallery_rows: Sequence[Attributes]
) -> Calibration | None:
    """Whether 80 in 100 hits with a match of 80 % agree with the query; None if there are too few labels.

    Attributes agree as the calibration says: colors by their family, and a unisex product with everybody.
    """
    queries, ranks = np.nonzero(neighbors >= 0)
    products = neighbors[queries, ranks]
    agree = np.ones(len(queries), np.bool_)
    known = np.ones(len(queries), np.bool_)
    for name in reranking.matcher.calibration.attributes:
        of_query, of_hit = (labels_of(rows, name) for rows in (query_rows, gallery_rows))
        if name in COLOR_ATTRIBUTES:
            of_query, of_hit = color_families(of_query), color_families(of_hit)
        of_query, of_hit = of_query[queries], of_hit[products]
        fits_all = [np.isin(np.char.lower(labels), list(FITS_ALL)) for labels in (of_query, of_hit)]
        agree &= (of_query == of_hit) | np.logical_or(*fits_all)
        known &= (of_query != "") & (of_hit != "")
    if known.sum() < _MIN_LABELS:
        return None
    found = [reranking.matches(row, own[own >= 0]) for row, own in enumerate(neighbors)]
    return _calibration("match", np.concatenate(found)[known].astype(np.float64), agree[known].astype(np.float64))


def color_families(labels: Labels) -> Labels:
    """The family of each color, by which colors match; an empty label stays empty."""
    families = {label: color_family(label) if label else "" for label in np.unique(labels).tolist()}
    return np.array([families[label] for label in labels.tolist()], np.str_)


def _calibration(name: str, said: Values, right: Values) -> Calibration:
    bins = reliability(said, right)
    return Calibration(name=name, bins=bins, error=calibration_error(bins), accuracy=float(right.mean()))
