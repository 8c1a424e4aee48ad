"""Parquet files as other tools write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sartor.catalog.vectors.files import read_vectors

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

MATRIX = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
LISTS = MATRIX.tolist()


def written(file: Path, ids: Any, embeddings: Any) -> Path:
    parquet.write_table(pa.table({"id": ids, "embedding": embeddings}), file)
    return file


@pytest.mark.parametrize(
    ("ids", "read"),
    [
        (pa.array([15970.0, None, 7.0]), ("15970", "", "7")),
        (pa.array([15970.0, float("nan"), 7.5]), ("15970", "", "7.5")),
        (pa.array([15970, 8, 7], pa.int64()), ("15970", "8", "7")),
        (pa.array([b"15970", "rot ä".encode(), None], pa.binary()), ("15970", "rot ä", "")),
        (pa.array(["0042", None, "a"]), ("0042", "", "a")),
        (pa.array(["0042", "a", "a"]).dictionary_encode(), ("0042", "a", "a")),
    ],
)
def test_an_id_is_the_same_whatever_type_its_column_has(tmp_path: Path, ids: Any, read: tuple[str, ...]) -> None:
    named = read_vectors(written(tmp_path / "e.parquet", ids, LISTS))
    assert (named.ids, named.names) == (read, read)


@pytest.mark.parametrize(
    "embeddings",
    [
        pa.array(LISTS, pa.list_(pa.float32())),
        pa.array(LISTS, pa.large_list(pa.float32())),
        pa.array(LISTS, pa.list_(pa.float32(), 4)),
        pa.array(LISTS, pa.list_view(pa.float32())),
        pa.array(LISTS, pa.large_list_view(pa.float32())),
        pa.FixedShapeTensorArray.from_numpy_ndarray(MATRIX.reshape(3, 2, 2)),
    ],
    ids=["list", "large list", "fixed list", "list view", "large list view", "tensor"],
)
def test_vectors_are_read_from_every_kind_of_list(tmp_path: Path, embeddings: Any) -> None:
    named = read_vectors(written(tmp_path / "e.parquet", ["a", "b", "c"], embeddings))
    assert np.array_equal(named.vectors, MATRIX)
    assert named.unread == ()
