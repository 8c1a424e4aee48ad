"""Writes the tables of ``docs/explanation/performance.md`` from the results, so that no number is typed by hand.

A table stands between ``<!-- from results: NAME -->`` and ``<!-- end -->``; the prose around them stays.
A result of a whole run counts, ``results/NAME.json``; where there is none, that of the short set,
``results/short/NAME.json``, and the page says so.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from benchmarks.performance_tables import TABLES

PAGE = Path(__file__).resolve().parents[1] / "docs" / "explanation" / "performance.md"
RESULTS = Path(__file__).parent / "results"
SHORT = "short"

_BLOCK = re.compile(r"<!-- from results: (?P<name>[^>]+?) -->\n.*?<!-- end -->", re.DOTALL)


def write_page(page: Path = PAGE, results: Path = RESULTS) -> None:
    """Bring the tables of a page up to the results."""
    page.write_text(with_tables(page.read_text(encoding="utf-8"), results), encoding="utf-8")


def shows(benchmark: str, page: Path = PAGE) -> bool:
    """Whether a page has a table of a benchmark."""
    names = (match["name"] for match in _BLOCK.finditer(page.read_text(encoding="utf-8")))
    return benchmark in {_benchmark(name) for name in names}


def with_tables(text: str, results: Path) -> str:
    """A page's text, with its tables as the results of a directory have them.

    Raises:
        KeyError: A marker names no table.
    """
    return _BLOCK.sub(lambda match: _block(match["name"], results), text)


def _block(name: str, results: Path) -> str:
    return f"<!-- from results: {name} -->\n{_table(name, results)}\n<!-- end -->"


def _table(name: str, results: Path) -> str:
    table, benchmark = TABLES[name], _benchmark(name)
    whole, short = results / f"{benchmark}.json", results / SHORT / f"{benchmark}.json"
    file = whole if whole.exists() else short
    if not file.exists():
        return f"*Not measured yet: `python -m benchmarks {benchmark}`.*"
    result = json.loads(file.read_bytes())
    machine, day = result["machine"], result["measured_at"][:10]
    bf16 = {True: ", bf16", False: ", no bf16", None: ""}[machine["computes_bf16"]]
    source = f"`{result['command']}` on {day}: {machine['cpu']}, {machine['cores']} cores{bf16}"
    of_the_short_set = "; the short set" if file == short else ""
    return f"{table(result).markdown}\n\n{source}{of_the_short_set}."


def _benchmark(name: str) -> str:
    return name.partition(",")[0]
