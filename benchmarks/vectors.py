"""Vectors as a catalog's are, without a catalog: made from a seed, in pieces, as many as wanted.

A vector has the three parts that Sartor compares, each of norm 1 and together of norm 1: a style as of an
encoder, a color as of ``sartor.recommend.features``, and a category. Products belong to 140 types of very unequal
shares, types to groups, and have styles; products of one design are near-variants of each other, often in
another color. In each level the directions that vary fall off as a power, so that the vectors fill few of their
dimensions, as embeddings do.

How real they are, seen beside the composed vectors of sartor-v1 for the 37,344 products of the small Kaggle
catalog, scaled to norm 1 (1,000 of each held out as queries; real first):

- cosine of the nearest: median 0.966 and 0.969, 5 % quantile 0.897 and 0.899, 95 % quantile 0.994 and 0.989
- cosine of the 10th: median 0.936 and 0.916; of the 100th: 0.872 and 0.817; of two at random: 0.216 and 0.184
- local dimension by the 100 nearest (Levina and Bickel, 2004): 7.1 and 6.5
- principal components for 50, 80, 90, 95 % of the variance: 12, 42, 75, 119 and 12, 39, 66, 100
- recall at 10 of hnswlib (M 16, ef_construction 100) by ef: 10: 0.939 and 0.940; 24: 0.977 and 0.970;
  48: 0.992 and 0.984; 128: 0.997 and 0.992; 512: 0.999 and 0.996

So a graph finds the last few of these a little harder than those of the real catalog.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from sartor.types import Matrix

DIMENSION = 492  # of what sartor-v1's embeddings are composed to
FILTERS = {"brand": 100, "usage": 10, "side": 2}  # attributes, and how many values of about equal share each has
PIECE = 8192

_COLOR_SHARE, _CATEGORY_SHARE = 96 / DIMENSION, 140 / DIMENSION
_TYPES, _GROUPS, _STYLES, _SHADES, _SHADES_OF_A_STYLE = 140, 7, 6000, 24, 5
_FALL_OFF = 0.7  # of the standard deviations of directions, as a power of their rank
_GROUP, _TYPE, _STYLE, _DESIGN, _VARIANT = 0.45, 0.6, 0.6, 0.24, 0.12  # lengths of what each level adds
_SHADE, _JITTER, _SAME_COLOR = 0.065, 0.01, 0.6
_ALONE = 0.6  # share of the designs that have no variant
_WIDTHS = 0.04, 0.15  # OKLab distances at which colors are less alike, as sartor.recommend.features has them


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Some products: their vectors ``(m, d)`` float32 of norm 1, and a number of each filter, ``(m,)``."""

    vectors: Matrix
    labels: dict[str, npt.NDArray[np.int64]]


class CatalogVectors:
    """The vectors of one imagined catalog; two of the same seed are the same, and a longer one starts alike."""

    def __init__(self, *, dimension: int = DIMENSION, seed: int = 0) -> None:
        self._seed = seed
        self._color = 2 * round(dimension * _COLOR_SHARE / 2)
        self._category = round(dimension * _CATEGORY_SHARE)
        self._style = dimension - self._color - self._category
        rng = np.random.default_rng(seed)
        ranks = np.arange(1, _TYPES + 1)
        shares = ranks**-0.65 * np.exp(-ranks / 30)  # as the types of the Kaggle catalog of 44,000
        self._group_of = rng.integers(_GROUPS, size=_TYPES)
        spectrum = np.arange(1, self._style + 1) ** -_FALL_OFF
        self._spectrum = spectrum / np.linalg.norm(spectrum)
        self._directions = np.stack([self._near_order(rng) for _ in range(_TYPES)])  # (t, d)
        groups = self._offsets(rng, _GROUPS, _GROUP)
        self._types = groups[self._group_of] + self._offsets(rng, _TYPES, _TYPE)
        self._style_type = rng.choice(_TYPES, size=_STYLES, p=shares / shares.sum())
        self._styles = self._of_types(rng, self._style_type, _STYLE) + self._types[self._style_type]
        self._style_shares = rng.permutation(1 / np.arange(20, 20 + _STYLES))
        self._style_shares /= self._style_shares.sum()
        self._labels = {name: rng.permutation(_STYLES) % values for name, values in FILTERS.items()}
        self._palettes = rng.integers(_SHADES, size=(_STYLES, _SHADES_OF_A_STYLE))
        self._shades = rng.normal(scale=_SHADE, size=(_SHADES, 3))
        self._frequencies = rng.normal(size=(3, self._color // 2)) / np.resize(_WIDTHS, self._color // 2)

    def pieces(self, count: int, *, first: int = 0) -> Iterator[Piece]:
        """Products, in pieces of at most 8,192; another ``first`` piece gives others of the same catalog."""
        for number, start in enumerate(range(0, count, PIECE), first):
            piece = self._piece(np.random.default_rng((self._seed, number)))
            size = min(PIECE, count - start)
            yield Piece(piece.vectors[:size], {name: values[:size] for name, values in piece.labels.items()})

    def _piece(self, rng: np.random.Generator) -> Piece:
        design = np.cumsum(rng.random(PIECE) < _ALONE) - 1  # (m,), -1 for the end of another
        design -= design[0]
        style = rng.choice(_STYLES, size=design[-1] + 1, p=self._style_shares)
        types = self._style_type[style]
        designs = self._styles[style] + self._of_types(rng, types, _DESIGN)
        looks = designs[design] + self._of_types(rng, types[design], _VARIANT)
        category = np.eye(self._category, dtype=np.float32)[types[design] % self._category]
        parts = _unit(looks), self._colors(rng, design, style), category
        vectors = np.hstack(parts).astype(np.float32) / np.float32(np.sqrt(3))
        return Piece(vectors, {name: labels[style[design]] for name, labels in self._labels.items()})

    def _colors(
        self, rng: np.random.Generator, design: npt.NDArray[np.int64], style: npt.NDArray[np.int64]
    ) -> Matrix:
        """``(m, c)``: random Fourier features of three colors each, out of the few that a style comes in."""
        chosen = rng.integers(_SHADES_OF_A_STYLE, size=(len(design), 3))
        like_its_design = rng.random(len(design)) < _SAME_COLOR
        chosen[like_its_design] = rng.integers(_SHADES_OF_A_STYLE, size=(design[-1] + 1, 3))[
            design[like_its_design]
        ]
        shades = np.take_along_axis(self._palettes[style[design]], chosen, axis=1)  # (m, 3)
        colors = self._shades[shades] + rng.normal(scale=_JITTER, size=(*shades.shape, 3))
        shares = rng.dirichlet((6, 1.5, 0.5), size=len(design))
        angles = colors @ self._frequencies  # (m, 3, c / 2)
        features = np.concatenate([np.cos(angles), np.sin(angles)], axis=2)
        return _unit(np.einsum("ms,msc->mc", shares, features))

    def _near_order(self, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """An order of the directions that is mostly, not wholly, the common one."""
        return np.argsort(
            np.argsort(np.arange(self._style) + rng.normal(scale=self._style / 16, size=self._style))
        )

    def _offsets(self, rng: np.random.Generator, count: int, length: float) -> Matrix:
        return rng.normal(size=(count, self._style)) * self._spectrum * length

    def _of_types(self, rng: np.random.Generator, types: npt.NDArray[np.int64], length: float) -> Matrix:
        return rng.normal(size=(len(types), self._style)) * self._spectrum[self._directions[types]] * length


def _unit(rows: Matrix) -> Matrix:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
