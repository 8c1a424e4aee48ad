"""Vectors made ready: of norm 1, by product, with what cannot be used set aside."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.catalog.vector_names import LONGEST_NAME, ids_of
from sartor.pipelines.report import Rejection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.catalog.vector_files import NamedVectors
    from sartor.types import Matrix

_BLOCK = 1024  # rows that are converted at once
_UNIT = 1e-3  # float16 rounds a norm of 1 by as much


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedVectors:
    """Vectors by product.

    Attributes:
        matrix: ``(n, d)`` float32 of unit norm; rows that cannot be used are NaN.
        names: Of their photos, n.
        rows: Rows of each product that has a vector, in the file's order.
        scaled: Rows whose norm was not 1.
        rejected: Rows that cannot be used, and why.
    """

    matrix: Matrix
    names: Sequence[str]
    rows: Mapping[str, Sequence[int]]
    scaled: int
    rejected: tuple[Rejection, ...]

    @property
    def sha256(self) -> str:
        """Hex digest of the vectors."""
        return hashlib.sha256(self.matrix.data).hexdigest()


def made_ready(named: NamedVectors) -> ImportedVectors:
    """Scale vectors to norm 1, and name their products."""
    matrix, scaled = _unit(named)
    ids = ids_of(named.names) if named.ids is None else named.ids
    rows: dict[str, list[int]] = {}
    rejected = []
    for row, (name, product_id) in enumerate(zip(named.names, ids, strict=True)):
        reason = _wrong(name, product_id, usable=not np.isnan(matrix[row, 0]))
        if reason:
            rejected.append(Rejection(photo=name[:LONGEST_NAME] or f"row {row}", reason=reason))
        else:
            rows.setdefault(product_id, []).append(row)
    return ImportedVectors(matrix=matrix, names=named.names, rows=rows, scaled=scaled, rejected=tuple(rejected))


def _unit(named: NamedVectors) -> tuple[Matrix, int]:
    given = named.vectors
    matrix = np.empty(given.shape, np.float32)
    scaled = 0
    for start in range(0, len(given), _BLOCK):
        block = given[start : start + _BLOCK].astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            norms = np.linalg.norm(block, axis=1)  # (m,)
            usable = np.isfinite(norms) & (norms > 0)
            matrix[start : start + _BLOCK] = block / np.where(usable, norms, np.nan)[:, np.newaxis]
        scaled += int((usable & (np.abs(norms - 1) > _UNIT)).sum())
    return matrix, scaled


def _wrong(name: str, product_id: str, *, usable: bool) -> str:
    """Why a row cannot be used; empty where it can."""
    if not name:
        return "its vector has no name"
    if len(name) > LONGEST_NAME:
        return f"its name has more than {LONGEST_NAME:,} characters"
    if not product_id:
        return "is there twice, the first vector counts"
    return "" if usable else "its vector is zero, or has numbers that are not finite"
