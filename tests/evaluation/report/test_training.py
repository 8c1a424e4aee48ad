from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("matplotlib", reason="needs sartor[train]")

from sartor.evaluation.intervals import Interval
from sartor.evaluation.report import page as report_page
from sartor.evaluation.report.plots import Series
from sartor.evaluation.report.training import CategoryFigure, Chart, Figure, RunReport, html_report, write_report
from sartor.evaluation.sheets import SheetRow, Tile

_HOSTILE = "<script>alert(\"1\")</script> & 'more'"
_VOID = {"meta", "img", "path", "circle", "polyline"}


def interval(mean: float, *, count: int = 1200) -> Interval:
    return Interval(mean=mean, low=mean - 0.01, high=mean + 0.01, count=count)


def category(value: str, change: float, *, base: float = 0.5) -> CategoryFigure:
    return CategoryFigure(attribute="subCategory", value=value, count=1500, base=base, new=base + change)


def row(caption: str) -> SheetRow:
    tile = Tile(image=Image.new("RGB", (3, 4)), caption=(caption,))
    return SheetRow(query=(tile,), hits=(tile, tile))


def report(  # noqa: PLR0913 - the parts of a report, each with a default
    *,
    text: str = "text",
    figures: tuple[Figure, ...] = (),
    categories: tuple[CategoryFigure, ...] = (),
    curves: tuple[Chart, ...] = (),
    before: tuple[SheetRow, ...] = (),
    after: tuple[SheetRow, ...] = (),
) -> RunReport:
    return RunReport(
        title=text,
        verdict=text,
        facts=((text, text),),
        curves=curves,
        figures=figures,
        categories=categories,
        sheets_before=before,
        sheets_after=after,
    )


def full_report(text: str) -> RunReport:
    line = Series(name=text, points=((0, 1), (1, 2)))
    return report(
        text=text,
        curves=(Chart(title=text, x_label=text, y_label=text, series=(line,)),),
        figures=(Figure(name=text, base=interval(0.6), new=interval(0.7), target=0.65),),
        categories=(CategoryFigure(attribute=text, value=text, count=3, base=0.1, new=0.2),),
        before=(row(text),),
        after=(row(text),),
    )


