from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.catalog.formats import JsonLines, TableStream
from sartor.catalog.source import Findings


def rows_of(*lines: str) -> tuple[list[dict[str, object]], dict[str, tuple[str, ...]]]:
    findings = Findings()
    stream = io.BytesIO("\n".join(lines).encode())
    rows = [dict(row.cells) for row in JsonLines().rows(TableStream(label="a", stream=stream, findings=findings))]
    return rows, {finding.case: finding.examples for finding in findings.snapshot()}


def test_values_keep_their_types() -> None:
    rows, _ = rows_of('{"id": 7, "price": 9.5, "sale": true, "name": "é", "tags": ["a", "b"], "size": null}')

    assert rows == [
        {"id": 7, "price": 9.5, "sale": True, "name": "é", "tags": ("a", "b"), "size": None},
    ]


def test_objects_become_columns_with_a_dot_and_what_lies_deeper_is_json() -> None:
    rows, _ = rows_of(
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
    rows, findings = rows_of(
        '{"id": 1}', "", '{"id": ', "[1]", "null", f'{{"id": {deep}', "9" * 5_000, '{"id": 2}'
    )

    assert rows == [{"id": 1}, {"id": 2}]
    assert findings == {
        "lines that are not a JSON object, skipped": ("line 3", "line 4", "line 5", "line 6", "line 7")
    }


def test_numbers_that_no_store_holds_are_text_or_missing() -> None:
    rows, _ = rows_of('{"large": 9223372036854775808, "least": -1, "nan": NaN, "infinite": 1e999}')

    assert rows == [{"large": "9223372036854775808", "least": -1, "nan": None, "infinite": None}]


def test_half_a_surrogate_pair_becomes_text_that_can_be_stored() -> None:
    rows, _ = rows_of(r'{"name": "\ud83d shoe", "tags": ["\ude00"], "\ud800": 1}')

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
    rows, findings = rows_of(json.dumps(values))

    assert findings == {}
    for column, cell in rows[0].items():
        assert isinstance(cell, (str, int, float, bool, tuple, type(None)))
        json.dumps([column, cell], allow_nan=False, ensure_ascii=False).encode()


def test_a_line_separator_inside_a_text_is_no_end_of_line() -> None:
    assert JsonLines.sniff('{"id": "a", "title": "one\u2028two"}') is not None
