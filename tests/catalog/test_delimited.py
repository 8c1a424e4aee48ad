from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.catalog.formats import Delimited, TableStream
from sartor.catalog.source import Findings


def rows_of(text: str) -> tuple[list[dict[str, object]], dict[str, tuple[str, ...]]]:
    """The cells of each row, and the places of each finding."""
    findings = Findings()
    table = TableStream(label="a.csv", stream=io.BytesIO(text.encode()), findings=findings)
    sniffed = Delimited.sniff(text)
    assert sniffed is not None
    rows = [dict(row.cells) for row in sniffed.rows(table)]
    return rows, {finding.case: finding.examples for finding in findings.snapshot()}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_seen_in_the_header(delimiter: str) -> None:
    rows, findings = rows_of(f"\n id {delimiter} image \n 1 {delimiter} a.jpg \n")

    assert rows == [{"id": "1", "image": "a.jpg"}]
    assert findings == {}


def test_a_delimiter_inside_quotes_is_not_seen() -> None:
    assert Delimited.sniff('"price, net, in EUR";id\n') == Delimited(delimiter=";")


def test_a_table_of_one_column_needs_no_delimiter() -> None:
    assert rows_of("image\na.jpg\n")[0] == [{"image": "a.jpg"}]


@pytest.mark.parametrize("text", ["", "\n\n", "\x80\x04\x95 pickle", "id,\x07\n"])
def test_a_line_that_is_no_header_is_no_table(text: str) -> None:
    assert Delimited.sniff(text) is None


def test_a_row_with_unquoted_commas_is_kept() -> None:
    rows, findings = rows_of("id,usage,name\n1,Casual,Polo, Brown, Shoes\n2,Casual,Plain\n")

    assert [row["name"] for row in rows] == ["Polo, Brown, Shoes", "Plain"]
    assert findings == {"rows with unquoted commas": ("line 2",)}


def test_excess_cells_of_other_delimiters_are_joined_too() -> None:
    rows, findings = rows_of("id;name\n1;a;b\n")

    assert rows == [{"id": "1", "name": "a;b"}]
    assert findings == {"rows with more cells than columns": ("line 2",)}


def test_empty_cells_at_the_end_are_no_excess() -> None:
    assert rows_of("id,name\n1,a,,\n") == ([{"id": "1", "name": "a"}], {})


def test_a_short_row_has_empty_cells() -> None:
    assert rows_of("id,name,size\n1\n\n2,b\n")[0] == [
        {"id": "1", "name": "", "size": ""},
        {"id": "2", "name": "b", "size": ""},
    ]


def test_quoted_cells_may_hold_delimiters_quotes_and_lines() -> None:
    rows, findings = rows_of('id,name,size\n1,"a, ""b""\nand c",M\n2,d,L\n')

    assert rows == [
        {"id": "1", "name": 'a, "b"\nand c', "size": "M"},
        {"id": "2", "name": "d", "size": "L"},
    ]
    assert findings == {}


def test_a_space_may_stand_before_a_quote() -> None:
    assert rows_of('id, name\n1, "a, b"\n') == ([{"id": "1", "name": "a, b"}], {})


def test_a_quote_inside_a_cell_is_text() -> None:
    assert rows_of('id,name\n1,5" heel\n2,b\n') == ([{"id": "1", "name": '5" heel'}, {"id": "2", "name": "b"}], {})


@pytest.mark.parametrize("following", ['2,"Def",L', "2,Def,L", '2,"D""ef",L', '2,5" heel,L'])
def test_a_quote_that_nobody_closes_swallows_no_row(following: str) -> None:
    rows, findings = rows_of(f'id,name,size\n1,"Abc,M\n{following}\n3,Ghi,S\n')

    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert rows[0] == {"id": "1", "name": '"Abc', "size": "M"}
    assert findings == {"rows with a stray quote": ("line 2",)}


def test_text_after_a_closing_quote_is_kept() -> None:
    assert rows_of('id,name\n1,"Bomber" jacket\n')[0] == [{"id": "1", "name": "Bomber jacket"}]


def test_a_cell_of_any_length_is_kept() -> None:
    long = "x, " * 100_000

    assert rows_of(f'id,name\n1,"{long}"\n2,b\n')[0][1] == {"id": "2", "name": "b"}


def test_columns_without_a_name_get_one_and_columns_of_one_name_are_joined() -> None:
    rows, _ = rows_of(",image,image,image\n7,a.jpg,,b.jpg\n8,,,\n")

    assert rows == [{"column_1": "7", "image": ("a.jpg", "b.jpg")}, {"column_1": "8", "image": ""}]


_cell = st.text(alphabet='ab ,;"\n\r\t|é', max_size=8)


@given(
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    rows=st.lists(st.tuples(_cell, _cell, _cell), max_size=6),
)
def test_what_a_csv_writer_wrote_is_read_back(delimiter: str, rows: list[tuple[str, str, str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter).writerows(
        [("id", "x", "y", "z"), *((f"r{number}", *row) for number, row in enumerate(rows))]
    )

    read, findings = rows_of(written.getvalue())

    assert [list(row.values()) for row in read] == [
        [f"r{number}", *(cell.strip() for cell in row)] for number, row in enumerate(rows)
    ]
    assert findings == {}


@given(tails=st.lists(st.text(alphabet="ab, '", max_size=10), max_size=8))
def test_no_mixture_of_commas_loses_a_row(tails: list[str]) -> None:
    rows, _ = rows_of("id,usage,name\n" + "".join(f"r{n},{tail}\n" for n, tail in enumerate(tails)))

    assert [row["id"] for row in rows] == [f"r{n}" for n in range(len(tails))]
