"""What all plots share: matplotlib's settings, colors and shapes, axes of one look, and the way to SVG."""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sartor.evaluation.inline_svg import INK, inline_svg, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes

    from sartor.evaluation.agreement import Interval
    from sartor.evaluation.results import ModelResult

    Values = npt.NDArray[np.float64]

WIDTH = 400  # units, about as wide as a phone, so that a text of 12 stays readable there

_UNITS_PER_INCH = 72
_LETTERS = 26  # of a label

# Colors have a contrast of 3 and more on white and on the page's dark ground; shapes serve who sees no color.
_COLORS = ("#2f80c8", "#d0592b", "#24936a", "#a565b3", "#a0771c", "#7a828c")
_SHAPES = ("o", "s", "^", "D", "v", "P")

_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "sartor",
    "path.simplify": False,
    "text.parse_math": False,
    "axes.formatter.use_mathtext": False,
    "font.size": 12,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "figure.facecolor": "none",
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": INK,
    "grid.alpha": 0.18,
    "legend.frameon": False,
    "legend.handletextpad": 0.4,
    "legend.columnspacing": 1.4,
}
_ONE_AT_A_TIME = threading.Lock()  # matplotlib's settings and Python's filters of warnings belong to the process


@contextmanager
def drawing(*, width: float = WIDTH, height: float = WIDTH) -> Iterator[Figure]:
    """A figure to draw on, of so many units, which stand for pixels on a phone."""
    with _ONE_AT_A_TIME, rc_context(_SETTINGS), warnings.catch_warnings():
        # Texts are drawn by the browser; matplotlib only estimates their width, with a font of few scripts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        size = (width / _UNITS_PER_INCH, height / _UNITS_PER_INCH)
        yield Figure(figsize=size, dpi=_UNITS_PER_INCH, layout="constrained")


def as_svg(figure: Figure, *, title: str, about: str, key: str) -> str:
    """The figure, for a page; ids in it begin with ``key``."""
    file = StringIO()
    nothing = {"Creator": None, "Date": None, "Format": None, "Type": None}
    figure.savefig(file, format="svg", metadata=nothing)
    return inline_svg(file.getvalue(), title=title, description=about, key=key)


def color(number: int) -> str:
    """Of the model with that number; it is the same in all plots."""
    return _COLORS[number % len(_COLORS)]


def shape(number: int) -> str:
    """The marker of the model with that number."""
    return _SHAPES[(number + number // len(_COLORS)) % len(_SHAPES)]


def short(text: str) -> str:
    """A label that leaves room for the plot."""
    shown = printable(text)
    return shown if len(shown) <= _LETTERS else f"{shown[: _LETTERS - 1]}…"


def no_data(figure: Figure) -> None:
    """Say that there is nothing to draw."""
    figure.text(0.5, 0.5, "no data", ha="center", va="center")


def legend(figure: Figure, axes: Axes) -> None:
    """Name what is drawn in ``axes``, below the plot."""
    handles, names = axes.get_legend_handles_labels()
    if not handles:
        return
    columns = max(1, min(len(names), int(WIDTH / (max(map(len, names)) * 7 + 32))))
    figure.legend(handles, names, loc="outside lower center", ncols=columns)


def whiskers(
    axes: Axes, models: Sequence[ModelResult], found: Sequence[Sequence[Interval | None]], rows: Values
) -> None:
    """A dot and a line for each model in each row, those of a row below each other.

    Args:
        axes: Where to.
        models: In the order of their colors.
        found: For each model an interval for each row, or None.
        rows: ``(r,)`` height of each row, 1 apart or more.
    """
    step = 0.62 / max(len(models), 1)
    for number, (model, intervals) in enumerate(zip(models, found, strict=True)):
        ends = [(each.mean, each.low, each.high) if each else (np.nan,) * 3 for each in intervals]
        mean, low, high = np.array(ends, np.float64).reshape(-1, 3).T
        axes.errorbar(
            mean,
            rows + (number - (len(models) - 1) / 2) * step,
            xerr=np.maximum([mean - low, high - mean], 0),
            fmt=shape(number),
            color=color(number),
            ms=5,
            elinewidth=1.6,
            label=short(model.model),
        )


def name_rows(axes: Axes, names: Sequence[str], rows: Values, *, metric: str) -> None:
    """Write the names of rows beside them, the first one on top, and the metric below."""
    axes.set_yticks(rows, names)
    axes.set_ylim(rows[-1] + 0.6, rows[0] - 0.6)
    axes.set_xlabel(metric)
    axes.grid()
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(5))
