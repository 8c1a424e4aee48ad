"""How well words find photos: titles their own product, attribute phrases products that have these attributes.

Both are asked as typed, and with one typing error in each word.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.recommend.understood import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from sartor.encoders.text.tower import TextTower
    from sartor.types import Attributes, Matrix

    Scores = npt.NDArray[np.float64]

RECALL_AT = (1, 5, 10)
PRECISION_AT = 10
MIN_PRODUCTS = 10  # that a phrase describes, to be a query
_SHORTEST_MISSPELLED = 4
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_GENDER, _COLOR, _KIND = 0, 1, 2  # kinds of attributes, see ``kind_of``


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Gallery:
    """Products with the embeddings of their main photos, ``(n, d)``."""

    titles: Sequence[str]
    attributes: Sequence[Attributes]
    embeddings: Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A query by attributes: its words, and the values that products should have."""

    text: str
    values: Mapping[str, str]


def misspelled(word: str, rng: np.random.Generator) -> str:
    """A word with one typing error; words below four letters, and those with a digit, stay as they are.

    Two letters are swapped, one is left out, one is there twice, or one is wrong; the first one is right.
    """
    if len(word) < _SHORTEST_MISSPELLED or not word.isalpha():
        return word
    at = int(rng.integers(1, len(word) - 1))
    match int(rng.integers(4)):
        case 0:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case 1:
            return word[:at] + word[at + 1 :]
        case 2:
            return word[:at] + word[at] + word[at:]
        case _:
            return word[:at] + _LETTERS[int(rng.integers(len(_LETTERS)))] + word[at + 1 :]


def all_misspelled(text: str, rng: np.random.Generator) -> str:
    """A text with one typing error in each of its words."""
    return " ".join(misspelled(word, rng) for word in text.lower().split())


def title_recall(tower: TextTower, gallery: Gallery, titles: Sequence[str] | None = None) -> dict[str, Scores]:
    """Whether a product's photo is among the first for its title, by ``R@k``, one value for each product.

    Args:
        tower: Embeds the titles.
        gallery: The products; those without a title are no queries.
        titles: What is asked instead of the products' own titles, such as misspelled ones.
    """
    asked = list(gallery.titles if titles is None else titles)
    rows = [row for row, title in enumerate(asked) if title.strip()]
    queries = np.nan_to_num(tower.embed([asked[row] for row in rows]))
    scores = queries @ gallery.embeddings.T
    own = scores[np.arange(len(rows)), rows]
    ranks = (scores > own[:, None]).sum(axis=1)
    return {f"R@{k}": (ranks < k).astype(np.float64) for k in RECALL_AT}


def phrases_of(attributes: Sequence[Attributes], *, minimum: int = MIN_PRODUCTS) -> tuple[Phrase, ...]:
    """Phrases such as ``red dresses for women``, each of which describes enough products.

    The attributes are those that tell color, kind and for whom, by their names; of several the first that most
    products have and that has the most values.
    """
    names = [name for name in (_chosen(attributes, kind) for kind in (_COLOR, _KIND, _GENDER)) if name]
    if not names:
        return ()
    counts = Counter(
        tuple(str(own[name]) for name in names) for own in attributes if all(own.get(name) for name in names)
    )
    said = sorted(values for values, count in counts.items() if count >= minimum and "NA" not in values)
    return tuple(
        Phrase(text=_spoken(dict(zip(names, values, strict=True))), values=dict(zip(names, values, strict=True)))
        for values in said
    )


def attribute_precision(
    tower: TextTower, gallery: Gallery, phrases: Sequence[Phrase], texts: Sequence[str] | None = None
) -> dict[str, Scores]:
    """Share of the first ten products that have what a phrase says: all of it, and each attribute.

    Args:
        tower: Embeds the phrases.
        gallery: The products.
        phrases: The queries.
        texts: What is asked instead of the phrases' own texts, such as misspelled ones.
    """
    if not phrases:
        return {}
    asked = [phrase.text for phrase in phrases] if texts is None else list(texts)
    scores = np.nan_to_num(tower.embed(asked)) @ gallery.embeddings.T
    first = np.argsort(-scores, axis=1, kind="stable")[:, :PRECISION_AT]
    names = list(phrases[0].values)
    right = np.array(
        [
            [[str(gallery.attributes[row].get(name, "")) == phrase.values[name] for name in names] for row in rows]
            for phrase, rows in zip(phrases, first, strict=True)
        ]
    )  # (q, k, names)
    by_name = {name: right[..., column].mean(axis=1) for column, name in enumerate(names)}
    return {"all": right.all(axis=2).mean(axis=1), **by_name}


def measure(tower: TextTower, gallery: Gallery, *, seed: int = 0) -> dict[str, Scores]:
    """All figures of a text tower on a gallery, one value for each query, as typed and with typing errors."""
    rng = np.random.default_rng(seed)
    figures = {f"title {name}": values for name, values in title_recall(tower, gallery).items()}
    wrong = [all_misspelled(title, rng) for title in gallery.titles]
    figures |= {
        f"title {name}, misspelled": values for name, values in title_recall(tower, gallery, wrong).items()
    }
    phrases = phrases_of(gallery.attributes)
    precision = attribute_precision(tower, gallery, phrases)
    figures |= {f"attributes P@{PRECISION_AT}, {name}": values for name, values in precision.items()}
    wrong = [all_misspelled(phrase.text, rng) for phrase in phrases]
    if phrases:
        misspelled_ = attribute_precision(tower, gallery, phrases, wrong)["all"]
        figures[f"attributes P@{PRECISION_AT}, all, misspelled"] = misspelled_
    return {name: values for name, values in figures.items() if len(values)}


def _chosen(attributes: Iterable[Attributes], kind: int) -> str | None:
    values: dict[str, Counter[str]] = {}
    for own in attributes:
        for name, value in own.items():
            if kind_of(name) == kind and value:
                values.setdefault(name, Counter())[str(value)] += 1
    most = max((counts.total() for counts in values.values()), default=0)
    common = [name for name, counts in values.items() if counts.total() >= most / 2]
    return max(common, key=lambda name: (len(values[name]), name), default=None)


def _spoken(values: Mapping[str, str]) -> str:
    words = [value for name, value in values.items() if kind_of(name) != _GENDER]
    whom = [f"for {value}" for name, value in values.items() if kind_of(name) == _GENDER]
    return " ".join((*words, *whom)).lower()
