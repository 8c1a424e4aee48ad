from __future__ import annotations

import numpy as np
import pytest

from sartor.evaluation.simulation.assortment import Assortment, ProductSampler, brands_of
from sartor.types import Product
from tests.evaluation.simulation.catalogs import catalog


def test_a_brand_is_what_titles_have_in_common_before_the_gender() -> None:
    titles = [f"Manchester United Men Shirt {number}" for number in range(5)]
    titles += ["Turtle Check Men Shirt", "Puma Future", "Nike's Women's Top", ""]
    found = brands_of([Product(id=str(number), title=title) for number, title in enumerate(titles)])
    assert found == ["manchester united"] * 5 + ["turtle", "puma", "nike's", ""]
    assert brands_of([Product(id="1", title="A Men Shirt", attributes={"brand": "Bee"})]) == ["bee"]


def test_a_sampler_draws_products_of_the_kind_and_brand() -> None:
    products = catalog(300)
    rng = np.random.default_rng(1)
    assortment = Assortment.of(products, rng)
    sampler = ProductSampler(assortment)
    sampler.set_weights(rng.random(len(products)) + 0.1)
    gender = rng.integers(2, size=60)
    kind, brand = rng.integers(7, size=60), rng.integers(20, size=60)
    for drawn, columns in (
        (sampler.of_kind(gender, kind, 8, rng), ((assortment.kind, kind),)),
        (sampler.of_brand(gender, brand, 8, rng), ((assortment.brand, brand),)),
        (
            sampler.of_kind_and_brand(gender, kind, brand, count=8, rng=rng),
            ((assortment.kind, kind), (assortment.brand, brand)),
        ),
    ):
        for row, products_ in enumerate(drawn):
            there = np.isin(assortment.gender, [gender[row], -1])
            for codes, expected in columns:
                there &= codes == expected[row]
            assert set(products_.tolist()) <= (set(np.flatnonzero(there).tolist()) or {-1})


def test_products_are_drawn_by_weight() -> None:
    products = [Product(id=str(number), attributes={"kind": "x"}) for number in range(4)]
    assortment = Assortment.of(products, np.random.default_rng(0))
    sampler = ProductSampler(assortment)
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    sampler.set_weights(weights)
    zero = np.zeros(1, np.int64)
    drawn = sampler.of_kind(zero, zero, 100_000, np.random.default_rng(0))
    assert np.bincount(drawn[0]) / 100_000 == pytest.approx(weights / weights.sum(), abs=0.01)
