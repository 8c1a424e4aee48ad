"""The text tower: what it computes, what it does with words it does not know, and which files it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sartor.encoders.card import TEXT_FILE, ModelCard, TextRecord
from sartor.encoders.registry import sha256_of
from sartor.encoders.text.tower import TextTower, TextWeights
from sartor.encoders.text.words import Vocabulary
from sartor.errors import UnusableModel
from tests.fakes import COLOR_CARD

BUCKETS, WIDTH, HIDDEN = 32, 8, 4
WORDS = ("red", "dress", "shirt")


def weights(dimension: int = COLOR_CARD.dimension) -> TextWeights:
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    return TextWeights(
        words=WORDS,
        table=normal(len(WORDS) + BUCKETS, WIDTH),
        straight=normal(WIDTH, dimension),
        hidden=normal(WIDTH, HIDDEN),
        hidden_bias=normal(HIDDEN),
        out=normal(HIDDEN, dimension),
        bias=normal(dimension),
    )


def record_of(folder: Path, *, network: str = COLOR_CARD.sha256) -> TextRecord:
    return TextRecord(
        sha256=sha256_of(folder / TEXT_FILE), network_sha256=network, words=len(WORDS), products=1, photos=1
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    weights().write(tmp_path / TEXT_FILE)
    return tmp_path


@pytest.fixture
def tower(folder: Path) -> TextTower:
    return TextTower.read(folder, record_of(folder), COLOR_CARD, Vocabulary.read())


def test_embeddings_have_norm_1_and_do_not_depend_on_their_batch(tower: TextTower) -> None:
    both = tower.embed(["red dress", "Shirts"])

    assert np.linalg.norm(both, axis=1) == pytest.approx([1, 1], abs=1e-5)
    np.testing.assert_allclose(tower.embed(["Shirts"])[0], both[1], atol=1e-6)


def test_case_number_and_order_of_words_make_no_difference(tower: TextTower) -> None:
    one, other = tower.embed(["Red Dresses", "dress, red"])

    np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_misspelled_word_is_read_as_the_one_that_was_probably_meant(tower: TextTower) -> None:
    assert tower.words("red drses") == ["red", "dress"]
    assert tower.meant("shrt") == "shirt"
    assert tower.meant("rad") == "rad"  # too short
    assert tower.meant("zebra") == "zebra"


def test_an_unknown_word_is_embedded_by_its_letters(tower: TextTower) -> None:
    embedded = tower.embed(["zebrine"])

    assert np.isfinite(embedded).all()
    assert "zebrine" not in tower.known


def test_a_text_without_words_has_no_embedding(tower: TextTower) -> None:
    assert np.isnan(tower.embed(["", "the", "!?"])).all()
    assert tower.embed([]).shape == (0, COLOR_CARD.dimension)


def test_the_numbers_survive_eight_bits(folder: Path) -> None:
    given = weights()
    with np.load(folder / TEXT_FILE) as arrays:
        table = arrays["table"] * arrays["scale"].astype(np.float32)[:, None]

    assert np.abs(table - given.table).max() < np.abs(given.table).max() / 100


def test_a_file_that_is_not_the_one_of_the_record_is_refused(folder: Path) -> None:
    record = record_of(folder)
    (folder / TEXT_FILE).write_bytes(b"another")

    with pytest.raises(UnusableModel, match="not the text tower that was trained"):
        TextTower.read(folder, record, COLOR_CARD, Vocabulary.read())


def test_a_file_without_its_arrays_is_refused(folder: Path) -> None:
    np.savez(folder / TEXT_FILE, words=np.zeros(1, np.uint8))

    with pytest.raises(UnusableModel, match="cannot be read"):
        TextTower.read(folder, record_of(folder), COLOR_CARD, Vocabulary.read())


def test_a_tower_of_another_network_is_refused(folder: Path) -> None:
    with pytest.raises(UnusableModel, match="another network"):
        TextTower.read(folder, record_of(folder, network="1" * 64), COLOR_CARD, Vocabulary.read())


def test_a_tower_of_another_length_is_refused(folder: Path) -> None:
    card: ModelCard = COLOR_CARD.model_copy(update={"dimension": COLOR_CARD.dimension + 1})

    with pytest.raises(UnusableModel, match="another length"):
        TextTower.read(folder, record_of(folder), card, Vocabulary.read())


def test_a_record_is_written_and_read(folder: Path) -> None:
    record = record_of(folder)
    record.write(folder / "text.json")

    assert TextRecord.read(folder / "text.json") == record
    with pytest.raises(UnusableModel, match="does not describe"):
        TextRecord.read(folder / "missing.json")


def test_only_the_weights_decide_what_is_written(tmp_path: Path) -> None:
    weights().write(tmp_path / "one.npz")
    replace(weights()).write(tmp_path / "other.npz")

    assert sha256_of(tmp_path / "one.npz") == sha256_of(tmp_path / "other.npz")
