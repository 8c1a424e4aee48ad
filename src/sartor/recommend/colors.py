"""How alike two palettes look, as the dot product of two vectors, so that an index can search by color."""

from __future__ import annotations

from functools import cache
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from sartor.imaging.oklab import color_name

if TYPE_CHECKING:
    from sartor.types import Matrix, Palette, Vector

COLOR_DIMENSION = 96

_WIDTHS = 0.04, 0.15  # OKLab distances at which colors are less alike: standard deviations of two kernels
_SEED = 7
_NAMED_FROM = 0.15  # share of the product that a color covers to be named


def color_vector(palette: Palette | None) -> Vector:
    """A palette as ``(96,)`` float32 with norm 1, or 0 where there is none.

    The dot product of two approximates the cosine of two distributions of colors under the mean of two
    Gaussian kernels of OKLab distance: 1 for equal palettes, about 0 for colors that have nothing in common.

    Source: random Fourier features of Rahimi and Recht (NeurIPS 2007), orthogonal as Yu et al. (NeurIPS 2016),
    summed to a kernel mean embedding, as Muandet et al. (2017) review them.
    """
    if palette is None:
        return np.zeros(COLOR_DIMENSION, np.float32)
    angles = palette.colors @ _frequencies()  # (c, m)
    mean = palette.shares @ np.hstack([np.cos(angles), np.sin(angles)])
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def color_words(palette: Palette) -> tuple[str, ...]:
    """Names of the colors that cover most of a product, each once, such as ``("navy", "white")``."""
    shown = palette.shares >= min(_NAMED_FROM, float(palette.shares.max()))
    return tuple(dict.fromkeys(color_name(color) for color in palette.colors[shown]))


@cache
def _frequencies() -> Matrix:
    """``(3, m)``: directions in blocks of three at right angles, with the lengths of Gaussian vectors."""
    rng = np.random.default_rng(_SEED)
    count = COLOR_DIMENSION // 2
    blocks = []
    for _, width in zip(range(-(-count // 3)), cycle(_WIDTHS), strict=False):
        directions, _upper = np.linalg.qr(rng.normal(size=(3, 3)))
        blocks.append(directions * np.linalg.norm(rng.normal(size=(3, 3)), axis=1)[:, None] / width)
    return np.asarray(np.concatenate(blocks)[:count].T, np.float32)
