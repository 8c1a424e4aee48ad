"""A catalog of vectors on disk to search in: the products, queries that it does not have, and what is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.vectors import FILTERS, CatalogVectors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from sartor.types import Matrix, Vector

K = 10
EVERY = "every product"
_VECTORS, _REST = "vectors.f32", "rest.npz"
_SAME = 1e-6  # scores of float32 that differ by less are equal: another order of sums, or near-identical products
_READ = 10_000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Filter:
    """Which products may be found.

    Attributes:
        attribute: Of the products; empty where every product passes.
        value: That it has to have.
        passes: ``(n,)`` bool.
    """

    attribute: str
    value: int
    passes: npt.NDArray[np.bool_]

    @property
    def share(self) -> float:
        """Of the products that pass."""
        return float(self.passes.mean())


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class VectorCatalog:
    """Vectors of products, and queries.

    Attributes:
        directory: Where it is.
        queries: ``(q, d)`` float32 of norm 1.
        labels: Number of each filter's attribute by product, ``(n,)``.
        kth: By filter, how close the k-th product to each query is, ``(q,)``.
    """

    directory: Path
    queries: Matrix
    labels: dict[str, npt.NDArray[np.int64]]
    kth: dict[str, Vector]

    def __len__(self) -> int:
        return len(next(iter(self.labels.values())))

    def pieces(self, size: int = _READ) -> Iterator[tuple[int, Matrix]]:
        """Where a piece starts and its vectors ``(m, d)``; read, not mapped, so that memory shows the engine's."""
        dimension = self.queries.shape[1]
        for start in range(0, len(self), size):
            numbers = min(size, len(self) - start) * dimension
            offset = start * dimension * np.dtype(np.float32).itemsize
            flat = np.fromfile(self.directory / _VECTORS, np.float32, count=numbers, offset=offset)
            yield start, flat.reshape(-1, dimension)

    def filters(self) -> dict[str, Filter]:
        """By name, from all products to the fewest."""
        every = {EVERY: Filter(attribute="", value=0, passes=np.ones(len(self), bool))}
        return every | {_name(attribute): self._filter(attribute) for attribute in reversed(FILTERS)}

    def _filter(self, attribute: str) -> Filter:
        """By the value whose share is closest to the one of all if they were equal."""
        labels = self.labels[attribute]
        counts = np.bincount(labels, minlength=FILTERS[attribute])
        value = int(np.abs(counts - len(labels) / FILTERS[attribute]).argmin())
        return Filter(attribute=attribute, value=value, passes=labels == value)

    def recall(self, filter_name: str, found: list[npt.NDArray[np.int64]]) -> float:
        """Share of the k closest that were found; another product that is as close counts as one."""
        vectors = np.memmap(
            self.directory / _VECTORS, np.float32, mode="r", shape=(len(self), self.queries.shape[1])
        )
        passes, kth = self.filters()[filter_name].passes, self.kth[filter_name]
        right = [
            recall(vectors[rows[passes[rows]]] @ query, float(least))
            for rows, query, least in zip(found, self.queries, kth, strict=True)
        ]
        return float(np.mean(right))


def recall(found: Vector, kth: float) -> float:
    """Share of k that distinct products, of the closenesses found, reach the k-th best closeness."""
    return min(int((found >= kth - _SAME).sum()), K) / K


def vector_catalog(directory: Path, *, count: int, dimension: int, queries: int) -> VectorCatalog:
    """The catalog of a directory, which is made when it is not there."""
    if not (directory / _REST).exists():
        directory.mkdir(parents=True, exist_ok=True)
        _make(directory, count=count, dimension=dimension, queries=queries)
    with np.load(directory / _REST) as rest:
        held = {name: rest[name] for name in rest.files}
    catalog = VectorCatalog(
        directory=directory,
        queries=held["queries"],
        labels={name: held[name] for name in FILTERS},
        kth={},
    )
    return VectorCatalog(
        directory=directory,
        queries=catalog.queries,
        labels=catalog.labels,
        kth={name: held[f"kth {name}"] for name in catalog.filters()},
    )


def _make(directory: Path, *, count: int, dimension: int, queries: int) -> None:
    held_out = np.zeros(count + queries, bool)
    held_out[np.random.default_rng(0).choice(count + queries, queries, replace=False)] = True
    asked, labels, start = [], [], 0
    with (directory / _VECTORS).open("wb") as file:
        for piece in CatalogVectors(dimension=dimension).pieces(count + queries):
            out = held_out[start : start + len(piece.vectors)]
            piece.vectors[~out].tofile(file)
            asked.append(piece.vectors[out])
            labels.append({name: values[~out] for name, values in piece.labels.items()})
            start += len(piece.vectors)
    catalog = VectorCatalog(
        directory=directory,
        queries=np.concatenate(asked),
        labels={name: np.concatenate([each[name] for each in labels]) for name in FILTERS},
        kth={},
    )
    kth = {f"kth {name}": values for name, values in _kth(catalog).items()}
    np.savez(directory / _REST, queries=catalog.queries, **catalog.labels, **kth)


def _kth(catalog: VectorCatalog) -> dict[str, Vector]:
    filters = catalog.filters()
    best = {name: np.full((len(catalog.queries), K), -np.inf, np.float32) for name in filters}
    for start, vectors in catalog.pieces():
        scores = catalog.queries @ vectors.T  # (q, d) @ (d, m) -> (q, m)
        for name, each in filters.items():
            passing = scores[:, each.passes[start : start + len(vectors)]]
            best[name] = -np.partition(-np.hstack([best[name], passing]), K - 1, axis=1)[:, :K]
    return {name: scores.min(axis=1) for name, scores in best.items()}


def _name(attribute: str) -> str:
    return f"{1 / FILTERS[attribute]:.0%} pass".replace("%", " %")
