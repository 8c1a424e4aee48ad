"""Parquet is a source, also one with its pictures inside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sartor.errors import UnreadableTable
from tests.catalog.samples import PHOTO, Contents, read
from tests.fakes import BLUE, RED, photo


def parquet(path: Path, table: pa.Table) -> Path:
    pq.write_table(table, path)
    return path


def content(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())


def test_a_parquet_file_may_hold_its_pictures(tmp_path: Path) -> None:
    pictures = pa.array([{"bytes": photo(RED), "path": "r.png"}, {"bytes": photo(BLUE), "path": None}])
    file = parquet(tmp_path / "train.parquet", pa.table({"image": pictures, "title": ["Red", "Blue"]}))

    reading = read(file)
    assert reading.ids[0] == "r"
    assert [item.product.title for item in reading.products] == ["Red", "Blue"]
    assert [item.photos[0].read() for item in reading.products] == [photo(RED), photo(BLUE)]


def test_a_parquet_table_beside_photos_is_found(make_source: Callable[[Contents], Path]) -> None:
    table = pd.DataFrame({"id": [15970.0, None], "image": ["a.jpg", "b.jpg"], "price": [9.5, None]})
    reading = read(
        make_source({"products.parquet": content(pa.Table.from_pandas(table)), "a.jpg": PHOTO, "b.jpg": PHOTO})
    )

    assert reading.photos == {"15970": ["a.jpg"], "b": ["b.jpg"]}
    assert reading.attributes("15970") == {"price": 9.5}
    assert reading.counts["rows without an id, named after their photo"] == 1


def test_a_damaged_parquet_file_is_one_line(tmp_path: Path) -> None:
    file = parquet(tmp_path / "a.parquet", pa.table({"id": ["a"] * 999, "image": ["a.jpg"] * 999}))
    file.write_bytes(file.read_bytes()[:-9])

    with pytest.raises(UnreadableTable, match="it is damaged") as error:
        read(file)
    assert "\n" not in str(error.value)


def test_the_pieces_of_a_set_are_read_as_one(tmp_path: Path) -> None:
    for number, color in enumerate((RED, BLUE)):
        name = f"train-{number:05}-of-00002.parquet"
        parquet(
            tmp_path / name, pa.table({"image": [{"bytes": photo(color), "path": None}], "label": [f"l{number}"]})
        )

    reading = read(tmp_path)
    assert [item.photos[0].read() for item in reading.products] == [photo(RED), photo(BLUE)]
    assert [dict(item.product.attributes) for item in reading.products] == [{"label": "l0"}, {"label": "l1"}]
    assert not reading.counts
