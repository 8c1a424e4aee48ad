"""Plots of an evaluation or a training, each as SVG for an HTML page.

They are drawn in ``Figure`` objects of their own: pyplot would keep them in a list that all threads share.
"""

from __future__ import annotations

import math
import re
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np
from defusedxml.ElementTree import fromstring
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

from sartor.evaluation.metrics import BINS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes

    from sartor.evaluation.intervals import Interval, Values
    from sartor.evaluation.results import Calibration, Confusion, MapOfCatalog, ModelResult

# Colors to draw with. They become those of the page, so that a figure is right on light, on dark and on paper.
_INK = "#010203"
_GROUND = "#010204"
_OF_PAGE = ((_INK, "currentColor"), (_GROUND, "var(--ground, #fff)"))
_DECIMALS = re.compile(r"\d+\.\d{3,}")
_FONT = re.compile(r"font-family: [^;]*|'DejaVu Sans'[^;]*")
_REFERENCE = re.compile(r"url\(#([^)]*)\)")

_WIDTH = 400  # units, about as wide as a phone, so that a text of 12 stays readable there
_UNITS_PER_INCH = 72
_LETTERS = 26  # of a label
_TITLE_LETTERS, _AXIS_LETTERS, _LEGEND_LETTERS = 54, 34, 50
_CURVE_HEIGHT, _LEGEND_LINE = 262, 19
_MAX_DOTS = 40  # a curve with more points has no dots, they would hide the line

# Colors have a contrast of 3 and more on white and on the page's dark ground; shapes and dashes help people who do
# not see colors. Dashes are in widths of the line.
_COLORS = ("#2f80c8", "#d0592b", "#24936a", "#a565b3", "#a0771c", "#7a828c")
_SHAPES = ("o", "s", "^", "D", "v", "P")
_DASHES = ((), (3.5, 2), (1, 1.5), (4.5, 1.5, 1, 1.5), (6, 2), (2, 1, 0.5, 1))

_MAX_CATEGORIES = 20  # of a plot, the most frequent ones
_MAX_COLORED = 12  # values of a map's attribute
_MAX_POINTS = 5000  # of a map
_SHOWN_SHARE = 0.05  # smaller ones are not written into a confusion matrix
_DRAWN_SHARE = 0.005
_REST = "#7a828c"
# Of a map: twelve with a contrast of 3 on light and dark, as far apart as such colors can be for normal, protan
# and deutan eyes (Machado et al., "A Physiologically-based Model for Simulation of Color Vision Deficiency").
_MAP_COLORS = (
    "#3580fe", "#cc762d", "#0d7251", "#b80b9a", "#30a389", "#c90220",
    "#9989dd", "#ff597b", "#034efc", "#ad5177", "#7e52c4", "#fe3cbf",
)  # fmt: skip

_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "sartor",
    "path.simplify": False,
    "text.parse_math": False,
    "axes.formatter.use_mathtext": False,
    "font.size": 12,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "figure.facecolor": "none",
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": _INK,
    "grid.alpha": 0.18,
    "legend.frameon": False,
    "legend.handletextpad": 0.4,
    "legend.columnspacing": 1.4,
}
_ONE_AT_A_TIME = threading.Lock()  # matplotlib's settings and Python's warning filters belong to the process


def interval_plot(models: Sequence[ModelResult], *, metric: str, key: str) -> str:
    """One metric of each model by each criterion, with 95 % intervals; ids in it begin with ``key``."""
    names = list(dict.fromkeys(each.criterion for model in models for each in model.criteria))
    found = [{each.criterion: each.metrics.get(metric) for each in model.criteria} for model in models]
    with _drawing(height=len(names) * (10 * len(models) + 18) + 90) as figure:
        rows = np.arange(len(names), dtype=np.float64)
        if names:
            axes = figure.add_subplot()
            _whiskers(axes, models, [[each.get(name) for name in names] for each in found], rows)
            _name_rows(axes, [_wrapped(name) for name in names], rows, metric=metric)
            _legend(figure, axes)
        else:
            _no_data(figure)
        about = "A row for each criterion: a dot for the mean of each model, a line for its 95 % interval."
        return _as_svg(figure, title=f"{metric} by criterion", about=about, key=key)


