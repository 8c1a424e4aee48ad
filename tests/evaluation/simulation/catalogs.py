"""A catalog for simulated shoppers."""

from __future__ import annotations

import numpy as np

from sartor.types import Product


def catalog(count: int = 1200) -> list[Product]:
    rng = np.random.default_rng(0)

    def one(*values: str) -> str:
        return values[int(rng.integers(len(values)))]

    products = []
    for number in range(count):
        gender = one("Men", "Women", "Women", "Unisex")
        kind = one("Shirts", "Jeans", "Heels", "Watches", "Belts", "Tops", "Caps")
        attributes = {
            "gender": gender,
            "articleType": kind,
            "season": one("Summer", "Winter", "Fall"),
            "year": one("2011", "2012", "2016"),
            "usage": one("Casual", "Formal", "Sports"),
        }
        brand = one(*(f"Brand{each}" for each in range(20)))
        products.append(Product(id=f"p{number}", title=f"{brand} {gender} {kind}", attributes=attributes))
    return products
