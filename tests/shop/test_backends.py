"""What a shop stands on: opened when first needed, once, and closed with the shop."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from sartor import Shop
from sartor.shop.backends import Lazy
from tests.fakes import GREEN, RED, folder_of


class Opened:
    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_a_lazy_value_is_made_once_however_many_threads_ask() -> None:
    made: list[Opened] = []
    together = Barrier(8)

    def make() -> Opened:
        made.append(Opened())
        return made[-1]

    lazy = Lazy(make)

    def ask() -> Opened:
        together.wait()
        return lazy()

    assert lazy.made is None
    with ThreadPoolExecutor(8) as pool:
        values = [future.result() for future in [pool.submit(ask) for _ in range(8)]]
    assert len(made) == 1
    assert {id(value) for value in values} == {id(lazy.made)}


def test_a_closed_value_is_made_anew() -> None:
    lazy = Lazy(Opened)
    first = lazy()
    lazy.close()
    assert first.closed
    assert lazy.made is None
    assert lazy() is not first


def test_what_cannot_be_closed_is_forgotten() -> None:
    lazy = Lazy(dict[str, int])
    first = lazy()
    lazy.close()
    assert lazy() is not first


def test_a_value_that_could_not_be_made_is_tried_again() -> None:
    answers = iter([OSError("not yet"), "there"])

    def make() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    lazy = Lazy(make)
    with pytest.raises(OSError, match="not yet"):
        lazy()
    assert lazy() == "there"


def test_first_queries_from_many_threads_open_one_index(shop: Shop, home: Path, tmp_path: Path) -> None:
    shop.index(folder_of(tmp_path / "photos", {"red": RED, "green": GREEN}))
    shop._models.close()
    together = Barrier(6)

    def ask() -> str:
        together.wait()
        return shop.similar(product="red", k=1)[0].product_id

    with ThreadPoolExecutor(6) as pool:
        assert {future.result() for future in [pool.submit(ask) for _ in range(6)]} == {"green"}
    assert not shop.check()
