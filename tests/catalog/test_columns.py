from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.catalog.columns import Roles, attribute_names, roles_of


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["image", "sender_id", "label"], Roles(id=None, title=None, images=("image",))),
        (["Product ID", "imageURL", "Name"], Roles(id="Product ID", title="Name", images=("imageURL",))),
        (
            ["id", "sku", "image link", "Additional Image Link", "title", "name"],
            Roles(id="id", title="title", images=("image link", "Additional Image Link")),
        ),
        (["image_url", "image_path", "asin"], Roles(id="asin", title=None, images=("image_path",))),
        (["filename", "link"], Roles(id=None, title=None, images=("filename",))),
        (["a", "b"], Roles(id=None, title=None, images=())),
    ],
)
def test_columns_are_known_by_their_names(columns: list[str], expected: Roles) -> None:
    assert roles_of(columns) == expected


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("baseColour", "color"),
        ("Colour", "color"),
        ("Brand Name", "brand"),
        ("age group", "age_group"),
        ("GENDER", "gender"),
        ("articleType", "articleType"),
        ("masterCategory", "masterCategory"),
        ("product_detail.name", "product_detail.name"),
    ],
)
def test_an_attribute_has_its_merchant_name_or_else_its_own(column: str, name: str) -> None:
    assert attribute_names((column,)) == {column: name}


def test_the_column_that_bears_the_merchant_name_keeps_it() -> None:
    assert attribute_names(("baseColour", "color")) == {"baseColour": "baseColour", "color": "color"}
    assert attribute_names(("baseColour", "colour")) == {"baseColour": "color", "colour": "colour"}


_column = st.sampled_from(["color", "Color", "colour", "baseColour", "brand", "Brand", "brand_name", "x", "X"])


@given(st.lists(_column, unique=True).map(tuple))
def test_no_two_columns_become_one_attribute(columns: tuple[str, ...]) -> None:
    assert len(set(attribute_names(columns).values())) == len(columns)
