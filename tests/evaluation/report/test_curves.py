from __future__ import annotations

import math
import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.evaluation.report.curves import Series, nice_ticks, svg_curve

_SVG = "{http://www.w3.org/2000/svg}"
numbers = st.floats(-1e12, 1e12).filter(lambda value: value == 0 or abs(value) > 1e-12)


def chart(*series: Series, title: str = "Loss") -> ET.Element:
    return ET.fromstring(svg_curve(series, title=title, x_label="step", y_label="loss"))  # noqa: S314 - our own


def lines(svg: ET.Element) -> list[list[tuple[float, float]]]:
    return [
        [(float(x), float(y)) for x, y in (pair.split(",") for pair in line.attrib["points"].split())]
        for line in svg.iter(f"{_SVG}polyline")
    ]


def texts(svg: ET.Element) -> list[str]:
    return [text.text or "" for text in svg.iter(f"{_SVG}text")]


def test_a_chart_has_an_accessible_title_its_labels_and_a_legend() -> None:
    svg = chart(Series(name="seed 1", points=((0, 1), (2, 3))), Series(name="seed 2", points=((0, 2), (2, 1))))
    assert svg.attrib["role"] == "img"
    assert svg[0].tag == f"{_SVG}title"
    assert svg[0].text == "Loss"
    assert {"Loss", "step", "loss", "seed 1", "seed 2"} <= set(texts(svg))
    assert len(lines(svg)) == 2


def test_a_larger_value_is_further_right_and_further_up() -> None:
    [[(first_x, first_y), (second_x, second_y)]] = lines(chart(Series(name="a", points=((0, 1), (2, 3)))))
    assert second_x > first_x
    assert second_y < first_y


def test_a_point_that_is_not_finite_is_left_out() -> None:
    points = ((0.0, 1.0), (1.0, math.nan), (2.0, 3.0), (math.nan, 2.0), (3.0, math.inf))
    svg = chart(Series(name="a", points=points))
    assert lines(svg) == lines(chart(Series(name="a", points=((0, 1), (2, 3)))))
    assert "nan" not in ET.tostring(svg, encoding="unicode")


@pytest.mark.parametrize("points", [None, (), ((1.0, math.nan),)])
def test_a_chart_without_points_says_no_data(points: tuple[tuple[float, float], ...] | None) -> None:
    svg = chart(*([] if points is None else [Series(name="a", points=points)]))
    assert "no data" in texts(svg)
    assert not lines(svg)


def test_an_empty_series_keeps_its_place_in_the_legend_and_its_neighbors_their_color() -> None:
    full, empty = Series(name="full", points=((0, 1), (1, 2))), Series(name="empty", points=())
    svg = chart(empty, full)
    assert {"full", "empty"} <= set(texts(svg))
    [line] = svg.iter(f"{_SVG}polyline")
    [_, both] = chart(full, full).iter(f"{_SVG}polyline")
    assert line.attrib["stroke"] == both.attrib["stroke"]


def test_a_single_point_is_a_dot_and_many_points_are_a_line_alone() -> None:
    assert len(list(chart(Series(name="a", points=((1, 1),))).iter(f"{_SVG}circle"))) == 1
    many = Series(name="a", points=tuple((step, step**0.5) for step in range(200)))
    assert not list(chart(many).iter(f"{_SVG}circle"))


def test_36_lines_differ_in_color_or_dashes_and_the_chart_grows_with_its_legend() -> None:
    many = chart(*(Series(name=f"a rather long name {number}", points=((0, 0), (1, 1))) for number in range(36)))
    drawn = {(line.attrib["stroke"], line.get("stroke-dasharray")) for line in many.iter(f"{_SVG}polyline")}
    assert len(drawn) == 36
    height = float(many.attrib["viewBox"].split()[3])
    assert all(float(text.attrib["y"]) < height for text in many.iter(f"{_SVG}text"))


def test_texts_are_escaped_and_a_long_name_is_cut() -> None:
    svg = svg_curve(
        [Series(name="<script>" + "x" * 500, points=((0, 0),))], title='<a & "b">', x_label="<i>", y_label="<u>"
    )
    assert not re.search("<(script|a|i|u)[ >]", svg)
    assert "<title>&lt;a &amp; &quot;b&quot;&gt;</title>" in svg
    assert "x…</text>" in svg


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ((0, 1200), (0, 500, 1000, 1500)),
        ((0, 3), (0, 1, 2, 3)),
        ((0.31, 0.83), (0.2, 0.4, 0.6, 0.8, 1.0)),
        ((-1.0, 0.5), (-1.0, -0.5, 0, 0.5)),
        ((0, 5e-5), (0, 1e-5, 2e-5, 3e-5, 4e-5, 5e-5)),
        ((7,), (6, 7, 8)),
    ],
)
def test_ticks_are_nice(values: tuple[float, ...], ticks: tuple[float, ...]) -> None:
    assert nice_ticks(values) == pytest.approx(ticks)


@given(st.lists(numbers, min_size=1))
def test_ticks_rise_and_enclose_every_value(values: list[float]) -> None:
    ticks = nice_ticks(values)
    slack = 1e-6 * (ticks[-1] - ticks[0])
    assert ticks[0] - slack <= min(values)
    assert max(values) <= ticks[-1] + slack
    assert 2 <= len(ticks) <= 8
    assert all(low < high for low, high in pairwise(ticks))


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=9))
def test_a_line_lies_within_its_axes(points: list[tuple[float, float]]) -> None:
    svg = chart(Series(name="a", points=tuple(points)))
    width, height = map(float, svg.attrib["viewBox"].split()[2:])
    [line] = lines(svg)
    assert len(line) == len(points)
    assert all(0 < x < width and 0 < y < height for x, y in line)


@pytest.mark.parametrize(
    ("top", "shown"), [(4, "4"), (0.8, "0.8"), (5e-5, "5e\N{MINUS SIGN}5"), (25_000, "25,000"), (4e9, "4e9")]
)
def test_tick_labels_are_short(top: float, shown: str) -> None:
    labels = texts(chart(Series(name="a", points=((0, 0), (1, top)))))
    assert shown in labels
    assert len(set(labels)) >= 8


def test_a_value_below_zero_has_a_minus_sign_and_zero_has_none() -> None:
    labels = texts(chart(Series(name="a", points=((0, -0.2), (1, 0.2)))))
    assert "\N{MINUS SIGN}0.2" in labels
    assert "0.0" in labels
