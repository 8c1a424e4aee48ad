"""Readers of other packages: found by their entry points, asked in order, and no harm when they are broken."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sartor.catalog import open_source
from sartor.errors import UnreadableTable, UnrecognizedSource
from sartor.testing import check_source_reader
from tests.catalog.samples import read
from tests.fakes import BLUE, RED, photo

ACME = """
import json

class Reader:
    name = "Acme export"
    priority = {priority}

    def recognizes(self, path, start):
        return start.startswith({start!r})

    def read(self, path):
        for line in path.read_text().splitlines()[1:]:
            yield json.loads(line)
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a package as pip does: a module, and a folder with its entry points."""
    modules: list[str] = []

    def install(package: str, code: str, *, name: str | None = None, target: str = "Reader") -> None:
        site = tmp_path / "site" / package
        about = site / f"{package}-1.0.dist-info"
        about.mkdir(parents=True)
        (site / f"{package}.py").write_text(code)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[sartor.sources]\n{name or package} = {package}:{target}\n")
        monkeypatch.syspath_prepend(str(site))
        modules.append(package)

    yield install
    for module in modules:
        sys.modules.pop(module, None)


def acme(*, priority: int = 0, start: bytes = b"ACME") -> str:
    return ACME.format(priority=priority, start=start)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    (tmp_path / "red.png").write_bytes(photo(RED))
    file = tmp_path / "day.acme"
    row = {"id": "a", "title": "Shirt", "image": "red.png", "price": "9,99 €", "fabric": None}
    file.write_text(f"ACME 1.0\n{json.dumps(row)}\n")
    return file


def test_a_reader_of_another_package_reads_its_files(install: Install, export: Path) -> None:
    with pytest.raises((UnrecognizedSource, UnreadableTable)):
        read(export)

    install("acme_reader", acme())
    reading = read(export)
    assert (reading.kind, reading.ids) == ("Acme export", ["a"])
    assert reading.attributes("a") == {"price": "9.99 EUR"}
    assert reading.photos == {"a": ["red.png"]}
    assert reading.counts == {"empty columns": 1}
    with open_source(export, columns={"brand": "title"}) as source:
        assert ("title", "brand") in source.mapping


def test_sartors_own_readers_come_first_unless_a_priority_says_otherwise(install: Install, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text('id,image\n{"id":"theirs","image":"x.jpg"}\n')

    install("polite", acme(start=b"id,image"))
    assert read(table).kind == "table"
    install("eager", acme(start=b"id,image", priority=1))
    assert read(table).ids == ["theirs"]
    assert read(table).kind == "Acme export"


def test_the_highest_priority_wins_then_the_name_and_the_others_are_said(install: Install, export: Path) -> None:
    install("zeta", acme(priority=5).replace("Acme export", "Zeta"))
    install("beta", acme(priority=5).replace("Acme export", "Beta"))
    install("alpha", acme().replace("Acme export", "Alpha"))

    reading = read(export)
    assert reading.kind == "Beta"
    assert reading.examples["other readers that know the source as theirs, not used"] == (
        "zeta (zeta), after beta (beta)",
    )


def test_of_two_readers_of_one_name_the_first_package_is_used(install: Install, export: Path) -> None:
    install("second", acme().replace("Acme export", "Second"), name="acme")
    install("first", acme().replace("Acme export", "First"), name="acme")

    reading = read(export)
    assert reading.kind == "First"
    assert reading.examples["readers of other packages that cannot be used"] == (
        "acme (second): acme (first) has the same name, and is used",
    )


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nothing_of_that_name\n", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("class Reader:\n    name = 'x'\n", "TypeError: it has no recognizes and no read"),
        ("x = 1\n", "AttributeError: module 'broken' has no attribute 'Reader'"),
        ("class Reader:\n    def __init__(self):\n        raise OSError('a\\nb')\n", "OSError: a"),
        (
            acme()
            .replace('return start.startswith(b"ACME")', "1 / 0")
            .replace("return start.startswith(b'ACME')", "1 / 0"),
            "ZeroDivisionError: division by zero",
        ),
    ],
)
def test_a_broken_reader_is_one_line_and_stops_no_other(
    code: str, reason: str, install: Install, export: Path, caplog: pytest.LogCaptureFixture
) -> None:
    install("broken", code)
    install("working", acme())

    reading = read(export)
    assert reading.ids == ["a"]
    assert reading.examples["readers of other packages that cannot be used"] == (f"broken (broken): {reason}",)
    assert all("\n" not in record.getMessage() for record in caplog.records)
    caplog.clear()


def test_a_reader_that_fails_within_a_file_says_so(install: Install, export: Path) -> None:
    install("failing", acme())
    export.write_text("ACME\nno json\n")

    with pytest.raises(UnreadableTable, match=r"its reader failing \(failing\) failed: JSONDecodeError") as error:
        read(export)
    assert "\n" not in str(error.value)


class Acme:
    """A reader as its author has it in the package."""

    name = "Acme export"

    def recognizes(self, path: Path, start: bytes) -> bool:
        return start.startswith(b"ACME")

    def read(self, path: Path) -> Any:
        return [json.loads(line) for line in path.read_text().splitlines()[1:]]


def test_the_contract_is_kept_by_a_reader_of_rows_and_one_of_a_data_frame(export: Path) -> None:
    class Framed(Acme):
        def read(self, path: Path) -> Any:
            return pd.DataFrame({"id": [1.0, None], "picture": [photo(RED), photo(BLUE)]})

    assert [offered.product.id for offered in check_source_reader(Acme(), export)] == ["a"]
    assert len(check_source_reader(Framed(), export)) == 2


def unnamed(reader: Acme) -> None:
    reader.name = ""


def takes_all(reader: Acme) -> None:
    reader.recognizes = lambda path, start: True  # type: ignore[method-assign]


def takes_none(reader: Acme) -> None:
    reader.recognizes = lambda path, start: False  # type: ignore[method-assign]


def stumbles(reader: Acme) -> None:
    reader.recognizes = lambda path, start: start[:4].decode() == "ACME"  # type: ignore[method-assign]


def gives(rows: list[Mapping[str, Any]]) -> Callable[[Acme], None]:
    def change(reader: Acme) -> None:
        reader.read = lambda path: rows  # type: ignore[method-assign]

    return change


def changes(reader: Acme) -> None:
    counted = iter(range(99))
    reader.read = lambda path: [{"id": str(next(counted)), "image": "red.png"}]  # type: ignore[method-assign]


def destroys(reader: Acme) -> None:
    def read(path: Path) -> Any:
        path.write_text("ACME")
        return [{"id": "a", "image": "red.png"}]

    reader.read = read  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (unnamed, "name is a text"),
        (takes_all, "returns False for what is not its own, such as empty"),
        (takes_none, "returns True for day.acme"),
        (stumbles, "recognizes raises nothing, and did UnicodeDecodeError for noise.bin"),
        (gives([{"id": "a", "image": "gone.png"}]), "a product has a photo that is there .*not found"),
        (gives([{"id": None, "image": None}]), "at least one product"),
        (changes, "gives the same products"),
        (destroys, "leaves it as it is"),
    ],
)
def test_the_contract_says_what_is_wrong(fault: Callable[[Acme], None], said: str, export: Path) -> None:
    reader = Acme()
    fault(reader)

    with pytest.raises(AssertionError, match=said):
        check_source_reader(reader, export)