def plain(html: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", html).split())


def cells(page: str) -> list[str]:
    """What the first table's first row says, cell by cell."""
    found = re.search("<tbody>\n<tr>(.*?)</tr>", page, re.DOTALL)
    assert found
    return [plain(cell) for cell in re.findall("<t[hd].*?</t[hd]>", found[1], re.DOTALL)]


class Nesting(HTMLParser):
    """Collects the tags and asserts that each one is closed in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(page: str) -> Nesting:
    nesting = Nesting()
    nesting.feed(page)
    nesting.close()
    assert not nesting.open
    return nesting


@pytest.mark.parametrize("text", ["text", _HOSTILE])
def test_a_page_is_well_formed_and_asks_for_nothing_outside(text: str) -> None:
    page = html_report(full_report(text))
    tags = parsed(page).tags
    assert not {"script", "link", "iframe"} & {tag for tag, _ in tags}
    for _, attributes in tags:
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("src") or "data:image/jpeg").startswith("data:image/jpeg")
        assert (attributes.get("href") or "#").startswith("#")
    assert not re.search(r"url\((?!#)", page)
    assert "@import" not in page


def test_every_text_is_escaped() -> None:
    page = html_report(full_report(_HOSTILE))
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 12


def test_a_page_follows_the_color_scheme_and_the_paper() -> None:
    page = html_report(report())
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    assert 'name="viewport"' in page


def test_a_figure_shows_both_means_their_intervals_the_difference_and_the_target() -> None:
    figure = Figure(name="Agreement at 10", base=interval(0.612), new=interval(0.684, count=900), target=0.65)
    assert cells(html_report(report(figures=(figure,)))) == [
        "Agreement at 10",
        "0.612 0.602 to 0.622 n = 1,200",
        "0.684 0.674 to 0.694 n = 900",
        "+0.072",
        "0.650 reached",
    ]


@pytest.mark.parametrize(
    ("new", "target", "shown"),
    [
        (0.65, 0.65, "0.650 reached"),
        (0.6499, 0.65, "0.650 not reached"),
        (None, 0.65, "0.650 not measured"),
        (math.nan, 0.65, "0.650 not measured"),
        (0.7, None, "no target"),
    ],
)
def test_whether_a_target_is_reached_is_said_in_words(new: float | None, target: float | None, shown: str) -> None:
    figure = Figure(name="a", base=None, new=None if new is None else interval(new), target=target)
    name, base, _, difference, outcome = cells(html_report(report(figures=(figure,))))
    assert (name, base, difference, outcome) == ("a", "not measured", "\N{EN DASH}", shown)


@pytest.mark.parametrize(
    ("base", "new", "shown"),
    [
        (0.331, 0.322, "\N{MINUS SIGN}0.009"),
        (0.5, 0.50001, "0.000"),
        (0.50001, 0.5, "0.000"),
        (400.0, 512.25, "+112.2"),
        (9000.0, 12500.0, "+3,500"),
    ],
)
def test_a_difference_has_a_sign_unless_it_rounds_to_zero(base: float, new: float, shown: str) -> None:
    figure = Figure(name="a", base=interval(base), new=interval(new))
    assert cells(html_report(report(figures=(figure,))))[3] == shown


def extremes(page: str) -> tuple[list[str], list[str]]:
    best, worst = re.findall("<h3>(?:Best|Worst)</h3>(.*?)</div>", page, re.DOTALL)
    return re.findall(r'row">(\w+)', best), re.findall(r'row">(\w+)', worst)


@pytest.mark.parametrize(
    ("changes", "best", "worst"),
    [
        ({"a": 0.1, "b": -0.1, "c": 0.3, "d": 0.0, "e": 0.2, "f": 0.05, "g": -0.2}, "cea", "gbd"),
        ({"a": 0.1, "b": -0.1, "c": 0.3}, "ca", "b"),
        ({"a": 0.1}, "a", ""),
        ({"a": math.nan, "b": 0.1, "c": 0.2}, "c", "b"),
    ],
)
def test_the_three_best_and_the_three_worst_have_no_category_in_common(
    changes: dict[str, float], best: str, worst: str
) -> None:
    page = html_report(report(categories=tuple(category(value, change) for value, change in changes.items())))
    assert extremes(page) == (list(best), list(worst))


def test_the_whole_category_table_is_folded_and_keeps_its_order() -> None:
    page = html_report(report(categories=tuple(category(value, 0.1) for value in "dbca")))
    [folded] = re.findall("<details>(.*?)</details>", page, re.DOTALL)
    assert "All 4 categories" in folded
    assert re.findall(r'row">(\w)', folded) == list("dbca")
    assert cells(folded) == ["d subCategory", "1,500", "0.500", "0.600", "+0.100"]


def test_a_query_has_its_answers_before_and_after_in_one_pair() -> None:
    page = html_report(report(before=(row("old 1"), row("old 2")), after=(row("new 1"),)))
    first, second = page.split('<div class="pair">')[1:]
    assert "old 1" in first
    assert "new 1" in first
    assert "old 2" in second
    assert "No row." in second
    assert page.count("<img ") == 9


def test_an_empty_part_says_so() -> None:
    page = html_report(report())
    assert page.count("None in this run.") == 4
    parsed(page)


def test_a_report_is_written_whole_and_replaces_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "run.html"
    for text in ("first", "é second"):
        write_report(path, report(text=text))
    assert path.read_text(encoding="utf-8") == html_report(report(text="é second"))
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_former_report_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError("disk full")

    path = tmp_path / "run.html"
    path.write_text("former")
    monkeypatch.setattr(report_page.os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_report(path, report())
    assert path.read_text() == "former"
    assert list(tmp_path.iterdir()) == [path]
