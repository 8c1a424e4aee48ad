from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from sartor.evaluation.splits import is_held_out, split_key

SHARES = st.floats(0, 1)


def test_the_hash_is_the_one_that_is_documented() -> None:
    part = int.from_bytes(hashlib.sha256(b"20:shirt").digest()[:8], "big") / 2**64
    assert is_held_out("shirt", seed=20, share=part + 1e-9)
    assert not is_held_out("shirt", seed=20, share=part)


@given(st.text(), st.integers(0, 99), SHARES, SHARES)
def test_a_larger_share_holds_out_the_same_and_more(key: str, seed: int, one: float, other: float) -> None:
    smaller, larger = sorted((one, other))
    assert is_held_out(key, seed=seed, share=smaller) <= is_held_out(key, seed=seed, share=larger)


def test_about_the_share_is_held_out() -> None:
    held = {key for key in range(10_000) if is_held_out(str(key), seed=20, share=0.1)}
    assert 900 < len(held) < 1100
    assert held != {key for key in range(10_000) if is_held_out(str(key), seed=21, share=0.1)}


def test_nothing_and_everything_can_be_held_out() -> None:
    assert not is_held_out("a", seed=0, share=0)
    assert is_held_out("a", seed=0, share=1)


def test_variants_of_a_product_share_a_key_that_is_no_products_id() -> None:
    assert split_key("a", {"item_group_id": "g"}) == split_key("b", {"item_group_id": "g"}) != split_key("g", {})
    assert split_key("a", {"item_group_id": ""}) == split_key("a", {}) == "a"
