from __future__ import annotations

import numpy as np
import pytest

from benchmarks.engine_runs import Trial
from benchmarks.index_engines import just_reaching
from benchmarks.vector_catalog import EVERY, K, VectorCatalog, recall, vector_catalog


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> VectorCatalog:
    return vector_catalog(tmp_path_factory.mktemp("catalog"), count=3000, dimension=32, queries=8)


def all_vectors(catalog: VectorCatalog) -> np.ndarray:
    return np.concatenate([piece for _, piece in catalog.pieces(1024)])


def test_recall_is_the_share_of_hits_as_close_as_the_last_that_is_right() -> None:
    assert recall(np.linspace(0.9, 0.6, K, dtype=np.float32), 0.6) == 1
    assert recall(np.array([0.9, 0.8, 0.5], np.float32), 0.7) == 2 / K
    assert recall(np.empty(0, np.float32), 0.7) == 0
    assert recall(np.full(12, 0.9, np.float32), 0.9) == 1  # ties


def test_an_exact_search_has_recall_1_with_and_without_filters(catalog: VectorCatalog) -> None:
    scores = catalog.queries @ all_vectors(catalog).T
    for name, where in catalog.filters().items():
        passing = np.where(where.passes, scores, -np.inf)
        found = [np.argsort(-row)[:K] for row in passing]
        assert catalog.recall(name, found) == 1
        assert catalog.recall(name, [rows[: K // 2] for rows in found]) == 0.5


def test_hits_that_do_not_pass_are_not_right(catalog: VectorCatalog) -> None:
    name, where = list(catalog.filters().items())[-1]
    assert catalog.recall(name, [np.flatnonzero(~where.passes)[:K]] * len(catalog.queries)) == 0


def test_queries_are_held_out(catalog: VectorCatalog) -> None:
    vectors = all_vectors(catalog)
    assert len(vectors) == len(catalog) == 3000
    assert not (vectors[:, None] == catalog.queries[None]).all(axis=2).any()


def test_a_catalog_that_is_there_is_read_and_not_made_again(catalog: VectorCatalog) -> None:
    again = vector_catalog(catalog.directory, count=1, dimension=1, queries=1)
    assert (again.queries == catalog.queries).all()
    assert (again.kth[EVERY] == catalog.kth[EVERY]).all()


def test_the_quickest_setting_that_reaches_a_recall_counts() -> None:
    trials = [
        Trial(filter_name=EVERY, value=value, unit="ef", recall=found, each_ms=[took])
        for value, found, took in ((10, 0.9, 1.0), (20, 0.96, 3.0), (40, 0.97, 2.0), (80, 0.98, 4.0))
    ]
    reaching = just_reaching(trials, 0.95)
    assert reaching is not None
    assert reaching.value == 40
    assert just_reaching(trials, 0.99) is None
