"""Outlines: smooth Bezier curves through a few knots, written by hand in the canvas's units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Points = npt.NDArray[np.float64]  # (n, 2): x to the right, y down
    Knot = tuple[float, ...]  # x and y; a third, 1, makes it a corner
    Knots = Sequence[Knot]

CENTER = 240.0  # where the canvas has its middle
_STEPS = 12  # points of a curve between two knots


def closed(knots: Knots) -> Points:
    """The outline through knots, ``(n, 2)``, back to the first one."""
    return _through(knots, is_closed=True)


def opened(knots: Knots) -> Points:
    """The line through knots, ``(n, 2)``, from the first to the last one."""
    return _through(knots, is_closed=False)


def symmetric(half: Knots, *, center: float = CENTER) -> Points:
    """The outline whose right half is given, from the top to the bottom; x counts from the center.

    A knot with x = 0 stands on the center itself and is taken once.
    """
    right: list[Knot] = [(center + knot[0], *knot[1:]) for knot in half]
    left: list[Knot] = [(center - knot[0], *knot[1:]) for knot in reversed(half) if knot[0] != 0]
    return closed(right + left)


def mirrored(points: Points, *, center: float = CENTER) -> Points:
    """The same on the other side of the center."""
    return np.stack([2 * center - points[:, 0], points[:, 1]], axis=1)


def sided(points: Points, side: int) -> Points:
    """What was drawn for the right side, on the right (1) or on the left (-1)."""
    return points if side > 0 else mirrored(points)


def ellipse(x: float, y: float, rx: float, ry: float, *, tilt: float = 0.0) -> Points:
    """An ellipse around a point; the tilt is in degrees, clockwise."""
    turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    points = np.stack([rx * np.cos(turn), ry * np.sin(turn)], axis=1)
    return moved(turned(points, tilt), x, y)


def rounded(left: float, top: float, right: float, bottom: float, *, radius: float) -> Points:
    """A rectangle with round corners."""
    radius = min(radius, (right - left) / 2, (bottom - top) / 2)
    quarter = np.linspace(0, np.pi / 2, 9)
    corners = (
        (right - radius, bottom - radius, 0.0),
        (left + radius, bottom - radius, np.pi / 2),
        (left + radius, top + radius, np.pi),
        (right - radius, top + radius, 3 * np.pi / 2),
    )
    arcs = [
        np.stack([x + radius * np.cos(quarter + start), y + radius * np.sin(quarter + start)], axis=1)
        for x, y, start in corners
    ]
    return np.concatenate(arcs)


def moved(points: Points, dx: float, dy: float) -> Points:
    """Points elsewhere."""
    return np.asarray(points + np.array([dx, dy]))


def turned(points: Points, degrees: float, *, around: tuple[float, float] = (0.0, 0.0)) -> Points:
    """Points turned clockwise around one."""
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.asarray((points - np.array(around)) @ np.array([[cos, sin], [-sin, cos]]) + np.array(around))


def ribbon(points: Points, width: float, *, end: float | None = None) -> Points:
    """The outline of a band along a line, as wide as given at its start and at its end."""
    widths = np.linspace(width, width if end is None else end, len(points))[:, None] / 2
    across = normals(points) * widths
    return np.concatenate([points + across, (points - across)[::-1]])


def lens(points: Points, width: float) -> Points:
    """The outline of a band along a line that narrows to nothing at both ends."""
    share = np.linspace(0, 1, len(points))[:, None]
    across = normals(points) * (np.sin(np.pi * share) ** 0.7 * width / 2)
    return np.concatenate([points + across, (points - across)[::-1]])


def beside(points: Points, distance: float) -> Points:
    """The line at a distance to the right of a line, seen in its direction (y is down)."""
    return points + normals(points) * distance


def normals(points: Points) -> Points:
    """Unit vectors across a line, ``(n, 2)``, to its right."""
    along = np.gradient(points, axis=0)
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)
    return np.stack([-along[:, 1] / length, along[:, 0] / length], axis=1)


def _through(knots: Knots, *, is_closed: bool) -> Points:
    """Cubic Bezier curves from knot to knot, their directions alike but at corners (a Catmull-Rom spline)."""
    points = np.array([knot[:2] for knot in knots], np.float64)
    sharp = np.array([bool(knot[2:]) for knot in knots])
    if not is_closed:
        sharp[[0, -1]] = True
    ahead = np.roll(points, -1, axis=0) - points  # (n, 2), from each knot to the next
    length = np.hypot(ahead[:, 0], ahead[:, 1])
    around = ahead + np.roll(ahead, 1, axis=0)
    reach = np.maximum(length + np.roll(length, 1), 1e-9)
    direction = around / reach[:, None]
    leave = np.where(sharp[:, None], ahead, direction * length[:, None]) / 3
    arrive = np.where(np.roll(sharp, -1)[:, None], ahead, np.roll(direction, -1, axis=0) * length[:, None]) / 3
    ends = np.roll(points, -1, axis=0)
    controls = np.stack([points, points + leave, ends - arrive, ends])  # (4, n, 2)
    curves = np.einsum("sc,cnd->nsd", _BERNSTEIN, controls)
    if is_closed:
        return np.asarray(curves.reshape(-1, 2))
    return np.concatenate([curves[:-1].reshape(-1, 2), points[-1:]])


def _bernstein() -> Points:
    share = np.linspace(0, 1, _STEPS, endpoint=False)
    rest = 1 - share
    return np.stack([rest**3, 3 * rest**2 * share, 3 * rest * share**2, share**3], axis=1)


_BERNSTEIN = _bernstein()  # (steps, 4): how much each control point counts along a curve