def robustness_plot(models: Sequence[ModelResult], *, key: str, metric: str = "hit rate@1") -> str:
    """How often a damaged photo still finds its product, by damage and level; ids in it begin with ``key``."""
    found = [
        {(each.damage, each.level): each.metrics.get(metric) for each in model.robustness} for model in models
    ]
    cases = list(dict.fromkeys(case for each in found for case in each))
    gaps = [0.0] + [0.0 if old[0] == new[0] else 0.5 for old, new in pairwise(cases)]
    with _drawing(height=(len(cases) + sum(gaps)) * (8 * len(models) + 9) + 90) as figure:
        if cases:
            axes = figure.add_subplot()
            rows = np.arange(len(cases)) + np.cumsum(gaps)
            _whiskers(axes, models, [[each.get(case) for case in cases] for each in found], rows)
            _name_rows(axes, [_short(" ".join(case)) for case in cases], rows, metric=metric)
            _legend(figure, axes)
        else:
            _no_data(figure)
        about = "A row for each damage: a dot for the mean of each model, a line for its 95 % interval."
        return _as_svg(figure, title=f"{metric} of damaged photos", about=about, key=key)


def category_plot(models: Sequence[ModelResult], *, metric: str, key: str) -> str:
    """One metric of each model by category, the most frequent ones; ids in it begin with ``key``."""
    names = list(dict.fromkeys(each.category for model in models for each in model.categories))[:_MAX_CATEGORIES]
    found = [{each.category: each.metrics.get(metric, np.nan) for each in model.categories} for model in models]
    values = np.array([[each.get(name, np.nan) for name in names] for each in found])  # (models, categories)
    known = [number for number in range(len(names)) if np.isfinite(values[:, number]).any()]
    with _drawing(height=len(names) * 19 + 90) as figure:
        if known:
            axes = figure.add_subplot()
            ends = np.nanmin(values[:, known], axis=0), np.nanmax(values[:, known], axis=0)
            axes.hlines(known, *ends, color=_INK, alpha=0.4, lw=1)
            for number, (model, means) in enumerate(zip(models, values, strict=True)):
                label = _short(model.model)
                axes.plot(means, range(len(names)), _shape(number), color=_color(number), ms=5.5, label=label)
            rows = np.arange(len(names), dtype=np.float64)
            _name_rows(axes, [_short(name) for name in names], rows, metric=metric)
            _legend(figure, axes)
        else:
            _no_data(figure)
        about = "A row for each category, the most frequent one on top, with a dot for each model."
        return _as_svg(figure, title=f"{metric} by category", about=about, key=key)


def confusion_plot(confusion: Confusion, *, model: str, key: str) -> str:
    """Categories of neighbors, a stronger color for a larger share; ids in it begin with ``key``."""
    rows, columns = confusion.shares.shape
    with _drawing(width=columns * 26 + 170, height=rows * 23 + 170) as figure:
        axes = figure.add_subplot()
        for row, column in np.argwhere(confusion.shares >= _DRAWN_SHARE):
            _cell(axes, row, column, float(confusion.shares[row, column]))
        axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5), ylabel="query", xlabel="neighbor")
        axes.set_xticks(range(columns), [_short(name) for name in confusion.found], rotation=90)
        axes.set_yticks(range(rows), [_short(name) for name in confusion.categories])
        axes.set_xticks(np.arange(columns + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(rows + 1) - 0.5, minor=True)
        axes.grid(which="minor", lw=0.5)
        axes.spines[:].set_visible(False)
        axes.tick_params(which="both", length=0)
        about = "A row for the queries of a category, a column for the category of their neighbors, in percent."
        return _as_svg(figure, title=f"Categories of neighbors, {model}", about=about, key=key)


def reliability_plot(models: Sequence[ModelResult], *, name: str, key: str) -> str:
    """How often predictions of each probability came true, and their number; ids in it begin with ``key``."""
    found = [(model.model, each) for model in models for each in model.calibration if each.name == name]
    with _drawing(height=410) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
        upper.plot((0, 1), (0, 1), color=_INK, alpha=0.5, lw=1, ls=(0, (4, 3)))
        for slot, (model, calibration) in enumerate(found):
            number = [one.model for one in models].index(model)
            said, right = ([getattr(each, name) for each in calibration.bins] for name in ("said", "right"))
            upper.plot(said, right, color=_color(number), marker=_shape(number), ms=5, lw=1.6, label=_short(model))
            _counts(lower, calibration, color=_color(number), slot=slot, slots=len(found))
        upper.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel="came true")
        lower.set(xlabel="said", ylabel="count")
        upper.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        lower.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        lower.yaxis.set_major_locator(MaxNLocator(2, integer=True))
        upper.grid()
        lower.grid(axis="y")
        _legend(figure, upper)
        about = "Above the diagonal a model is too modest, below it too sure. The bars count its predictions."
        return _as_svg(figure, title=f"Reliability of {name}", about=about, key=key)


