from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from xml.etree.ElementTree import Element

import numpy as np
import pytest
from defusedxml.ElementTree import fromstring

pytest.importorskip("matplotlib", reason="needs sartor[report]")

from sartor.evaluation.intervals import Interval
from sartor.evaluation.report.plots import (
    category_plot,
    confusion_plot,
    interval_plot,
    map_plot,
    reliability_plot,
    robustness_plot,
)
from sartor.evaluation.results import ModelResult
from tests.evaluation import samples

Draw = Callable[[ModelResult, str], str]

_PLOTS: dict[str, Draw] = {
    "interval": lambda model, key: interval_plot([model, model], metric="precision@10", key=key),
    "robustness": lambda model, key: robustness_plot([model, model], key=key),
    "category": lambda model, key: category_plot([model, model], metric="precision@10", key=key),
    "confusion": lambda model, key: confusion_plot(model.confusion, model=model.model, key=key),  # type: ignore[arg-type]
    "reliability": lambda model, key: reliability_plot([model, model], name="match", key=key),
    "map": lambda model, key: map_plot(model.map, model=model.model, key=key),  # type: ignore[arg-type]
}


def texts(svg: str) -> list[str]:
    return ["".join(each.itertext()) for each in fromstring(svg).iter("text")]


def ids(svg: str) -> list[str]:
    return [each.attrib["id"] for each in fromstring(svg).iter() if "id" in each.attrib]


@pytest.fixture(params=_PLOTS, scope="module")
def draw(request: pytest.FixtureRequest) -> Draw:
    return _PLOTS[request.param]


@pytest.fixture(params=[samples.HOSTILE, "襯衫\x00\n-->"], scope="module")
def svg(request: pytest.FixtureRequest, draw: Draw) -> str:
    return draw(samples.model(request.param, request.param), "k7")


def test_a_plot_asks_for_nothing_and_has_the_colors_of_the_page(svg: str) -> None:
    figure: Element = fromstring(svg)
    assert figure.get("role") == "img"
    assert figure.get("aria-label")
    assert [part.tag for part in figure][:2] == ["title", "desc"]
    assert not {"script", "style", "metadata", "image"} & {part.tag for part in figure.iter()}
    assert "http" not in svg
    assert "currentColor" in svg
    assert "#000000" not in svg
    assert "#0102" not in svg


def test_every_id_begins_with_the_key_and_every_reference_has_its_id(svg: str) -> None:
    mine = ids(svg)
    assert len(mine) == len(set(mine))
    assert all(each.startswith("k7-") for each in mine)
    assert set(re.findall(r'(?:url\(|href=")#([^)"]+)', svg)) <= set(mine)


def test_the_same_result_is_drawn_the_same_by_several_threads_at_once(draw: Draw) -> None:
    model = samples.model("a", "b")
    with ThreadPoolExecutor(2) as threads:
        drawn = set(threads.map(lambda _: draw(model, "p"), range(2)))
    assert len(drawn) == 1


def test_formulas_and_markup_in_names_are_text() -> None:
    svg = interval_plot([replace(samples.model("$a_1$ <b>", "c"))], metric="precision@10", key="p")
    assert "$a_1$ <b>" in texts(svg)


def test_what_is_not_known_leaves_no_mark() -> None:
    unknown = Interval(mean=np.nan, low=np.nan, high=np.nan, count=0)
    one = samples.minimal().models[0]
    none = replace(one, criteria=(replace(one.criteria[0], metrics={"mAP@R": unknown}),))
    assert "articleType" in texts(interval_plot([none], metric="mAP@R", key="p"))
    assert "articleType" in texts(interval_plot([one], metric="unheard of", key="p"))


def test_nothing_at_all_says_so() -> None:
    one = replace(samples.minimal().models[0], criteria=())
    assert texts(interval_plot([one], metric="mAP@R", key="p")) == ["no data"]
    assert texts(category_plot([one], metric="mAP@R", key="p")) == ["no data"]
    assert texts(robustness_plot([one], key="p")) == ["no data"]
    assert texts(interval_plot([], metric="mAP@R", key="p")) == ["no data"]


def test_categories_are_the_twenty_most_frequent_ones() -> None:
    shown = texts(category_plot([samples.model("a", "c")], metric="precision@10", key="p"))
    assert {"c 0", "c 19"} <= set(shown)
    assert "c 20" not in shown


def test_a_confusion_matrix_has_numbers_from_five_percent() -> None:
    shown = texts(confusion_plot(samples.confusion(), model="a", key="p"))
    assert [each for each in shown if each.isdigit()] == ["70", "25", "5", "10", "90"]


def test_a_map_numbers_the_twelve_most_frequent_values() -> None:
    labels = [f"v{number}" for number in range(14) for _ in range(20 - number)] + [""]
    shown = texts(map_plot(samples.catalog_map(labels), model="a", key="p"))
    assert [each for each in shown if each.isdigit()] == [str(number) for number in range(1, 13)]
    assert "12  v11" in shown
    assert "others" in shown
    assert not any("v12" in each for each in shown)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_map_of_next_to_nothing_is_drawn(count: int) -> None:
    assert map_plot(samples.catalog_map(["a"] * count), model="a", key="p")


def test_a_map_of_five_thousand_points_stays_small() -> None:
    of_catalog = samples.catalog_map([f"v{number % 30}" for number in range(6000)])
    assert len(map_plot(of_catalog, model="a", key="p")) < 250_000
