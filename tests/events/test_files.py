from __future__ import annotations

from pathlib import Path

import pytest

from sartor.errors import SourceNotFound, UnreadableTable
from sartor.events.files import EventLine, open_events


def read(path: Path) -> tuple[list[EventLine], dict[str, int]]:
    with open_events(path) as file:
        lines = list(file)
        assert file.read_bytes == file.size_bytes
        return lines, dict(file.ignored)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_csv_is_read_by_its_header_however_it_is_written(file: Path) -> None:
    file.write_text(
        '\ufeffType;User ID;productId;TIMESTAMP\nlike;ann;p-1;"2025-01-01"\n\nview;bob;"a;b";5\n', "utf-8"
    )
    lines, ignored = read(file)
    assert lines == [
        EventLine(
            location="line 2",
            fields={"type": "like", "user_id": "ann", "product_id": "p-1", "timestamp": "2025-01-01"},
        ),
        EventLine(
            location="line 4", fields={"type": "view", "user_id": "bob", "product_id": "a;b", "timestamp": "5"}
        ),
    ]
    assert ignored == {}


def test_json_lines_keep_their_numbers_and_lists(file: Path) -> None:
    file.write_text('{"type": "like", "user_id": 7, "price": 9.5, "product_id": ["p"]}\n\n{"type": null}\n')
    lines, _ = read(file)
    assert [line.fields for line in lines] == [
        {"type": "like", "user_id": 7, "price": 9.5, "product_id": ["p"]},
        {"type": None},
    ]
    assert [line.location for line in lines] == ["line 1", "line 3"]


def test_lines_that_hold_no_object_are_told_by_their_number(file: Path) -> None:
    file.write_text('{"type": "like"}\nnonsense\n[1]\n' + "[" * 99_999 + '\n{"position": ' + "9" * 5000 + "}\n{}")
    lines, _ = read(file)
    assert [(line.location, line.fields) for line in lines[1:]] == [
        ("line 2", None), ("line 3", None), ("line 4", None), ("line 5", None), ("line 6", {}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "type,user_id,device,note\nlike,a,phone,\nlike,b,phone,x\nlike,c,,\n",
        '{"type": "like", "device": "phone", "note": ""}\n{"device": "phone", "note": "x"}\n{"device": null}\n',
    ],
)
def test_other_columns_are_ignored_and_counted(file: Path, text: str) -> None:
    file.write_text(text)
    lines, ignored = read(file)
    assert len(lines) == 3
    assert ignored == {"device": 2, "note": 1}


def test_what_is_odd_in_a_csv_is_counted(file: Path) -> None:
    file.write_bytes(b'type,user_id,query\nsearch,a,"red" boots\nsearch,b,caf\xe9\n')
    with open_events(file) as opened:
        lines = list(opened)
        cases = [finding.case for finding in opened.findings.snapshot()]
    assert [line.fields["query"] for line in lines] == ["red boots", "café"]
    assert cases == ["rows with a stray quote", "lines that are not UTF-8, read as Windows-1252"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\x00\x01", "it is not text"),
        (b'[{"type": "like"}]', "it is JSON, but not one object a line"),
        (b"user_id,product_id\na,b\n", "it has no column type (its columns: user_id, product_id)"),
        (b"type,product_id\nlike,b\n", "it has no column user_id or visitor_id"),
        (b'<rss xmlns:g="http://base.google.com/ns/1.0"><channel/></rss>', "it is"),
        ("type,user_id".encode("utf-16"), "it is UTF-16 text"),
    ],
)
def test_a_file_of_no_events_is_refused_in_one_line(file: Path, content: bytes, reason: str) -> None:
    file.write_bytes(content)
    with pytest.raises(UnreadableTable) as raised:
        read(file)
    assert f"{file} cannot be read as a table of events: {reason}" in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_a_line_without_end_is_refused_as_events(file: Path) -> None:
    file.write_bytes(b'{"type": "like"}\n' + b" " * (17 << 20))
    with pytest.raises(UnreadableTable, match="table of events: line 2 is longer"):
        read(file)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound):
        read(tmp_path / "none.csv")
    with pytest.raises(UnreadableTable, match="it is no file"):
        read(tmp_path)
