"""Words of texts: folded, singular, of one language, one word for a meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

from sartor.encoders.text.words import Vocabulary, is_one_error_away, read_synonyms, singular
from sartor.errors import UnusableSynonyms


def words_of(text: str, vocabulary: Vocabulary | None = None) -> list[str]:
    return [word.text for word in (vocabulary or Vocabulary.read()).words(text)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Women's T-Shirt", ["women", "tshirt"]),
        ("mens tees", ["men", "tshirt"]),
        ("Jumper", ["sweater"]),
        ("pants", ["trouser"]),
        ("track pants", ["track", "pant"]),
        ("saris", ["saree"]),
        ("the dress for a lady", ["dress", "women"]),
        ("Levi's 501", ["levi", "501"]),
        ("", []),
    ],
)
def test_words_of_one_meaning_become_one_word(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "rotes Kleid für Damen",
        "robe rouge pour femme",
        "vestido rojo para mujer",
        "vestito rosso da donna",
        "vestido vermelho feminino",
        "rode jurk voor dames",
    ],
)
def test_attributes_in_six_languages_are_english_words(text: str) -> None:
    assert sorted(words_of(text)) == ["dress", "red", "women"]


@pytest.mark.parametrize(
    "text", ["rock shirt", "short dress", "rose top", "blouse with a collar", "tennis basket"]
)
def test_english_words_that_are_foreign_ones_too_stay_english(text: str) -> None:
    assert Vocabulary.read().language_of(text.split()) is None


def test_a_word_knows_how_it_was_typed() -> None:
    typed = [(word.text, word.typed) for word in Vocabulary.read().words("Running Shoes, Navy")]

    assert typed == [("sport", "running shoes"), ("shoe", "running shoes"), ("navy", "navy"), ("blue", "navy")]


def test_a_workspace_adds_groups_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "synonyms.txt"
    file.write_text("# ours\ngarage jacket, shacket , overshirt\n\nclog, crocs # shoes\n", encoding="utf-8")
    vocabulary = Vocabulary.read(file)

    assert words_of("Shackets", vocabulary) == words_of("overshirt", vocabulary) == ["garage", "jacket"]
    assert words_of("crocs", vocabulary) == ["clog"]
    assert words_of("jumper", vocabulary) == ["sweater"]


def test_a_group_of_a_workspace_joins_a_packaged_one(tmp_path: Path) -> None:
    (tmp_path / "synonyms.txt").write_text("tee, undershirt shirt\n", encoding="utf-8")
    vocabulary = Vocabulary.read(tmp_path / "synonyms.txt")

    assert (
        words_of("t-shirt", vocabulary) == words_of("undershirt shirt", vocabulary) == words_of("tee", vocabulary)
    )


@pytest.mark.parametrize(("content", "said"), [(b"sneakers\n", "line 1 has only one name"), (b"\xff\xfe", "read")])
def test_a_broken_table_of_synonyms_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "synonyms.txt").write_bytes(content)

    with pytest.raises(UnusableSynonyms, match=said):
        read_synonyms(tmp_path / "synonyms.txt")


def test_singulars() -> None:
    plurals = ("dresses", "watches", "scarves", "accessories", "glass", "bus", "is", "sarees", "boxes", "ties")

    assert [singular(word) for word in plurals] == [
        "dress", "watch", "scarve", "accessory", "glass", "bus", "is", "saree", "box", "tie",
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["drses", "dres", "dresss", "drass", "derss"])
def test_one_typing_error_is_recognized(word: str) -> None:
    assert is_one_error_away(word, "dress")


@pytest.mark.parametrize("word", ["dress", "tress", "drs", "dr", "", "dreamss", "rdess"])
def test_other_words_are_no_typing_errors(word: str) -> None:
    assert not is_one_error_away(word, "dress")
