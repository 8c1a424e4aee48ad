"""The text tower: embeds words in the space of a model's photos, with NumPy alone.

A text is a bag of rows of one table: a row for each word of the vocabulary, and rows for the hashes of its words'
character n-grams, so that words it has never seen lie near those they resemble.

    z = sum_w (E[w] + mean_g E[g]) / sqrt(number of words)
    embedding = unit(z W + relu(z U + a) V + b)

Source: P. Bojanowski et al., "Enriching word vectors with subword information" (TACL 2017), for the n-grams;
A. Radford et al., "Learning transferable visual models from natural language supervision" (ICML 2021), for the
common space.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Self

import numpy as np

from sartor.encoders.card import TEXT_FILE
from sartor.encoders.encoder import unit_norm
from sartor.encoders.registry import sha256_of
from sartor.encoders.text.words import MIN_FORGIVEN, Vocabulary, is_one_error_away
from sartor.errors import UnusableModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.encoders.card import ModelCard, TextRecord
    from sartor.types import Matrix

    Rows = npt.NDArray[np.int64]

_GRAMS = (3, 4)  # lengths of character n-grams, the marks of a word's ends included
_LEVELS = 127  # of a quantized number's absolute value
_MAX_WORDS = 64  # of a text; the rest is left out of its embedding


def grams_of(word: str) -> list[str]:
    """The character n-grams of a word, with marks at its ends.

    Example:
        >>> grams_of("tie")
        ['<ti', 'tie', 'ie>', '<tie', 'tie>']
    """
    marked = f"<{word}>"
    return [marked[at : at + size] for size in _GRAMS for at in range(len(marked) - size + 1)]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TextWeights:
    """What a text tower has learned: ``v`` words, ``g`` buckets of n-grams, rows of ``n``, embeddings of ``d``.

    Attributes:
        words: The vocabulary, the most frequent first; the row of each word is its number.
        table: ``(v + g, n)``: words, then buckets.
        straight: ``W``, ``(n, d)``.
        hidden: ``U``, ``(n, u)``.
        hidden_bias: ``a``, ``(u,)``.
        out: ``V``, ``(u, d)``.
        bias: ``b``, ``(d,)``.
    """

    words: tuple[str, ...]
    table: Matrix
    straight: Matrix
    hidden: Matrix
    hidden_bias: Matrix
    out: Matrix
    bias: Matrix

    def write(self, file: Path) -> None:
        """Write them, the table in eight bits with a scale a row, the rest in float16."""
        scale = np.maximum(np.abs(self.table).max(axis=1), 1e-8) / _LEVELS
        half = {
            name: getattr(self, name).astype(np.float16)
            for name in ("straight", "hidden", "hidden_bias", "out", "bias")
        }
        np.savez_compressed(
            file,
            words=np.frombuffer("\n".join(self.words).encode(), np.uint8),
            table=np.rint(self.table / scale[:, None]).astype(np.int8),
            scale=scale.astype(np.float16),
            **half,
        )


class TextTower:
    """Embeds texts in the space of a model's photos; threads may share it."""

    def __init__(self, arrays: Mapping[str, npt.NDArray[np.generic]], vocabulary: Vocabulary) -> None:
        """``arrays`` are those that ``TextWeights.write`` writes."""
        self.vocabulary = vocabulary
        words = arrays["words"].tobytes().decode().split("\n")
        self._row_of = {word: row for row, word in enumerate(words)}
        self._table, self._scale = arrays["table"], arrays["scale"].astype(np.float32)
        names = ("straight", "hidden", "hidden_bias", "out", "bias")
        self._straight, self._hidden, self._hidden_bias, self._out, self._bias = (
            arrays[name].astype(np.float32) for name in names
        )

    @classmethod
    def read(cls, folder: Path, record: TextRecord, card: ModelCard, vocabulary: Vocabulary) -> Self:
        """The text tower of a model, from the folder that it is in.

        Args:
            folder: Where its file is.
            record: What the file should be.
            card: The model whose photos it stands beside.
            vocabulary: What words mean.

        Raises:
            UnusableModel: The file is not the one that the record describes, or it learned from another network.
        """
        path = folder / TEXT_FILE
        if record.network_sha256 != card.sha256:
            reason = f"it learned from another network than that of {card.id}; train it again: sartor train-text"
            raise UnusableModel(path, reason=reason)
        if sha256_of(path) != record.sha256:
            raise UnusableModel(path, reason="it is not the text tower that was trained; train it again")
        try:
            with np.load(path, allow_pickle=False) as arrays:
                tower = cls({name: arrays[name] for name in arrays.files}, vocabulary)
        except (KeyError, OSError, ValueError) as error:
            raise UnusableModel(path, reason="its text tower cannot be read; train it again") from error
        if tower.dimension != card.dimension:
            raise UnusableModel(path, reason="its embeddings have another length; train it again")
        return tower

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return len(self._bias)

    @cached_property
    def known(self) -> frozenset[str]:
        """The words that it has seen."""
        return frozenset(self._row_of)

    def words(self, text: str) -> list[str]:
        """The words of a text as the tower takes them; a misspelled one as the word that was probably meant."""
        return [self.meant(word.text, typed=word.typed) for word in self.vocabulary.words(text)]

    def meant(self, word: str, *, typed: str = "") -> str:
        """The word itself if it is known or short; else the most frequent one that is one typing error away.

        Args:
            word: A word as it is compared, without the ending of a plural.
            typed: As it was typed, which is looked at, too.
        """
        if len(word) < MIN_FORGIVEN or word in self._row_of or not word.isalpha():
            return word
        spellings = dict.fromkeys((word, typed or word))
        near = (
            known
            for spelling in spellings
            for known in self._by_start.get(spelling[0], ())
            if is_one_error_away(spelling, known)
        )
        return next(near, word)

    @cached_property
    def _by_start(self) -> dict[str, list[str]]:
        """The words by their first letter, the most frequent first."""
        words: dict[str, list[str]] = {}
        for word in self._row_of:
            words.setdefault(word[0], []).append(word)
        return words

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Embed texts.

        Returns:
            ``(n, d)`` float32 of unit norm; a row of NaN for a text without words.
        """
        return self.embed_words([self.words(text) for text in texts])

    def embed_words(self, texts: Sequence[Sequence[str]]) -> Matrix:
        """The same for texts that are words already; see ``words``."""
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        bags = np.stack([self._bag(words[:_MAX_WORDS]) for words in texts])
        raised = np.maximum(bags @ self._hidden + self._hidden_bias, 0)
        embeddings = unit_norm(bags @ self._straight + raised @ self._out + self._bias)
        embeddings[[not words for words in texts]] = np.nan
        return embeddings

    def _bag(self, words: Sequence[str]) -> Matrix:
        bag = np.zeros(self._table.shape[1], np.float32)
        buckets = len(self._table) - len(self._row_of)
        for word in words:
            rows, weights = rows_of(word, self._row_of.get(word), len(self._row_of), buckets)
            bag += (weights * self._scale[rows]) @ self._table[rows].astype(np.float32)
        return bag / np.float32(np.sqrt(max(1, len(words))))


def rows_of(word: str, row: int | None, words: int, buckets: int) -> tuple[Rows, Matrix]:
    """The rows of a table that make a word, and how much each counts.

    Args:
        word: The word.
        row: Its own row; None for one out of the vocabulary.
        words: Number of words of the vocabulary.
        buckets: Number of rows for n-grams.
    """
    grams = _hashes(word)
    rows = words + grams % buckets
    weights = np.full(len(rows), 1 / len(rows), np.float32)
    if row is None:
        return rows, weights * 2  # there is nothing but its n-grams
    return np.append(rows, row), np.append(weights, np.float32(1))


@lru_cache(maxsize=65_536)
def _hashes(word: str) -> Rows:
    return np.array([zlib.crc32(gram.encode()) for gram in grams_of(word)], np.int64)
