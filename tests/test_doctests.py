"""The examples in docstrings run, on a shop of four garments."""

from __future__ import annotations

import doctest
import importlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import sartor
from tests.copies import copied
from tests.fakes import BLUE, GREEN, RED, folder_of

SOURCES = Path(sartor.__file__).parent
TABLE = """id,image,title,articleType,gender,price
red,red.png,Red Tshirt,Tshirts,Women,20
pink,pink.png,Pink Tshirt,Tshirts,Women,25
green,green.png,Green Sneakers,Casual Shoes,Women,60
blue,blue.png,Blue Jeans,Jeans,Women,40
"""


def examples() -> Iterator[doctest.DocTest]:
    """Every docstring with an example, of whichever module; a private name's is found in its class only."""
    for file in sorted(SOURCES.rglob("*.py")):
        if "        >>> " in (text := file.read_text(encoding="utf-8")) or "\n    >>> " in text:
            parts = ("sartor", *file.relative_to(SOURCES).with_suffix("").parts)
            module = importlib.import_module(".".join(part for part in parts if part != "__init__"))
            finder = doctest.DocTestFinder(exclude_empty=True)
            yield from (found for found in finder.find(module) if found.examples)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, empty_home: Path) -> Path:
    """A directory with ``photos``, and ``shop``, which has them."""
    directory = tmp_path_factory.mktemp("examples")
    folder_of(directory / "photos", {"red": RED, "pink": (255, 120, 120), "green": GREEN, "blue": BLUE})
    (directory / "photos" / "products.csv").write_text(TABLE)
    copied(empty_home, directory / "shop")
    with sartor.open(directory / "shop") as shop:
        shop.index(directory / "photos")
    return directory


@pytest.mark.parametrize("example", list(examples()), ids=lambda example: example.name.removeprefix("sartor."))
def test_the_example_runs(
    example: doctest.DocTest, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copied(filled, tmp_path / "here"))
    example.globs |= {name: getattr(sartor, name) for name in sartor.__all__} | {"sartor": sartor, "time": time}
    asks_a_shop = (
        any("shop." in each.source for each in example.examples) and "sartor.open(" not in example.docstring
    )
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    said: list[str] = []
    if not asks_a_shop:
        runner.run(example, out=said.append)
    else:
        with sartor.open("shop") as shop:
            example.globs["shop"] = shop
            runner.run(example, out=said.append)
    assert not runner.failures, "".join(said)
