"""Line charts as inline SVG: apart from the report, since a chart needs no page around it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WIDTH, _PLOT_HEIGHT = (
    400,
    200,
)  # viewBox units: about as wide as a phone, so that a 12 unit text stays readable there
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 22, 34, 46
_PLOT_WIDTH = _WIDTH - _LEFT - _RIGHT
_TEXT, _LETTER = 12, 6.4  # a letter's mean width at that size in common sans-serif fonts, rounded up
_Y_LETTERS, _X_LETTERS = 6, 8  # of a tick, in the left margin and between two ticks
_LEGEND_LINE, _LEGEND_KEY, _LEGEND_GAP = 19, 28, 16
_MARKED = 40  # a series with more points than this has no dots, they would hide the line

# Each color has a contrast above 3 on white and on the report's dark ground; dashes serve who sees no color.
_COLORS = ("#2f80c8", "#d0592b", "#24936a", "#a565b3", "#a0771c", "#7a828c")
_DASHES = ("", "7 4", "2 3", "9 3 2 3", "12 4", "4 2 1 2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A named line through (x, y) points, in the order in which they are joined."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where a value lies: `ticks` rise, the first and the last one are the ends of the axis."""

    ticks: tuple[float, ...]
    start: float
    end: float

    def __call__(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return self.start + (value - low) / (high - low) * (self.end - self.start)


def svg_curve(series: Sequence[Series], *, title: str, x_label: str, y_label: str) -> str:
    """A chart that takes its text color from the page and as much width as it is given.

    A point with a number that is not finite is left out, and its neighbors are joined. Where no point is left the
    chart says "no data". A constant line lies in the middle.
    """
    drawn = [(one.name, [point for point in one.points if all(map(math.isfinite, point))]) for one in series]
    legend, height = _legend([name for name, _ in drawn])
    points = [point for _, kept in drawn for point in kept]
    if points:
        x_axis = _Axis(nice_ticks(x for x, _ in points), _LEFT, _WIDTH - _RIGHT)
        y_axis = _Axis(nice_ticks(y for _, y in points), _TOP + _PLOT_HEIGHT, _TOP)
        lines = "".join(_line(kept, number, x_axis, y_axis) for number, (_, kept) in enumerate(drawn) if kept)
        plot = _grid(x_axis, y_axis) + lines
    else:
        plot = _text("no data", _LEFT + _PLOT_WIDTH / 2, _TOP + _PLOT_HEIGHT / 2)
    return (
        f'<svg role="img" viewBox="0 0 {_WIDTH} {height:g}" width="100%" fill="currentColor" '
        f'font-family="system-ui, sans-serif" font-size="{_TEXT}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title>"
        f"{_frame(title=title, x_label=x_label, y_label=y_label)}{plot}{legend}</svg>"
    )


def nice_ticks(values: Iterable[float], *, count: int = 5) -> tuple[float, ...]:
    """Rising multiples of 1, 2 or 5 times a power of ten that enclose all values: at least two, about `count`.

    Whole numbers have whole ticks.

    Args:
        values: Finite, at least one.
        count: How many steps the axis is cut into at most, before its ends are rounded outwards.
    """
    known = sorted(values)
    low, high = known[0], known[-1]
    if high - low <= 1e-6 * max(abs(low), abs(high)):  # too near for distinct ticks, or the same
        margin = abs(low) / 10 or 1.0
        low, high = low - margin, high + margin
    least = (high - low) / count
    power = 10.0 ** math.floor(math.log10(least))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
    if all(value == int(value) for value in known):
        step = max(step, 1.0)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(number * step for number in range(first, max(last, first + 1) + 1))


def _frame(*, title: str, x_label: str, y_label: str) -> str:
    middle = _TOP + _PLOT_HEIGHT / 2
    bottom = _TOP + _PLOT_HEIGHT
    axes = f"M{_LEFT} {_TOP}V{bottom}H{_WIDTH - _RIGHT}"
    return (
        f'<path d="{axes}" fill="none" stroke="currentColor"/>'
        + _text(_shortened(title, _WIDTH - 16), _WIDTH / 2, 18, extra=' font-weight="600"')
        + _text(_shortened(x_label, _PLOT_WIDTH), _LEFT + _PLOT_WIDTH / 2, bottom + 36)
        + _text(_shortened(y_label, _PLOT_HEIGHT), 13, middle, extra=f' transform="rotate(-90 13 {middle:g})"')
    )


def _grid(x_axis: _Axis, y_axis: _Axis) -> str:
    bottom, right = _TOP + _PLOT_HEIGHT, _WIDTH - _RIGHT
    rules = "".join(f"M{_LEFT} {y_axis(tick):.1f}H{right}" for tick in y_axis.ticks[1:])
    notches = "".join(f"M{x_axis(tick):.1f} {bottom}v4" for tick in x_axis.ticks)
    x_texts = (
        _text(label, x_axis(tick), bottom + 18)
        for tick, label in zip(x_axis.ticks, _tick_labels(x_axis.ticks, letters=_X_LETTERS), strict=True)
    )
    y_texts = (
        _text(label, _LEFT - 6, y_axis(tick) + 4, anchor="end")
        for tick, label in zip(y_axis.ticks, _tick_labels(y_axis.ticks, letters=_Y_LETTERS), strict=True)
    )
    return (
        f'<path d="{rules}" fill="none" stroke="currentColor" stroke-opacity=".18"/>'
        f'<path d="{notches}" fill="none" stroke="currentColor"/>' + "".join(x_texts) + "".join(y_texts)
    )


def _line(points: Sequence[tuple[float, float]], number: int, x_axis: _Axis, y_axis: _Axis) -> str:
    places = [f"{x_axis(x):.1f},{y_axis(y):.1f}" for x, y in points]
    line = f'<polyline points="{" ".join(places)}" {_stroke(number)}/>'
    if len(points) > _MARKED:
        return line
    dots = "".join('<circle cx="{}" cy="{}" r="2.5"/>'.format(*place.split(",")) for place in places)
    return f'{line}<g fill="{_COLORS[number % len(_COLORS)]}">{dots}</g>'


def _stroke(number: int) -> str:
    # A seventh line has the first one's color and the second one's dashes, so that 36 lines differ.
    dashes = _DASHES[(number + number // len(_COLORS)) % len(_DASHES)]
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    color = _COLORS[number % len(_COLORS)]
    return f'fill="none" stroke="{color}" stroke-width="2" stroke-linejoin="round"{dashed}'


def _legend(names: Sequence[str]) -> tuple[str, float]:
    """The legend below the plot and the height of the whole chart."""
    top = _TOP + _PLOT_HEIGHT + _BOTTOM + 8
    items: list[str] = []
    x, y = 12.0, float(top)
    for number, name in enumerate(names):
        shown = _shortened(name, _WIDTH - 24 - _LEGEND_KEY)
        width = _LEGEND_KEY + len(shown) * _LETTER
        if items and x + width > _WIDTH - 12:
            x, y = 12.0, y + _LEGEND_LINE
        key = f'<path d="M{x:.1f} {y - 4:g}h22" {_stroke(number)}/>'
        items.append(key + _text(shown, x + _LEGEND_KEY, y, anchor="start"))
        x += width + _LEGEND_GAP
    return "".join(items), y + 8 if items else top - 8


def _shortened(text: str, width: float) -> str:
    letters = int(width / _LETTER)
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def _tick_labels(ticks: Sequence[float], *, letters: int) -> list[str]:
    order = math.floor(math.log10((ticks[1] - ticks[0]) * 1.001))  # of the step; 0.1 may come as 0.0999…
    decimals = max(0, -order)
    labels = [f"{round(tick, decimals) + 0.0:,.{decimals}f}" for tick in ticks]  # + 0.0: no "-0"
    if max(map(len, labels)) > letters:
        labels = [_scientific(tick, order) for tick in ticks]
    return [label.replace("-", "\N{MINUS SIGN}") for label in labels]


def _scientific(value: float, order: int) -> str:
    """The value with the digits that a step of 10 ** order needs: 2.5e-5."""
    if value == 0:
        return "0"
    digits = max(0, math.floor(math.log10(abs(value)) + 1e-9) - order)
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _text(text: str, x: float, y: float, *, anchor: str = "middle", extra: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(text)}</text>'
