from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sartor.encoders.card import AttributeHead, MatchCalibration
from sartor.encoders.heads import Heads
from sartor.evaluation.metrics import calibration_error
from sartor.recommend.matching import Matcher, weights_of
from sartor.training.match_fit import (
    Sample,
    asked_of,
    calibrated,
    pairs_of,
    same_thing,
    similar_pairs,
)
from sartor.types import QueryKind

KINDS, COLORS = ("Shirt", "Skirt", "Shoe"), ("Red", "Blue")
HEADS = Heads(
    (
        AttributeHead(name="kind", output="a", classes=KINDS),
        AttributeHead(name="color", output="b", classes=COLORS),
    ),
    {"kind": np.eye(8, 3, dtype=np.float32), "color": np.eye(8, 2, k=-3, dtype=np.float32)},
    scale=6.0,
)
NAMES = ("kind", "color")


def sample(*, products: int = 240, people: int = 80, seed: int = 3) -> Sample:
    """Products of three kinds and two colors, people's photos that are noisier, and products shown once more."""
    rng = np.random.default_rng(seed)
    again = products // 2
    kind, color = rng.integers(0, 3, products + people), rng.integers(0, 2, products + people)
    clean = np.zeros((products + people, 8))
    clean[np.arange(len(kind)), kind] = 1
    clean[np.arange(len(kind)), 3 + color] = 0.7
    clean[:, 5:] = rng.normal(0, 0.4, (len(kind), 3))
    shows = np.concatenate([np.full(len(kind), -1), np.arange(again)])
    is_person = np.concatenate([np.arange(len(kind)) >= products, np.arange(again) % 2 == 0])
    style = (
        np.concatenate([clean, clean[:again]])
        + rng.normal(0, 1, (len(shows), 8)) * np.where(is_person, 0.35, 0.15)[:, None]
    )
    style[:, 7] += 0.8 * is_person  # the room
    style = (style / np.linalg.norm(style, axis=1, keepdims=True)).astype(np.float32)
    kinds, colors = (np.concatenate([each, each[:again]]) for each in (kind, color))
    shades = np.eye(2)[colors] + rng.normal(0, 0.2, (len(colors), 2))
    known = [
        {} if person else {"kind": KINDS[one], "color": COLORS[other]}
        for one, other, person in zip(kinds, colors, is_person, strict=True)
    ]
    return Sample(
        style=style,
        color=(shades / np.linalg.norm(shades, axis=1, keepdims=True)).astype(np.float32),
        probabilities=HEADS.probabilities(style),
        rows=known,
        possible={"kind": [(KINDS[each],) for each in kinds], "color": [(COLORS[each],) for each in colors]},
        people=is_person,
        shows=shows,
        resolution=np.ones(len(shows), np.float32),
        familiarity=HEADS.familiarity(style),
        groups=[str(row) for row in range(len(shows))],
    )


@pytest.fixture(scope="module")
def photos() -> Sample:
    return sample()


@pytest.fixture(scope="module")
def fitted(photos: Sample) -> MatchCalibration:
    found = calibrated(photos, HEADS, NAMES)
    assert found is not None
    return found[0]


def test_matches_come_true_on_photos_that_they_were_not_fitted_on(photos: Sample) -> None:
    found = calibrated(photos, HEADS, NAMES)
    assert found is not None
    judged = found[1]

    assert set(judged) == {QueryKind.SHOP_PHOTO, QueryKind.PERSONS_PHOTO}
    assert calibration_error(judged[QueryKind.SHOP_PHOTO].bins) < 0.08
    assert calibration_error(judged[QueryKind.PERSONS_PHOTO].bins) < 0.12


def test_what_is_closer_or_agrees_more_is_never_less_of_a_match(fitted: MatchCalibration) -> None:
    assert fitted.people is not None
    for fit in (fitted, fitted.people):
        assert min(weights_of(fit).values()) >= 0
        assert fit.slope > 0
        assert (np.diff(np.array(fit.curve), axis=0) > 0).all()
    assert fitted.agreement["color"] > 0


def test_peoples_photos_are_told_from_shops(photos: Sample, fitted: MatchCalibration) -> None:
    matcher = Matcher(fitted, HEADS)
    kinds = [matcher.asked(style, asked_of(photos, row)).kind for row, style in enumerate(photos.style)]
    right = [
        (kind is QueryKind.PERSONS_PHOTO) == person
        for kind, person in zip(kinds, photos.people, strict=True)
        if kind is not QueryKind.UNFAMILIAR
    ]

    assert np.mean(right) > 0.8
    assert np.mean([kind is QueryKind.UNFAMILIAR for kind in kinds]) < 0.06


def test_without_peoples_photos_there_is_one_fit(photos: Sample) -> None:
    shop = replace(photos, people=np.zeros(len(photos.rows), np.bool_))
    found = calibrated(shop, HEADS, NAMES)

    assert found is not None
    assert found[0].people is None
    assert found[0].photos is None
    assert set(found[1]) == {QueryKind.SHOP_PHOTO}


def test_where_all_agree_nothing_can_be_learned(photos: Sample) -> None:
    same = replace(photos, possible={"kind": [("Shirt",)] * len(photos.rows)})

    assert calibrated(same, HEADS, ("kind",)) is None


def test_only_some_photos_may_be_queries(photos: Sample) -> None:
    pairs = pairs_of(photos, HEADS, people=False, repeated=False)
    some = pairs.of(pairs.queries < 10)

    assert set(some.queries.tolist()) == set(range(10))
    assert some.similar.shape == (20, pairs.similar.shape[1])
    assert not some.own.any()
    again = pairs_of(photos, HEADS, people=True, repeated=True)
    assert again.own.any(axis=1).mean() > 0.8
    assert again.similar[again.own].all()


def test_pairs_agree_by_family_and_unisex_with_everybody(photos: Sample) -> None:
    told = replace(
        photos,
        possible={
            "gender": [("Men",), ("Women",), ("Unisex",), (), ("Men",)],
            "color": [("Navy Blue",), ("Blue",), ("Blue",), ("Blue",), ("Red", "Blue")],
        },
    )
    queries, others = np.array([0, 3]), np.array([[1, 2, 3, 4], [0, 1, 2, 4]])

    assert similar_pairs(told, queries, others).tolist() == [[False, True, False, True], [True, True, True, True]]
    exact = similar_pairs(told, queries, others, names=("color",), exact=True)
    assert exact.tolist() == [[False, False, False, False], [False, True, True, True]]


def test_the_same_thing_is_where_nearly_all_pairs_are() -> None:
    style = np.array([0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.99])
    color = np.array([1.0, 1.0, 0.96, 0.99, 0.97, 0.97, 0.5])
    same = np.array([True, True, True, True, False, True, False])

    assert same_thing(style, color, same) == pytest.approx((0.96, 0.95))
    assert same_thing(style, color, np.zeros(7, np.bool_)) is None
