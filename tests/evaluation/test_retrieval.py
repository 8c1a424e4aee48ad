"""Evaluations of catalogs whose answers can be told by hand: the model sees a photo's mean color."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import nan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.errors import ModelNotFound, NothingToEvaluate, SourceNotFound, UnknownAttribute
from sartor.evaluation.report.tables import as_json
from sartor.evaluation.results import CategoryResult, Evaluation
from sartor.evaluation.retrieval import category_results, confusion, list_statistics, macro
from sartor.shop import Shop
from tests.fakes import folder_of, various_colors

WARM = {"w1": (250, 20, 10), "w2": (240, 40, 20), "w3": (230, 60, 10)}
COLD = {"c1": (10, 20, 250), "c2": (20, 40, 240), "c3": (10, 60, 230)}


def table_of(directory: Path, photos: dict[str, tuple[int, int, int]], kinds: dict[str, str]) -> Path:
    folder_of(directory, photos)
    lines = ["id,image,kind", *(f"{name},{name}.png,{kinds.get(name, '')}" for name in photos)]
    (directory / "products.csv").write_text("\n".join(lines))
    return directory / "products.csv"


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    kinds = dict.fromkeys(WARM, "warm") | dict.fromkeys(COLD, "cold")
    return table_of(tmp_path / "catalog", WARM | COLD, kinds)


def means(evaluation: Evaluation, model: int = 0, criterion: int = 0) -> dict[str, float]:
    metrics = evaluation.models[model].criteria[criterion].metrics
    return {name: interval.mean for name, interval in metrics.items()}


def test_a_product_is_asked_about_among_all_the_others(shop: Shop, catalog: Path) -> None:
    found = shop.evaluate(catalog, relevance=["kind"], ks=[2, 5])
    assert found.setup.task == "leave one out"
    assert (found.setup.asked, found.setup.products) == (6, 6)
    assert means(found) == {
        "precision@2": 1.0,
        "hit rate@2": 1.0,
        "recall@2": 1.0,
        "nDCG@2": 1.0,
        "precision@5": pytest.approx(2 / 5),
        "hit rate@5": 1.0,
        "recall@5": 1.0,
        "nDCG@5": 1.0,
        "mAP@R": 1.0,
    }
    assert [(each.category, each.queries) for each in found.models[0].categories] == [("cold", 3), ("warm", 3)]
    assert found.models[0].lists.coverage == 1.0


def test_several_attributes_are_criteria_of_their_own_and_together(shop: Shop, tmp_path: Path) -> None:
    photos = folder_of(tmp_path / "both", WARM | COLD)
    rows = ["id,image,kind,gender"]
    rows += [f"{name},{name}.png,{name[0]},{'Men' if name.endswith('1') else 'Women'}" for name in WARM | COLD]
    (photos / "products.csv").write_text("\n".join(rows))
    found = shop.evaluate(photos, relevance=["kind", "gender"], ks=[1])
    assert found.setup.criteria == ("kind", "gender", "kind + gender")
    together = found.models[0].criteria[2]
    assert together.queries == 6
    assert together.without_relevant == 2  # the only men of their kind


def test_chance_is_worse_and_the_test_says_so(shop: Shop, tmp_path: Path) -> None:
    colors = various_colors(120)
    kinds = {name: max("rgb", key=lambda c: color["rgb".index(c)]) for name, color in colors.items()}
    source = table_of(tmp_path / "many", colors, kinds)
    found = shop.evaluate(source, "color", "color-histogram", "random", relevance=["kind"])
    assert [model.model for model in found.models] == ["color", "color-histogram", "random"]
    assert means(found)["precision@5"] > 0.9
    assert means(found, 2)["precision@5"] < 0.6
    (test,) = (each.test for each in found.comparisons if each.model == "random" and each.metric == "precision@5")
    assert test.high < 0
    assert test.p_value > 0.99  # one-sided: whether random is better


def test_the_same_product_is_found_by_its_id_in_another_source(shop: Shop, catalog: Path, tmp_path: Path) -> None:
    darker = {name: tuple(part // 2 for part in color) for name, color in (WARM | COLD).items()}
    folder_of(tmp_path / "queries", darker | {"unknown": (1, 2, 3)})
    found = shop.evaluate(catalog, queries=tmp_path / "queries", instances=True, ks=[1, 5])
    assert found.setup.task == "the same product"
    assert found.setup.asked == 6
    assert means(found)["hit rate@1"] == 1.0
    damages = {(each.damage, each.level) for each in found.models[0].robustness}
    assert len(damages) == len(found.models[0].robustness) >= 10


def test_a_product_that_asks_from_another_source_never_finds_itself(
    shop: Shop, catalog: Path, tmp_path: Path
) -> None:
    kinds = {"w1": "warm", "c1": "cold"}
    queries = table_of(tmp_path / "queries", {"w1": WARM["w1"], "c1": COLD["c1"]}, kinds)
    found = shop.evaluate(catalog, queries=queries, relevance=["kind"], ks=[2])
    assert found.setup.task == "queries against a gallery"
    assert found.models[0].criteria[0].metrics["recall@2"].mean == 1.0
    assert found.models[0].lists.never_shown >= 2


def test_labels_of_queries_are_mapped_to_those_of_the_gallery(shop: Shop, catalog: Path, tmp_path: Path) -> None:
    file = tmp_path / "map.toml"
    file.write_text(
        'queries = "temperature"\ngallery = "kind"\n[classes]\nhot = ["warm"]\nany = ["warm", "cold"]\n'
    )
    folder = folder_of(tmp_path / "queries", {"q1": (245, 30, 10), "q2": (5, 30, 245), "q3": (0, 255, 0)})
    (folder / "q.csv").write_text("id,image,temperature\nq1,q1.png,hot\nq2,q2.png,any\nq3,q3.png,says nothing\n")
    found = shop.evaluate(catalog, queries=folder / "q.csv", label_map=file, ks=[3])
    assert found.setup.asked == 2
    assert means(found)["precision@3"] == 1.0
    assert found.models[0].confusion is None


def test_the_same_seed_gives_the_same_evaluation(shop: Shop, catalog: Path) -> None:
    def told(seed: int) -> dict[str, object]:
        found = shop.evaluate(catalog, "color", "random", relevance=["kind"], seed=seed)
        models = tuple(replace(model, seconds={}) for model in found.models)
        return as_json(replace(found, models=models, setup=replace(found.setup, made_at="")))

    assert told(1) == told(1)


def test_what_the_workspace_has_embedded_is_not_embedded_again(shop: Shop, catalog: Path) -> None:
    assert shop.evaluate(catalog, relevance=["kind"]).models[0].embedded == 6
    shop.index(catalog)
    again = shop.evaluate(catalog, relevance=["kind"])
    assert again.models[0].embedded == 0
    assert means(again)["recall@5"] == 1.0


def test_products_with_several_photos_are_found_by_the_closest(shop: Shop, tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path / "photos", {"a1": (255, 0, 0), "a2": (0, 0, 255), "b": (10, 10, 240), "c": (0, 255, 0)}
    )
    (folder / "p.csv").write_text(
        "id,image,additional_image_link,kind\na,a1.png,a2.png,x\nb,b.png,,x\nc,c.png,,y\n"
    )
    found = shop.evaluate(folder / "p.csv", relevance=["kind"], ks=[1])
    assert (found.setup.products, found.setup.photos) == (3, 4)
    assert found.models[0].criteria[0].metrics["hit rate@1"].mean == 1.0


def test_a_photo_that_cannot_be_used_is_told_and_the_rest_goes_on(shop: Shop, catalog: Path) -> None:
    (catalog.parent / "w3.png").write_bytes(b"broken")
    found = shop.evaluate(catalog, relevance=["kind"])
    assert found.setup.products == 5
    assert any("w3.png" in note for note in found.setup.notes)


def test_as_recommended_colors_count_too(shop: Shop, catalog: Path) -> None:
    plain, full = (shop.evaluate(catalog, relevance=["kind"], as_recommended=each) for each in (False, True))
    assert plain.models[0].dimension == 3
    assert full.models[0].dimension > 3
    assert plain.setup.dials is None
    assert sum(full.setup.dials or ()) == pytest.approx(1)


def test_a_small_index_finds_all_that_exact_search_finds(shop: Shop, catalog: Path) -> None:
    assert shop.evaluate(catalog, relevance=["kind"], ann=True).models[0].ann_recall == 1.0


def test_held_out_products_are_the_same_in_every_catalog(shop: Shop, tmp_path: Path) -> None:
    colors = various_colors(100)
    kinds = {name: "xy"[number % 2] for number, name in enumerate(colors)}
    whole = table_of(tmp_path / "whole", colors, kinds)
    half = table_of(tmp_path / "half", dict(list(colors.items())[:50]), kinds)
    all_asked = shop.evaluate(whole, relevance=["kind"], held_out=True).setup.asked
    some_asked = shop.evaluate(half, relevance=["kind"], held_out=True).setup.asked
    assert 0 < some_asked <= all_asked < 30


def test_pictures_show_queries_and_a_map(shop: Shop, catalog: Path) -> None:
    model = shop.evaluate(catalog, relevance=["kind"], pictures=True).models[0]
    assert (len(model.best), len(model.worst)) == (3, 3)
    assert len(model.best[0].query) == 1
    assert len(model.best[0].hits) == 5
    assert model.map is not None
    assert np.isfinite(model.map.points).all()


def test_what_cannot_be_evaluated_is_refused_in_one_line(shop: Shop, catalog: Path, tmp_path: Path) -> None:
    bare = folder_of(tmp_path / "bare", WARM)
    other = folder_of(tmp_path / "other", {"x": (1, 2, 3)})
    with pytest.raises(UnknownAttribute, match="kind"):
        shop.evaluate(catalog, relevance=["knd"])
    with pytest.raises(NothingToEvaluate, match="--relevance"):
        shop.evaluate(bare)
    with pytest.raises(NothingToEvaluate, match="no product id is in both sources"):
        shop.evaluate(catalog, queries=other, instances=True)
    with pytest.raises(ModelNotFound):
        shop.evaluate(catalog, "resnet51")
    with pytest.raises(SourceNotFound):
        shop.evaluate(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="at least 1"):
        shop.evaluate(catalog, ks=[0])


SEEDS = st.integers(0, 2**32 - 1)
NAMES = ["", "shirt", "shoe", "bag", "hat"]


def some_lists(rng: np.random.Generator, queries: int, size: int, k: int) -> np.ndarray:
    """Lists of different products, some of them shorter than ``k``."""
    lists = np.full((queries, k), -1)
    for row in lists:
        shown = rng.permutation(size)[: rng.integers(0, k + 1)]
        row[: len(shown)] = shown
    return lists


@given(SEEDS, st.integers(0, 12), st.integers(0, 150), st.integers(1, 5), st.integers(0, 6))
def test_statistics_are_what_counting_says(seed: int, queries: int, size: int, k: int, examples: int) -> None:
    lists = some_lists(np.random.default_rng(seed), queries, size, k)
    ids = [f"p{place}" for place in range(size)]
    found = list_statistics(lists, product_ids=ids, copies=0.25, examples=examples)
    counts = Counter(dict.fromkeys(ids, 0))
    counts.update(ids[place] for place in lists.ravel().tolist() if place >= 0)
    never = [name for name in ids if not counts[name]]
    assert (found.k, found.copies, found.never_shown) == (k, 0.25, len(never))
    assert found.never_shown_ids == tuple(never[:examples])
    assert found.coverage == pytest.approx((size - len(never)) / size if size else 0)
    by_count = sorted(ids, key=lambda name: -counts[name])  # stable
    assert found.most_shown == tuple((name, counts[name]) for name in by_count[:examples] if counts[name])
    top = sum(counts[name] for name in by_count[: -(-size // 100)])
    assert found.in_most_lists == pytest.approx(top / counts.total() if counts.total() else 0)


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=20).filter(lambda counts: len(set(counts)) > 1))
def test_hubness_is_the_skewness_of_scipy(counts: list[int]) -> None:
    stats = pytest.importorskip("scipy.stats")
    lists = np.repeat(np.arange(len(counts)), counts)[:, np.newaxis]
    found = list_statistics(lists, product_ids=[str(place) for place in range(len(counts))], copies=0.0)
    assert found.hubness == pytest.approx(stats.skew(counts), abs=1e-9)


def test_where_all_are_shown_alike_there_are_no_hubs() -> None:
    found = list_statistics(np.array([[1, 2], [2, 0], [0, 1]]), product_ids=["a", "b", "c"], copies=0.0)
    assert (found.hubness, found.coverage, found.never_shown, found.never_shown_ids) == (0, 1, 0, ())


def test_one_product_in_all_lists_is_a_hub() -> None:
    lists = np.array([[1], [0], [0], [0]])
    found = list_statistics(lists, product_ids=["hub", "b", "c", "d"], copies=0.0)
    assert found.most_shown == (("hub", 3), ("b", 1))
    assert found.in_most_lists == 0.75
    assert found.hubness > 0


@given(SEEDS, st.integers(0, 12), st.integers(0, 12), st.integers(1, 5))
def test_confusion_is_what_counting_says(seed: int, queries: int, size: int, limit: int) -> None:
    rng = np.random.default_rng(seed)
    lists = some_lists(rng, queries, size, 3)
    mine, theirs = rng.choice(NAMES, queries).astype(np.str_), rng.choice(NAMES, size).astype(np.str_)
    found = confusion(lists, mine, theirs, limit=limit)
    pairs = Counter(
        (str(label), str(theirs[place]))
        for label, row in zip(mine, lists, strict=True)
        for place in row
        if place >= 0
    )
    asked = Counter(str(label) for label, row in zip(mine, lists, strict=True) if label and (row >= 0).any())
    assert found.categories == tuple(sorted(asked, key=lambda name: (-asked[name], name))[:limit])
    assert found.found == (*found.categories, "other")
    assert found.shares.shape == (len(found.categories), len(found.found))
    for category, row in zip(found.categories, found.shares, strict=True):
        total = sum(pairs[category, name] for name in NAMES)
        named = [pairs[category, name] / total for name in found.categories]
        np.testing.assert_allclose(row, [*named, 1 - sum(named)], atol=1e-12)
        assert row.sum() == pytest.approx(1)


@given(SEEDS, st.integers(0, 30), st.integers(1, 4))
def test_categories_have_the_means_of_their_queries(seed: int, queries: int, minimum: int) -> None:
    rng = np.random.default_rng(seed)
    labels, totals = rng.choice(NAMES, queries).astype(np.str_), rng.integers(0, 9, queries)
    values = rng.choice([0.0, 0.5, 1.0, nan], queries)
    found = category_results({"mAP@R": values}, labels, totals, minimum=minimum)
    counts = Counter(label for label in labels.tolist() if label)
    assert [each.category for each in found] == sorted(
        (name for name in counts if counts[name] >= minimum), key=lambda name: (-counts[name], name)
    )
    for each in found:
        inside = labels == each.category
        known = values[inside & ~np.isnan(values)]
        mean = known.mean() if len(known) else nan
        assert each.queries == counts[each.category]
        assert each.in_gallery == pytest.approx(totals[inside].mean())
        assert each.metrics["mAP@R"] == pytest.approx(mean, nan_ok=True)


def category(value: float, queries: int) -> CategoryResult:
    return CategoryResult(category="", queries=queries, in_gallery=1.0, metrics={"mAP@R": value})


def test_the_macro_mean_counts_categories_alike_and_leaves_nan_out() -> None:
    assert macro([category(1.0, 99), category(0.5, 1), category(nan, 50)]) == {"mAP@R": 0.75}
    assert macro([category(nan, 1)]) == pytest.approx({"mAP@R": nan}, nan_ok=True)
    assert macro([]) == {}
