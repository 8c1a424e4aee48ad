from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs sartor[report]")

from sartor.evaluation.intervals import Interval
from sartor.evaluation.report import page
from sartor.evaluation.report.page import html_health_report, html_report, write_health_report, write_report
from sartor.evaluation.report.view import chance, number, percent, signed, verdict
from tests.evaluation import samples

_NONE = "\N{EN DASH}"
_VOID = {"meta", "img", "br"}
_PARTS = [
    *("setup", "results", "comparisons", "categories", "confusion", "lists"),
    *("calibration", "robustness", "approximate", "sheets", "map", "health"),
]


class Page(HTMLParser):
    """Collects tags and ids and asserts that each tag is closed in its place."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def values(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.tags if name in attributes]


def plain(html: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", html).split())


@pytest.fixture(scope="module")
def full() -> str:
    return html_report(samples.full(samples.HOSTILE))


@pytest.fixture(scope="module")
def least() -> str:
    return html_report(samples.minimal())


def test_a_page_is_well_formed_and_asks_for_nothing_outside(full: str) -> None:
    parsed = Page(full)
    ids = parsed.values("id")
    assert len(ids) == len(set(ids))
    assert all(each.startswith("data:image/jpeg") for each in parsed.values("src"))
    assert all(each[1:] in ids and each[0] == "#" for each in parsed.values("href"))
    assert all(each in ids for each in [*parsed.values("aria-labelledby"), *parsed.values("aria-describedby")])
    assert not {"link", "iframe", "form"} & {tag for tag, _ in parsed.tags}
    assert not any(name.startswith("on") for _, attributes in parsed.tags for name in attributes)
    assert not re.search(r"http|@import|url\((?!#)", full.replace("http-equiv", ""))


def test_every_text_is_escaped_and_no_text_is_a_template(full: str) -> None:
    assert full.count("<script") == 1
    assert full.count("&lt;script&gt;") > 50
    assert "{{ 7 * 7 }}" in full
    assert "49" not in plain(full[: full.index("</h1>")])


def test_the_only_script_is_the_one_that_the_page_allows(full: str) -> None:
    [script] = re.findall("<script>(.*?)</script>", full, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in full
    assert "default-src 'none'" in full


def test_a_page_has_all_its_parts_in_order_and_lists_them(full: str) -> None:
    assert re.findall('<section class="part" id="([^"]+)"', full) == _PARTS
    assert re.findall('<a href="#([^"]+)"', full) == _PARTS


def test_what_was_not_measured_is_left_out(least: str) -> None:
    Page(least)
    assert re.findall('<section class="part" id="([^"]+)"', least) == ["setup", "results", "lists"]


def test_the_same_evaluation_gives_the_same_bytes(least: str) -> None:
    assert html_report(samples.minimal()) == least


def test_a_page_follows_the_color_scheme_and_the_paper(least: str) -> None:
    assert "prefers-color-scheme: dark" in least
    assert "@media print" in least
    assert 'name="viewport"' in least


def test_the_best_of_several_is_bold_and_a_single_one_is_not(least: str) -> None:
    several = html_report(samples.minimal(models=2))
    assert re.findall("<b>([^<]+)</b>", several) == ["0.850", "0.950", "0.650"]
    assert "<b>" not in least
    assert "0.800 0.790 to 0.810" in plain(least)


def test_what_is_not_a_number_is_a_dash() -> None:
    one = samples.minimal().models[0]
    unknown = Interval(mean=np.nan, low=np.nan, high=np.nan, count=0)
    criterion = replace(one.criteria[0], metrics={"mAP@R": unknown}, queries=0)
    text = html_report(replace(samples.minimal(), models=(replace(one, criteria=(criterion,)),)))
    assert "nan" not in plain(text).lower().split()
    assert f"mAP@R {_NONE}" in plain(text)
    assert "Nothing could be measured" in text


def test_no_model_at_all_still_gives_a_page() -> None:
    text = html_report(replace(samples.minimal(), models=()))
    Page(text)
    assert re.findall('<section class="part" id="([^"]+)"', text) == ["setup"]


def test_a_single_model_is_told_by_its_main_figures() -> None:
    assert verdict(samples.minimal()) == (
        "model-0 by articleType, over 1,200 queries: precision@10 0.800 (0.790 to 0.810), "
        "hit rate@10 0.900 (0.890 to 0.910), mAP@R 0.600 (0.590 to 0.610)."
    )


@pytest.mark.parametrize(
    ("margin", "end"), [(0.01, "That is more than chance explains."), (0.06, "Chance alone may explain that.")]
)
def test_the_better_model_is_named_with_how_sure_that_is(margin: float, end: str) -> None:
    found = verdict(replace(samples.minimal(models=2), comparisons=(samples.compared(0.05, margin=margin),)))
    assert found.startswith(
        "By articleType, model-1 is better than model-0: precision@10 0.850 against 0.800, a difference of 0.050 "
    )
    assert found.endswith(f"over 1,188 queries. {end}")


def test_a_first_model_that_is_best_is_compared_with_the_second_best() -> None:
    base = samples.minimal(models=3)
    models = (base.models[2], base.models[0], base.models[1])
    found = verdict(
        replace(base, models=models, comparisons=(samples.compared(-0.05, model="model-1", against="model-2"),))
    )
    assert "model-2 is better than model-1" in found
    assert "a difference of 0.050 (95 % interval 0.040 to 0.060)" in found


def test_models_that_were_not_compared_and_equal_ones_are_told_so() -> None:
    assert "was not tested" in verdict(samples.minimal(models=2))
    base = samples.minimal()
    twice = replace(base, models=(base.models[0], replace(base.models[0], model="other")))
    assert "equally good" in verdict(twice)


def test_the_same_product_is_told_by_the_first_hit() -> None:
    base = samples.minimal()
    metrics = {"precision@10": samples.interval(0.1), "hit rate@1": samples.interval(0.9)}
    one = replace(base.models[0], criteria=(replace(base.models[0].criteria[0], metrics=metrics),))
    text = html_report(replace(base, setup=samples.setup(task="the same product"), models=(one,)))
    assert "<figcaption>hit rate@1 by criterion</figcaption>" in text


def test_categories_of_several_models_stand_side_by_side(full: str) -> None:
    table = full[full.index('<table class="sortable"') :]
    body = table[table.index("<tbody>") : table.index("</tbody>")]
    assert body.count("<tr>") == 25
    assert plain(body.split("</tr>")[3]).endswith(f"97 12.5 {_NONE} {_NONE}")
    assert plain(body.split("</tr>")[0]).endswith("100 12.5 0.800 0.850")


def test_confused_categories_are_named_without_the_right_ones_and_the_rest(full: str) -> None:
    part = plain(full[full.index('id="confusion"') : full.index('id="lists"')])
    assert part.count("25.0 % of the neighbors of") == 2
    assert part.count("10.0 % of the neighbors of") == 2
    assert "5.0 % of" not in part.replace("25.0 % of", "")


def test_health_has_a_page_of_its_own() -> None:
    text = html_health_report(samples.health())
    Page(text)
    assert "40 of 4,000 1.0 %" in plain(text)
    assert "Looked for and not found copies" in plain(text)
    assert "1 of 2 things that were looked for were found." in plain(text)
    assert "<nav" not in text


def test_hostile_health_is_escaped() -> None:
    assert html_health_report(samples.health(samples.HOSTILE)).count("<script") == 1


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (number(0.8754), "0.875"),
        (number(-0.0001), "0.000"),
        (number(float("nan")), _NONE),
        (number(None), _NONE),
        (signed(0.0301), "+0.030"),
        (signed(0.0001), "0.000"),
        (signed(-0.004), "\N{MINUS SIGN}0.004"),
        (percent(0.1249), "12.5 %"),
        (percent(float("nan")), _NONE),
        (chance(0.0004), "< 0.001"),
        (chance(0.04), "0.040"),
    ],
)
def test_numbers_are_shown_as_in_the_other_reports(shown: str, expected: str) -> None:
    assert shown == expected


def test_a_report_is_written_whole_and_replaces_the_one_before(tmp_path: Path, least: str) -> None:
    path = tmp_path / "run.html"
    write_health_report(path, samples.health())
    write_report(path, samples.minimal())
    assert path.read_text(encoding="utf-8") == least
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_former_report_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError("disk full")

    path = tmp_path / "run.html"
    path.write_text("former")
    monkeypatch.setattr(page.os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_health_report(path, samples.health())
    assert path.read_text() == "former"
    assert list(tmp_path.iterdir()) == [path]
