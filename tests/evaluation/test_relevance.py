from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.errors import SartorError, UnusableLabelMap
from sartor.evaluation.relevance import (
    LabelMap,
    MappedLabels,
    Relevance,
    SameLabels,
    SameProduct,
    choose_labels,
    label_of,
    labels_of,
)

SEEDS = st.integers(0, 2**32 - 1)
NAMES = ["", "red", "pink", "blue"]


def drawn(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.choice(NAMES, count).astype(np.str_)


def check(relevance: Relevance, expected: np.ndarray, labelled: np.ndarray, own: np.ndarray) -> None:
    """Compare with ``expected``, which says of every query and product whether they are relevant."""
    queries, size = expected.shape
    every = np.broadcast_to(np.arange(size), expected.shape)
    assert relevance.labelled.tolist() == labelled.tolist()
    found = relevance.of(np.arange(queries), every)
    assert found.dtype == np.bool_
    assert found.tolist() == expected.tolist()
    some = np.arange(queries)[::-2]
    assert relevance.of(some, every[some, ::-1]).tolist() == expected[some, ::-1].tolist()
    others = [[place for place in range(size) if place != self_] for self_ in own]
    totals = [int(row[places].sum()) for row, places in zip(expected, others, strict=True)]
    assert relevance.totals.tolist() == totals


@given(SEEDS, st.integers(0, 9), st.integers(0, 12), st.integers(1, 3))
def test_products_with_the_same_labels_by_every_attribute_are_relevant(
    seed: int, queries: int, size: int, attributes: int
) -> None:
    rng = np.random.default_rng(seed)
    mine = [drawn(rng, queries) for _ in range(attributes)]
    theirs = [drawn(rng, size) for _ in range(attributes)]
    own = rng.integers(-1, size, queries)
    expected = np.array(
        [
            [all(a[q] == b[p] != "" for a, b in zip(mine, theirs, strict=True)) for p in range(size)]
            for q in range(queries)
        ],
        np.bool_,
    ).reshape(queries, size)
    labelled = np.array([all(a[q] != "" for a in mine) for q in range(queries)], np.bool_)
    check(SameLabels(mine, theirs, own), expected, labelled, own)


@given(
    SEEDS,
    st.integers(0, 9),
    st.integers(0, 12),
    st.dictionaries(st.sampled_from([*NAMES, "none"]), st.sets(st.sampled_from([*NAMES, "none"]))),
)
def test_products_with_a_mapped_label_are_relevant(
    seed: int, queries: int, size: int, names: dict[str, set[str]]
) -> None:
    rng = np.random.default_rng(seed)
    mine, theirs = drawn(rng, queries), drawn(rng, size)
    own = rng.integers(-1, size, queries)
    labelled = np.array([label != "" and label in names for label in mine.tolist()], np.bool_)
    expected = np.array(
        [
            [known and b != "" and b in names[a] for b in theirs.tolist()]
            for a, known in zip(mine.tolist(), labelled, strict=True)
        ],
        np.bool_,
    ).reshape(queries, size)
    check(MappedLabels(mine, theirs, own, names), expected, labelled, own)


def test_a_product_without_a_label_is_relevant_to_none_not_even_to_a_query_without_one() -> None:
    relevance = SameLabels([np.array(["", "red"])], [np.array(["", "red"])], np.array([-1, -1]))
    assert relevance.of(np.array([0, 1]), np.array([[0, 1], [0, 1]])).tolist() == [[False, False], [False, True]]
    assert relevance.totals.tolist() == [0, 1]


@pytest.mark.parametrize("own", [1, -1])
def test_the_query_itself_counts_only_where_it_is_not_in_the_gallery(own: int) -> None:
    mine, theirs = np.array(["red"]), np.array(["red", "red", "blue"])
    expected = 2 if own < 0 else 1
    assert SameLabels([mine], [theirs], np.array([own])).totals.tolist() == [expected]
    assert MappedLabels(mine, theirs, np.array([own]), {"red": ["red"]}).totals.tolist() == [expected]


def test_a_query_whose_label_maps_to_none_is_labelled_but_finds_nothing() -> None:
    relevance = MappedLabels(np.array(["red"]), np.array(["red"]), np.array([-1]), {"red": []})
    assert relevance.labelled.tolist() == [True]
    assert relevance.totals.tolist() == [0]


def test_one_product_is_the_same_as_the_query() -> None:
    relevance = SameProduct(np.array([2, -1]))
    assert relevance.labelled.tolist() == [True, False]
    assert relevance.totals.tolist() == [1, 0]
    places = np.array([[2, 0, 1], [2, 0, 1]])
    assert relevance.of(np.array([0, 1]), places).tolist() == [[True, False, False], [False, False, False]]


ROWS = [
    {
        "gender": ("Men", "Women")[number % 2],
        "color": f"c{number % 20}",
        "title": f"A thing, the {number}th of its kind",
        "price": f"{number}.95 USD",
        "year": 2010 + number % 5,
        "shop": "the only one",
        **({"rare": str(number % 3)} if number < 49 else {}),
        **({"half": str(number % 3)} if number < 50 else {}),
        "pairs": str(number // 2),
        "triples": str(number // 3),
        "empty": "  ",
    }
    for number in range(100)
]


def test_categories_are_chosen_and_all_else_drops_out() -> None:
    assert choose_labels(ROWS) == ("color", "gender", "half", "triples", "year")


def test_more_than_five_hundred_values_are_too_many() -> None:
    for values, chosen in ((500, ("brand",)), (501, ())):
        assert choose_labels([{"brand": number % values} for number in range(3000)]) == chosen


def test_an_empty_catalog_has_no_labels() -> None:
    assert choose_labels([]) == choose_labels([{}, {}]) == ()


def test_ids_and_who_sent_a_photo_are_no_labels() -> None:
    columns = {
        "sender_id": lambda number: number % 30,
        "senderId": lambda number: number % 30,
        "Sender": lambda number: f"s{number % 30}",
        "seller name": lambda number: f"shop {number % 3}",
        "batch": lambda number: f"{number % 9 + 10_000}",
        "lot": lambda number: f"{number % 9:08x}-{7:04x}-{number % 5:04x}",
        "year": lambda number: 2010 + number % 9,
        "width": lambda number: number % 9,
        "shade": lambda number: ("beige", "decade", "facade")[number % 3],
        "wide": lambda number: bool(number % 2),
    }
    rows = [{name: value(number) for name, value in columns.items()} for number in range(300)]
    assert choose_labels(rows) == ("shade", "wide", "width", "year")


def test_several_values_are_a_label_of_their_own_in_any_order() -> None:
    assert label_of(("red", " blue ", "")) == label_of(("blue", "red")) == "blue, red"
    assert label_of(()) == label_of(None) == label_of(" ") == ""
    assert label_of(2012) == "2012"


def test_a_product_without_the_attribute_has_an_empty_label() -> None:
    assert labels_of([{"a": "x"}, {}], "a").tolist() == ["x", ""]


ROOT = Path(__file__).parents[2]
STREET_TO_SHOP = ROOT / "recipes" / "street-to-shop.toml"
HEAD = 'queries = "label"\ngallery = "articleType"\n'


def test_a_map_is_read_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(HEAD + '[classes]\n"Shoe" = ["Heels", "Flats"]\n')

    read = LabelMap.read(tmp_path / "map.toml")

    assert (read.queries, read.gallery) == ("label", "articleType")
    assert read.classes == {"Shoe": ("Heels", "Flats")}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("queries = ", "it is no TOML"),
        ('gallery = "x"\n[classes]\na = ["b"]', "queries is missing"),
        ('queries = "x"\n[classes]\na = ["b"]', "gallery is missing"),
        (HEAD, "classes is missing"),
        (HEAD + "[classes]", "classes is empty"),
        (HEAD + "[classes]\na = []", "classes.a is empty"),
        (HEAD + '[classes]\na = "b"', "classes.a: Input should be a valid tuple"),
        (HEAD + '[classes]\na = [" "]', "classes.a.0: String should have at least 1 character"),
        ('queries = ""\n' + 'gallery = "x"\n[classes]\na = ["b"]', "queries: String should have"),
        (HEAD + 'colour = 1\n[classes]\na = ["b"]', "colour: Extra inputs"),
    ],
)
def test_what_is_no_map_is_refused_with_what_is_wrong_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "bad.toml").write_text(text)

    with pytest.raises(UnusableLabelMap) as caught:
        LabelMap.read(tmp_path / "bad.toml")

    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, SartorError)


def test_a_map_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")

    for name in ("none.toml", "binary.toml"):
        with pytest.raises(UnusableLabelMap, match="cannot be read"):
            LabelMap.read(tmp_path / name)


def test_the_map_from_street_to_shop_has_every_label_that_says_something() -> None:
    mapped = LabelMap.read(STREET_TO_SHOP)

    assert (mapped.queries, mapped.gallery) == ("label", "articleType")
    assert len(mapped.classes) == 16
    assert {"Not sure", "Other", "Skip", "Body"}.isdisjoint(mapped.classes)


def test_its_document_has_the_same_rows() -> None:
    text = (ROOT / "docs" / "reference" / "street-to-shop.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in text.splitlines() if line.startswith("| ")]
    documented = {label: tuple(types.split(", ")) for label, _, types in rows if label != "label"}

    assert documented == LabelMap.read(STREET_TO_SHOP).classes
