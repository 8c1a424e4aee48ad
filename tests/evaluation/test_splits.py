from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from sartor.evaluation.splits import cases_of, is_held_out, last_events, preferences_in, split_in_time, split_key
from sartor.events.model import Event, EventType, Person

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


CATALOG = frozenset("abcdef")


def event(number: int, *, who: str = "u", type_: str = "view", product: str = "a", at_s: float = 0.0) -> Event:
    return Event(
        id=str(number),
        type=EventType(type_),
        person=Person.user(who),
        at_s=at_s,
        product_id="" if type_ == "search" else product,
    )


LOGS = st.lists(
    st.tuples(
        st.sampled_from("uvw"), st.sampled_from([str(each) for each in EventType]), st.sampled_from("abcxyz"),
        st.integers(0, 9),
    ),
    max_size=30,
).map(
    lambda rows: [
        event(number, who=who, type_=type_, product=product, at_s=float(at_s))
        for number, (who, type_, product, at_s) in enumerate(rows)
    ]
)  # fmt: skip


@given(LOGS, st.floats(0, 1))
def test_no_event_before_the_split_is_later_than_one_after_it(log: list[Event], share: float) -> None:
    split = split_in_time([*log, *log], share=share)
    assert sorted(each.id for each in (*split.before, *split.after)) == sorted(each.id for each in log)
    assert all(each.at_s < split.at_s for each in split.before)
    assert all(each.at_s >= split.at_s for each in split.after)
    assert len(split.before) <= share * len(log)


@given(LOGS)
def test_targets_by_brute_force(log: list[Event]) -> None:
    split = split_in_time(log, share=0.5)
    cases = {case.person.id: case for case in cases_of(split, CATALOG)}
    for who in "uvw":
        before = [each for each in split.before if each.person.id == who]
        known = {each.product_id for each in before}
        wanted = {
            each.product_id
            for each in split.after
            if each.person.id == who
            and each.type in ("like", "add_to_cart", "purchase")
            and each.product_id in CATALOG
            and each.product_id not in known
        }
        told = any(each.type not in ("search", "dislike") for each in before)
        assert (who in cases) == bool(wanted and told)
        if who in cases:
            assert set(cases[who].targets) == wanted
            assert len(cases[who].targets) == len(wanted)
            assert list(cases[who].history) == before


@given(LOGS, st.integers(1, 5))
def test_the_last_events_are_the_end_of_a_history(log: list[Event], count: int) -> None:
    kept = last_events(log, count)
    assert list(kept) == log[len(log) - len(kept) :]
    assert len(preferences_in(kept)) == min(count, len(preferences_in(log)))


def test_impressions_are_in_neither_part() -> None:
    shown = Event(
        id="i", type=EventType.VIEW, person=Person.user("u"), at_s=0.5, product_id="a", recommendation_id="r",
        position=1,
    )  # fmt: skip
    split = split_in_time([event(1), shown, event(2, at_s=1.0)], share=0.5)
    assert (len(split.before), len(split.after), split.impressions) == (1, 1, (shown,))


def test_an_empty_log_has_nothing_before_and_nothing_after() -> None:
    assert split_in_time([]).before == split_in_time([]).after == ()


def test_a_log_of_one_moment_has_nothing_before() -> None:
    assert not split_in_time([event(number) for number in range(5)]).before
