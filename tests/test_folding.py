"""Words as people type them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.folding import closest, folded_of, variants_of, vocabulary_of

LETTERS = st.text(alphabet="abcde", min_size=4, max_size=9)


def within_one_edit(word: str) -> set[str]:
    found = {word}
    for at in range(len(word) + 1):
        head, tail = word[:at], word[at:]
        found |= {head + letter + tail for letter in "abcde"}
        found |= {head + tail[1:], head + tail[1:2] + tail[:1] + tail[2:]}
        found |= {head + letter + tail[1:] for letter in "abcde" if tail}
    return found


@pytest.mark.parametrize(
    ("word", "variants"),
    [
        ("Bjørn", ("bjorn", "bjoern")),
        ("Łódź", ("lodz",)),
        ("IŞIK", ("isik",)),
        ("İstanbul", ("istanbul",)),
        ("a\u0308rger", ("arger", "aerger")),
        ("Ёлка", ("елка",)),
        ("Ἀθήνα", ("αθηνα",)),
        ("원피스abc", ("원 피 스 abc",)),
        ("a-b-c-d-e", ("a b c d e",)),
        ("👗", ()),
        ("", ()),
    ],
)
def test_letters_are_folded(word: str, variants: tuple[str, ...]) -> None:
    assert variants_of(word) == variants


def test_plain_english_costs_nothing() -> None:
    assert folded_of("Red shirt, size 42 (new)") == ""


@given(st.text(max_size=40))
def test_any_text_is_folded_into_words_without_blanks(text: str) -> None:
    assert all(word.strip() == word and word for word in folded_of(text).split())
    assert all(len(word) >= 4 for word in vocabulary_of([text]))


@given(LETTERS, st.lists(LETTERS, max_size=20))
def test_one_edit_is_one_letter_more_less_other_or_two_swapped(word: str, others: list[str]) -> None:
    near = [other for other in {*others, *itertools.islice(sorted(within_one_edit(word)), 5)} if word not in other]
    expected = sorted(other for other in near if other in within_one_edit(word) and len(other) >= 4)
    if expected:
        assert closest(word, near) == expected
    elif len(word) < 8:
        assert closest(word, near) == []


@given(st.text(alphabet="abc", min_size=8, max_size=9))
def test_two_edits_are_found_behind_the_first_letter(word: str) -> None:
    other = word[0] + word[2:-1] + "z"
    assert other in closest(word, [other])
