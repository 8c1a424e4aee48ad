from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.performance_page import PAGES, RESULTS, SHORT, shown, with_tables, write_pages

if TYPE_CHECKING:
    from pathlib import Path

MARKED = "Prose.\n\n<!-- from results: startup -->\nan old table\n<!-- end -->\n\nMore prose.\n"


def save(directory: Path, *, seconds: float, computes_bf16: bool | None = False) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {
        "command": "python -m benchmarks startup",
        "measured_at": "2026-11-21T10:00:00+00:00",
        "machine": {"cpu": "a cpu", "cores": 2, "computes_bf16": computes_bf16},
        "figures": {"import sartor": {"median": seconds, "p95": 2 * seconds, "n": 3, "unit": "s"}},
    }
    (directory / "startup.json").write_text(json.dumps(result), encoding="utf-8")


@pytest.mark.parametrize("committed", PAGES, ids=lambda page: page.name)
def test_the_committed_pages_have_the_tables_of_the_committed_results(committed: Path) -> None:
    page = committed.read_text(encoding="utf-8")
    assert page == with_tables(page, RESULTS), "run: python -m benchmarks page"


def test_a_table_stands_between_its_markers_and_the_prose_stays(tmp_path: Path) -> None:
    save(tmp_path, seconds=0.05)
    text = with_tables(MARKED, tmp_path)
    assert "| `import sartor` | 50.0 | 100 |" in text
    assert "`python -m benchmarks startup` on 2026-11-21: a cpu, 2 cores, no bf16." in text
    assert text.startswith("Prose.\n\n<!-- from results: startup -->\n|")
    assert text.endswith("\n<!-- end -->\n\nMore prose.\n")
    assert "an old table" not in text
    assert with_tables(text, tmp_path) == text


def test_a_whole_run_counts_before_the_short_set(tmp_path: Path) -> None:
    save(tmp_path / SHORT, seconds=0.07)
    assert "70.0" in with_tables(MARKED, tmp_path)
    assert "; the short set." in with_tables(MARKED, tmp_path)
    save(tmp_path, seconds=0.05)
    assert "50.0" in with_tables(MARKED, tmp_path)
    assert "short set" not in with_tables(MARKED, tmp_path)


def test_a_benchmark_without_a_result_is_named(tmp_path: Path) -> None:
    assert "*Not measured yet: `python -m benchmarks startup`.*" in with_tables(MARKED, tmp_path)


def test_a_marker_of_no_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="nonsense"):
        with_tables(MARKED.replace("startup", "nonsense"), tmp_path)


def test_a_page_is_written_in_place_and_tells_what_it_shows(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(MARKED, encoding="utf-8")
    save(tmp_path, seconds=0.05)
    write_pages([page], tmp_path)
    assert "50.0" in page.read_text(encoding="utf-8")
    assert shown([page]) == {"startup"}
