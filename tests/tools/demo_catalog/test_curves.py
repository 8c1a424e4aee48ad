"""Outlines."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tools.demo_catalog.curves import CENTER, closed, ellipse, mirrored, opened, rounded, symmetric, turned

COORDINATES = st.integers(0, 480).map(float)
KNOTS = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=3, max_size=9, unique=True)


@given(knots=KNOTS)
def test_a_curve_goes_through_its_knots(knots: list[tuple[float, float]]) -> None:
    for points in (closed(knots), opened(knots)):
        for knot in knots:
            assert np.abs(points - knot).sum(axis=1).min() < 1e-6


@given(knots=KNOTS)
def test_a_curve_between_corners_is_straight(knots: list[tuple[float, float]]) -> None:
    points = opened([(x, y, 1) for x, y in knots[:2]])
    start, end = np.array(knots[0]), np.array(knots[1])
    across = np.array([start[1] - end[1], end[0] - start[0]])
    assert np.abs((points - start) @ across).max() < 1e-5


@given(knots=KNOTS)
def test_a_mirrored_outline_mirrors_back(knots: list[tuple[float, float]]) -> None:
    points = closed(knots)
    np.testing.assert_allclose(mirrored(mirrored(points)), points)


def test_a_symmetric_outline_is_its_own_mirror_image() -> None:
    points = symmetric([(0, 10), (60, 20), (80, 200, 1), (0, 220)])
    one, other = (np.array(sorted(map(tuple, np.round(each, 6)))) for each in (points, mirrored(points)))
    assert np.abs(one.mean(axis=0) - other.mean(axis=0)).max() < 1.0
    assert abs(points[:, 0].mean() - CENTER) < 1.0


def test_an_ellipse_and_a_rounded_rectangle_keep_their_bounds() -> None:
    assert np.allclose(ellipse(100, 50, 20, 10).max(axis=0), (120, 60), atol=0.1)
    box = rounded(10, 20, 60, 90, radius=8)
    assert np.allclose([*box.min(axis=0), *box.max(axis=0)], [10, 20, 60, 90])


def test_a_full_turn_changes_nothing() -> None:
    points = ellipse(100, 50, 20, 10)
    np.testing.assert_allclose(turned(points, 360, around=(3, 4)), points)