def map_plot(of_catalog: MapOfCatalog, *, model: str, key: str) -> str:
    """The catalog in two dimensions, colored by an attribute; ids in it begin with ``key``."""
    finite = np.isfinite(of_catalog.points).all(axis=1)
    points, labels = of_catalog.points[finite][:_MAX_POINTS], of_catalog.labels[finite][:_MAX_POINTS]
    values, counts = np.unique(labels[labels != ""], return_counts=True)
    colored = values[np.argsort(-counts, kind="stable")][:_MAX_COLORED]
    with _drawing(height=_WIDTH + 20 * ((len(colored) + 2) // 2)) as figure:
        axes = figure.add_subplot()
        axes.set_axis_off()
        axes.margins(0.02)
        rest = ~np.isin(labels, colored)
        if rest.any():
            _dots(axes, points[rest], _REST, alpha=0.6, label="others")
        for number, value in enumerate(colored):
            _dots(axes, points[labels == value], _MAP_COLORS[number], label=f"{number + 1}  {_short(str(value))}")
        for number, value in enumerate(colored):
            _number(axes, points[labels == value], number)
        axes.autoscale_view()
        _map_legend(figure, axes)
        about = f"Points are products, near ones are alike. Colors: frequent values of {of_catalog.attribute}."
        return _as_svg(figure, title=f"Map of the catalog, {model}", about=about, key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A named line through (x, y) points, in the order in which they are joined."""

    name: str
    points: tuple[tuple[float, float], ...]


def curve_plot(series: Sequence[Series], *, title: str, x_label: str, y_label: str, key: str) -> str:
    """Lines with a title, axes and a legend; ids in it begin with ``key``.

    A point with a number that is not finite is left out, and its neighbors are joined. Without any point the plot
    says "no data".
    """
    names = [_short(one.name, _LEGEND_LETTERS) for one in series]
    points = [[point for point in one.points if all(map(math.isfinite, point))] for one in series]
    height = _CURVE_HEIGHT + _LEGEND_LINE * math.ceil(len(names) / _legend_columns(names))
    with _drawing(height=height) as figure:
        axes = figure.add_subplot()
        axes.set_title(_short(title, _TITLE_LETTERS), fontsize=12, fontweight="bold")
        axes.set(xlabel=_short(x_label, _AXIS_LETTERS), ylabel=_short(y_label, _AXIS_LETTERS))
        for number, (name, of_line) in enumerate(zip(names, points, strict=True)):
            style: dict[str, Any] = {"color": _color(number), "lw": 2, "solid_joinstyle": "round", "label": name}
            # A seventh line has the first one's color and the second one's dashes, so that 36 lines differ.
            dashes = _DASHES[(number + number // len(_COLORS)) % len(_DASHES)]
            style |= {"ls": (0, dashes)} if dashes else {}
            style |= {"marker": "o", "ms": 5} if len(of_line) <= _MAX_DOTS else {}
            axes.plot([x for x, _ in of_line], [y for _, y in of_line], **style)
        if any(points):
            columns = zip(*(point for of_line in points for point in of_line), strict=True)
            for axis, values in zip((axes.xaxis, axes.yaxis), columns, strict=True):
                is_whole = all(value == int(value) for value in values)
                axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=is_whole))
                axis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
            axes.grid(axis="y")
        else:
            axes.set(xticks=(), yticks=())
            axes.text(0.5, 0.5, "no data", ha="center", va="center", transform=axes.transAxes)
        _legend(figure, axes)
        about = f"{y_label} by {x_label}, a line for each of the names in the legend."
        return _as_svg(figure, title=title, about=about, key=key)


@contextmanager
def _drawing(*, width: float = _WIDTH, height: float = _WIDTH) -> Iterator[Figure]:
    """A figure to draw on; its units are pixels on a phone."""
    with _ONE_AT_A_TIME, rc_context(_SETTINGS), warnings.catch_warnings():
        # Texts are drawn by the browser; matplotlib only estimates their width, with a font of few scripts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        size = (width / _UNITS_PER_INCH, height / _UNITS_PER_INCH)
        yield Figure(figsize=size, dpi=_UNITS_PER_INCH, layout="constrained")


def _as_svg(figure: Figure, *, title: str, about: str, key: str) -> str:
    """The figure, for a page; ids in it begin with ``key``."""
    file = StringIO()
    nothing = {"Creator": None, "Date": None, "Format": None, "Type": None}
    figure.savefig(file, format="svg", metadata=nothing)
    return _inline_svg(file.getvalue(), title=title, description=about, key=key)


def _color(number: int) -> str:
    """The color of a model or a line; a model has the same in all plots."""
    return _COLORS[number % len(_COLORS)]


def _shape(number: int) -> str:
    """The marker of a model."""
    return _SHAPES[(number + number // len(_COLORS)) % len(_SHAPES)]


def _short(text: str, letters: int = _LETTERS) -> str:
    """A label that leaves room for the plot."""
    shown = _printable(text)
    return shown if len(shown) <= letters else f"{shown[: letters - 1]}…"


def _no_data(figure: Figure) -> None:
    """Say that there is nothing to draw."""
    figure.text(0.5, 0.5, "no data", ha="center", va="center")


def _legend(figure: Figure, axes: Axes) -> None:
    """Name what is drawn in ``axes``, below the plot."""
    handles, names = axes.get_legend_handles_labels()
    if not handles:
        return
    figure.legend(handles, names, loc="outside lower center", ncols=_legend_columns(names))


def _legend_columns(names: Sequence[str]) -> int:
    letters = max(map(len, names), default=0)
    return max(1, min(len(names), int(_WIDTH / (letters * 7 + 32))))


def _whiskers(
    axes: Axes, models: Sequence[ModelResult], found: Sequence[Sequence[Interval | None]], rows: Values
) -> None:
    """A dot and a line for each model in each row, one model below the other.

    Args:
        axes: Where to draw.
        models: In the order of their colors.
        found: For each model an interval for each row, or None.
        rows: ``(r,)`` height of each row, at least 1 apart.
    """
    step = 0.62 / max(len(models), 1)
    for number, (model, intervals) in enumerate(zip(models, found, strict=True)):
        ends = [(each.mean, each.low, each.high) if each else (np.nan,) * 3 for each in intervals]
        mean, low, high = np.array(ends, np.float64).reshape(-1, 3).T
        axes.errorbar(
            mean,
            rows + (number - (len(models) - 1) / 2) * step,
            xerr=np.maximum([mean - low, high - mean], 0),
            fmt=_shape(number),
            color=_color(number),
            ms=5,
            elinewidth=1.6,
            label=_short(model.model),
        )


def _name_rows(axes: Axes, names: Sequence[str], rows: Values, *, metric: str) -> None:
    """Write the names of rows beside them, the first one on top, and the metric below."""
    axes.set_yticks(rows, names)
    axes.set_ylim(rows[-1] + 0.6, rows[0] - 0.6)
    axes.set_xlabel(metric)
    axes.grid()
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(5))


def _wrapped(name: str) -> str:
    return " +\n".join(_short(part) for part in name.split(" + "))


def _cell(axes: Axes, row: int, column: int, share: float) -> None:
    corner = (column - 0.5, row - 0.5)
    axes.add_patch(Rectangle(corner, 1, 1, color=_color(0), alpha=0.08 + 0.55 * min(share, 1.0), lw=0))
    if share >= _SHOWN_SHARE:
        axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=10.5)


def _counts(axes: Axes, calibration: Calibration, *, color: str, slot: int, slots: int) -> None:
    """Bars of the models side by side, each group in the middle of its bin."""
    width = 0.08 / slots
    middles = [min(int(each.said * BINS), BINS - 1) / BINS + 0.5 / BINS for each in calibration.bins]
    positions = np.array(middles) + (slot - (slots - 1) / 2) * width
    axes.bar(positions, [each.count for each in calibration.bins], width, color=color, lw=0)


def _dots(axes: Axes, points: npt.NDArray[np.float64], paint: str, *, label: str, alpha: float = 0.85) -> None:
    """All points as one path of lines without length: a tenth of the size of a marker for each."""
    vertices = np.repeat(points, 2, axis=0)
    codes = np.tile([Path.MOVETO, Path.LINETO], len(points))
    style = {"edgecolor": paint, "facecolor": "none", "lw": 3.4, "capstyle": "round", "alpha": alpha}
    axes.add_patch(PathPatch(Path(vertices, codes), **style))
    axes.plot([], [], "o", color=paint, ms=6, label=label)


def _number(axes: Axes, points: npt.NDArray[np.float64], number: int) -> None:
    """Write a value's number at the one of its points that is nearest to their median."""
    x, y = points[np.linalg.norm(points - np.median(points, axis=0), axis=1).argmin()]
    disc = {"boxstyle": "circle,pad=0.22", "fc": _GROUND, "ec": _MAP_COLORS[number], "lw": 1.4}
    axes.text(x, y, str(number + 1), ha="center", va="center", fontsize=9, fontweight="bold", bbox=disc)


def _map_legend(figure: Figure, axes: Axes) -> None:
    handles, names = axes.get_legend_handles_labels()
    if handles[1:]:
        others = [0] if names[0] == "others" else []
        order = [*range(len(others), len(handles)), *others]
        figure.legend(
            [handles[item] for item in order], [names[item] for item in order], loc="outside lower center", ncols=2
        )


def _inline_svg(file: str, *, title: str, description: str, key: str) -> str:
    """A figure as part of an HTML page, as wide as it is given.

    Args:
        file: The SVG file.
        title: Its name for people who do not see it.
        description: What it shows, in a sentence.
        key: Begins each id in it, so that the ids of a page's figures differ.
    """
    drawing = fromstring(file)
    figure = Element(
        "svg", {"role": "img", "aria-label": _printable(title), "viewBox": drawing.get("viewBox", "")}
    )
    figure.attrib |= {"width": "100%", "aria-describedby": f"{key}-about", "stroke-linejoin": "round"}
    figure.attrib |= {"fill": "currentColor", "font-family": "system-ui, sans-serif"}
    SubElement(figure, "title").text = _printable(title)
    SubElement(figure, "desc", {"id": f"{key}-about"}).text = _printable(description)
    figure.extend(part for part in drawing if _name(part.tag) not in {"metadata", "style"})
    _make_own(figure, key)
    return tostring(figure, encoding="unicode")


def _printable(text: str) -> str:
    """The text with blanks for what no font can show, some of which XML forbids."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _make_own(figure: Element, key: str) -> None:
    names = {name: f"{key}-{number}" for number, name in enumerate(dict.fromkeys(_referred(figure)))}
    for parent in list(figure.iter()):
        for part in list(parent):
            if _name(part.tag) == "style":  # its rules would hold for the whole page
                parent.remove(part)
    for part in figure.iter():
        part.tag = _name(part.tag)
        part.tail = None
        part.attrib = {_name(name): _value(_name(name), value, names) for name, value in part.items()}
        if part.get("id", key).startswith("#"):
            del part.attrib["id"]


def _referred(figure: Element) -> Iterator[str]:
    for part in figure.iter():
        for name, value in part.items():
            if _name(name) == "href" and value.startswith("#"):
                yield value[1:]
            yield from _REFERENCE.findall(value)


def _value(name: str, value: str, names: dict[str, str]) -> str:
    """The attribute as it is in the page; of an id that nothing refers to, only ``#``."""
    match name:
        case "id":
            return value if value.endswith("-about") else names.get(value, "#")
        case "href":
            return f"#{names[value[1:]]}" if value.startswith("#") else value
        case "d":
            return _DECIMALS.sub(lambda found: f"{float(found[0]):.1f}", " ".join(value.split()))
        case "style":
            for drawn, shown in _OF_PAGE:
                value = value.replace(drawn, shown)
            value = _FONT.sub("", value) if "font-family" in value else value
    return _REFERENCE.sub(lambda found: f"url(#{names[found[1]]})", value)


def _name(tag: str) -> str:
    return tag.rpartition("}")[2]
