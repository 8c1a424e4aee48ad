from __future__ import annotations

import math
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from xml.etree.ElementTree import Element

import numpy as np
import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("matplotlib", reason="needs sartor[report]")

from sartor.evaluation.intervals import Interval
from sartor.evaluation.report.plots import (
    Series,
    category_plot,
    confusion_plot,
    curve_plot,
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
    "curve": lambda model, key: curve_plot(
        [Series(name=model.model, points=((0, 1), (1, 2)))], title=model.model, x_label="x", y_label="y", key=key
    ),
}
NUMBERS = st.floats(-1e12, 1e12).filter(lambda value: value == 0 or abs(value) > 1e-12)


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


def chart(*series: Series, title: str = "Loss") -> Element:
    return fromstring(curve_plot(series, title=title, x_label="step", y_label="loss", key="k"))


def labels(svg: Element) -> list[str]:
    return ["".join(each.itertext()) for each in svg.iter("text")]


def strokes(svg: Element) -> list[Element]:
    """The lines within the axes; those of the legend are not clipped."""
    return [
        path
        for path in svg.iter("path")
        if "clip-path" in path.attrib and "stroke-width: 2" in path.get("style", "")
    ]


def lines(svg: Element) -> list[list[tuple[float, float]]]:
    return [
        [(float(x), float(y)) for x, y in re.findall(r"[ML] (\S+) (\S+)", path.attrib["d"])]
        for path in strokes(svg)
    ]


def color_of(path: Element) -> str:
    (color,) = re.findall(r"stroke: (#\w+)", path.attrib["style"])
    return color


def test_a_chart_has_an_accessible_title_its_labels_and_a_legend() -> None:
    svg = chart(Series(name="seed 1", points=((0, 1), (2, 3))), Series(name="seed 2", points=((0, 2), (2, 1))))
    assert svg.attrib["role"] == "img"
    assert svg[0].tag == "title"
    assert svg[0].text == "Loss"
    assert {"Loss", "step", "loss", "seed 1", "seed 2"} <= set(labels(svg))
    assert len(lines(svg)) == 2


def test_a_larger_value_is_further_right_and_further_up() -> None:
    [[(first_x, first_y), (second_x, second_y)]] = lines(chart(Series(name="a", points=((0, 1), (2, 3)))))
    assert second_x > first_x
    assert second_y < first_y


def test_a_point_that_is_not_finite_is_left_out_and_its_neighbors_are_joined() -> None:
    points = ((0.0, 1.0), (1.0, math.nan), (2.0, 3.0), (math.nan, 2.0), (3.0, math.inf))
    svg = curve_plot([Series(name="a", points=points)], title="t", x_label="x", y_label="y", key="k")
    assert lines(fromstring(svg)) == lines(chart(Series(name="a", points=((0, 1), (2, 3))), title="t"))
    assert "nan" not in svg


@pytest.mark.parametrize("points", [None, (), ((1.0, math.nan),)])
def test_a_chart_without_points_says_no_data(points: tuple[tuple[float, float], ...] | None) -> None:
    svg = chart(*([] if points is None else [Series(name="a", points=points)]))
    assert "no data" in labels(svg)
    assert not any(lines(svg))


def test_an_empty_series_stays_in_the_legend_and_its_neighbors_keep_their_color() -> None:
    full, empty = Series(name="full", points=((0, 1), (1, 2))), Series(name="empty", points=())
    svg = chart(empty, full)
    assert {"full", "empty"} <= set(labels(svg))
    [line] = [path for path in strokes(svg) if path.attrib["d"]]
    [_, both] = strokes(chart(full, full))
    assert color_of(line) == color_of(both)


def test_a_single_point_is_a_dot_and_many_points_are_a_line_alone() -> None:
    def dots(svg: Element) -> int:
        clipped = (group for group in svg.iter("g") if "clip-path" in group.attrib)
        return sum(len(list(group.iter("use"))) for group in clipped)

    assert dots(chart(Series(name="a", points=((1, 1),)))) == 1
    many = Series(name="a", points=tuple((step, step**0.5) for step in range(200)))
    assert dots(chart(many)) == 0


def test_36_lines_differ_in_color_or_dashes_and_the_chart_grows_with_its_legend() -> None:
    many = chart(*(Series(name=f"a rather long name {number}", points=((0, 0), (1, 1))) for number in range(36)))
    drawn = {
        (color_of(path), *re.findall(r"stroke-dasharray: ([\d., ]+)", path.attrib["style"]))
        for path in strokes(many)
    }
    assert len(drawn) == 36
    height = float(many.attrib["viewBox"].split()[3])
    assert all(float(text.attrib["y"]) < height for text in many.iter("text") if "y" in text.attrib)


def test_texts_of_a_chart_are_escaped_and_a_long_name_is_cut() -> None:
    series = [Series(name="<script>" + "x" * 500, points=((0, 0),))]
    svg = curve_plot(series, title='<a & "b">', x_label="<i>", y_label="<u>", key="k")
    assert not re.search("<(script|a|i|u)[ >]", svg)
    assert '<title>&lt;a &amp; "b"&gt;</title>' in svg
    assert "x…</text>" in svg


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ((0, 1200), ("0", "500", "1,000")),
        ((0, 3), ("0", "1", "2", "3")),
        ((0.31, 0.83), ("0.4", "0.6", "0.8")),
        ((-1.0, 0.5), ("\N{MINUS SIGN}1", "\N{MINUS SIGN}0.5", "0", "0.5")),
        ((0, 5e-5), ("0", "2e\N{MINUS SIGN}05", "4e\N{MINUS SIGN}05")),
        ((0, 25_000), ("10,000", "20,000")),
        ((0, 4e9), ("2e+09", "4e+09")),
    ],
)
def test_ticks_are_few_round_and_short(values: tuple[float, ...], ticks: tuple[str, ...]) -> None:
    points = tuple((float(number), value) for number, value in enumerate(values))
    found = labels(chart(Series(name="a", points=points)))
    assert set(ticks) <= set(found)
    assert len(found) <= 20
    assert max(map(len, found)) <= 7


@settings(deadline=None, max_examples=15)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=9))
def test_a_line_lies_within_its_axes(points: list[tuple[float, float]]) -> None:
    svg = chart(Series(name="a", points=tuple(points)))
    width, height = map(float, svg.attrib["viewBox"].split()[2:])
    [line] = lines(svg)
    assert len(line) == len(points)
    assert all(0 < x < width and 0 < y < height for x, y in line)
