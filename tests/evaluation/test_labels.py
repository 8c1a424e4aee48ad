from __future__ import annotations

from sartor.evaluation.relevance import choose_labels, label_of, labels_of

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


def test_several_values_are_a_label_of_their_own_in_any_order() -> None:
    assert label_of(("red", " blue ", "")) == label_of(("blue", "red")) == "blue, red"
    assert label_of(()) == label_of(None) == label_of(" ") == ""
    assert label_of(2012) == "2012"


def test_a_product_without_the_attribute_has_an_empty_label() -> None:
    assert labels_of([{"a": "x"}, {}], "a").tolist() == ["x", ""]
