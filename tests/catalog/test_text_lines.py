from __future__ import annotations

import io

import pytest

from sartor.catalog import formats as text_lines
from sartor.catalog.formats import TableStream, TextLines
from sartor.catalog.source import Findings
from sartor.errors import UnreadableTable


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
