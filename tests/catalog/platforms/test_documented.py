"""What each reader makes of which column is in the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from sartor.catalog.platforms import OBJECT_PLATFORMS, PLATFORMS

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "reference" / "sources.md"
READERS = {type(platform).__name__: platform for platform in (*PLATFORMS, *OBJECT_PLATFORMS)}


@pytest.mark.parametrize("reader", READERS)
def test_what_a_column_becomes_is_documented(reader: str) -> None:
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    for column, meaning in READERS[reader].meanings.items():
        assert any(column.split(", ")[0] in row and row.endswith(f"| {meaning} |") for row in rows), column
