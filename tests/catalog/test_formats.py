"""Delimited text, JSON Lines, and the decoding of lines."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.catalog import formats as text_lines
from sartor.catalog.formats import Delimited, JsonLines, TableStream, TextLines
from sartor.catalog.source import Findings
from sartor.errors import UnreadableTable


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


def json_rows_of(*lines: str) -> tuple[list[dict[str, object]], dict[str, tuple[str, ...]]]:
    findings = Findings()
    stream = io.BytesIO("\n".join(lines).encode())
    rows = [dict(row.cells) for row in JsonLines().rows(TableStream(label="a", stream=stream, findings=findings))]
    return rows, {finding.case: finding.examples for finding in findings.snapshot()}


def test_values_keep_their_types() -> None:
    rows, _ = json_rows_of('{"id": 7, "price": 9.5, "sale": true, "name": "é", "tags": ["a", "b"], "size": null}')

    assert rows == [
        {"id": 7, "price": 9.5, "sale": True, "name": "é", "tags": ("a", "b"), "size": None},
    ]


def test_objects_become_columns_with_a_dot_and_what_lies_deeper_is_json() -> None:
    rows, _ = json_rows_of(
        '{"id": "1", "details": {"fabric": "wool", "care": {"wash": 30}}, "sizes": [{"eu": 38}], "x": {}, "y": []}'
    )

    assert rows == [
        {
            "id": "1",
            "details.fabric": "wool",
            "details.care": '{"wash": 30}',
            "sizes": '[{"eu": 38}]',
            "y": None,
        }
    ]


def test_a_malformed_line_is_counted_and_skipped() -> None:
    deep = "[" * 100_000
    rows, findings = json_rows_of(
        '{"id": 1}', "", '{"id": ', "[1]", "null", f'{{"id": {deep}', "9" * 5_000, '{"id": 2}'
    )

    assert rows == [{"id": 1}, {"id": 2}]
    assert findings == {
        "lines that are not a JSON object, skipped": ("line 3", "line 4", "line 5", "line 6", "line 7")
    }


def test_numbers_that_no_store_holds_are_text_or_missing() -> None:
    rows, _ = json_rows_of('{"large": 9223372036854775808, "least": -1, "nan": NaN, "infinite": 1e999}')

    assert rows == [{"large": "9223372036854775808", "least": -1, "nan": None, "infinite": None}]


def test_half_a_surrogate_pair_becomes_text_that_can_be_stored() -> None:
    rows, _ = json_rows_of(r'{"name": "\ud83d shoe", "tags": ["\ude00"], "\ud800": 1}')

    assert rows == [{"name": "? shoe", "tags": ("?",), "?": 1}]


@pytest.mark.parametrize(
    ("head", "is_json_lines"),
    [
        ('{"id": 1}\n{"id": 2}\n', True),
        ('{"id": \n{"id": 2}\n', True),
        ('{\n  "id": 1\n}\n', False),
        ('[{"id": 1}]', False),
        ("id,image\n", False),
    ],
)
def test_the_format_is_seen_in_the_first_lines(head: str, *, is_json_lines: bool) -> None:
    assert (JsonLines.sniff(head) is not None) == is_json_lines


_text = st.text(alphabet='a."\\ \né\U0001f45f', max_size=5)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50)
@given(values=st.dictionaries(_text, _json, max_size=4))
def test_any_object_gives_cells_that_can_be_stored(values: dict[str, object]) -> None:
    rows, findings = json_rows_of(json.dumps(values))

    assert findings == {}
    for column, cell in rows[0].items():
        assert isinstance(cell, (str, int, float, bool, tuple, type(None)))
        json.dumps([column, cell], allow_nan=False, ensure_ascii=False).encode()


def test_a_line_separator_inside_a_text_is_no_end_of_line() -> None:
    assert JsonLines.sniff('{"id": "a", "title": "one\u2028two"}') is not None


def lines_of(content: bytes, findings: Findings | None = None) -> TextLines:
    return TextLines(TableStream(label="a.csv", stream=io.BytesIO(content), findings=findings or Findings()))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_any_system(end: str) -> None:
    assert list(lines_of(f"a{end}b{end}c".encode())) == [f"a{end}", f"b{end}", "c"]


def test_the_mark_of_utf8_is_no_text() -> None:
    assert list(lines_of("\ufeffid\n\ufeffé\n".encode())) == ["id\n", "\ufeffé\n"]


def test_a_line_that_is_not_utf8_is_read_as_windows_1252_and_counted() -> None:
    findings = Findings()

    lines = list(lines_of("café\n".encode() + "naïve € \n".encode("cp1252") + b"\x81\n", findings))

    assert lines == ["café\n", "naïve € \n", "\ufffd\n"]
    (finding,) = findings.snapshot()
    assert (finding.count, finding.examples) == (2, ("line 2", "line 3"))


def test_lines_that_are_taken_back_come_again_with_their_numbers() -> None:
    lines = lines_of(b"1\n2\n3\n")
    taken = [next(lines), next(lines), next(lines)]

    lines.take_back(taken[1:])

    assert lines.number == 1
    assert list(lines) == ["2\n", "3\n"]
    assert lines.number == 3


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_lines, "MAX_LINE_BYTES", 1_000)

    with pytest.raises(UnreadableTable, match=r"a\.csv .* line 2 is longer than 1,000 bytes"):
        list(lines_of(b"id\n" + b"x" * 1_000))
