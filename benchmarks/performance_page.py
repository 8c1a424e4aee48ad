"""Writes the tables of pages under ``docs/explanation`` from the results, so that no number is typed by hand.

A table stands between ``<!-- from results: NAME -->`` and ``<!-- end -->``; the prose around them stays.
A result of a whole run counts, ``results/NAME.json``; where there is none, that of the short set,
``results/short/NAME.json``, and the page says so.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.performance_tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXPLANATION = Path(__file__).resolve().parents[1] / "docs" / "explanation"
PAGES = (_EXPLANATION / "performance.md", _EXPLANATION / "recommendations.md")
RESULTS = Path(__file__).parent / "results"
SHORT = "short"

_BLOCK = re.compile(r"<!-- from results: (?P<name>[^>]+?) -->\n.*?<!-- end -->", re.DOTALL)


def write_pages(pages: Sequence[Path] = PAGES, results: Path = RESULTS) -> None:
    """Bring the tables of pages up to the results."""
    for page in pages:
        page.write_text(with_tables(page.read_text(encoding="utf-8"), results), encoding="utf-8")


def shown(pages: Sequence[Path] = PAGES) -> set[str]:
    """Benchmarks of which pages have a table."""
    texts = (page.read_text(encoding="utf-8") for page in pages)
    return {_benchmark(match["name"]) for text in texts for match in _BLOCK.finditer(text)}


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
