"""What a model finds odd in a catalog: labels that photos belie, products that are alone, shown always or never.

Neighbors are exact, by style alone, between the first photos of all products.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.agreement import nearest
from sartor.evaluation.labels import labels_of
from sartor.evaluation.results import HealthFinding
from sartor.pipelines.health_stock import EXAMPLES
from sartor.recommend.color_families import color_family

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from sartor.encoders.heads import Heads
    from sartor.pipelines.health_stock import Stock
    from sartor.types import Matrix, Vector

    Places = npt.NDArray[np.int64]

K = 10
# Chosen by looking at 37,344 products. At 6 deviations below the median 74 are outliers, odd ones and rare kinds;
# at 5 they are 226, most of them plain products.
FAR_BELOW = -6.0
OFTEN = 5  # times the expected number of lists: 43 products; the most frequent one is in 8.4 times as many
# The model is sure of something else, and all but rules out what is told. By the first alone half of what is found
# are neighbors such as casual and sports shoes.
SURE, RULED_OUT = 0.9, 0.01

_LEAST_SPREAD = 0.01  # of cosines; where they spread less, as in a catalog of copies, nothing is odd
_FOR_EVERYBODY = "unisex"  # contradicts no gender
_BLOCK = 4096


def unlike_their_category(stock: Stock, heads: Heads) -> list[HealthFinding]:
    """A finding for each attribute that the model predicts; one without cases if it predicts none."""
    if not heads.heads or not stock.embedded:
        return [_unlike("what is told of them", (), of=0)]
    probabilities = heads.probabilities(stock.vectors)
    return [_belied(stock, head.name, head.classes, probabilities[head.name]) for head in heads.heads]


def of_neighbors(stock: Stock) -> list[HealthFinding]:
    """Outliers, hubs and products that are never shown."""
    if not stock.embedded:
        nothing = np.empty(0, np.int64)
        return [_outliers(stock, np.empty(0, np.float32)), _hubs(stock, nothing), _never_shown(stock, nothing)]
    vectors = stock.vectors
    neighbors = nearest(vectors, vectors, k=K, own=np.arange(len(vectors)))  # (n, k)
    lists = np.bincount(neighbors.ravel(), minlength=len(vectors))  # (n,)
    return [_outliers(stock, _closeness(vectors, neighbors)), _hubs(stock, lists), _never_shown(stock, lists)]


def _belied(stock: Stock, attribute: str, classes: tuple[str, ...], probabilities: Matrix) -> HealthFinding:
    told = labels_of([photo.attributes for photo in stock.embedded], attribute)
    places = {value: place for place, value in enumerate(classes)}
    known = np.flatnonzero([value in places for value in told])
    own = probabilities[known, [places[value] for value in told[known]]]
    likeliest, sure = probabilities[known].argmax(axis=1), probabilities[known].max(axis=1)
    cases = [
        (stock.named(stock.embedded[known[row]].product_id), told[known[row]], classes[likeliest[row]])
        for row in np.argsort(own, kind="stable")
        if sure[row] >= SURE and own[row] < RULED_OUT
    ]
    contradicted = tuple(
        f"{named}: {value}, looks like {seen}"
        for named, value, seen in cases
        if _contradict(attribute, value, seen)
    )
    return _unlike(attribute, contradicted, of=len(known))


def _contradict(attribute: str, told: str, seen: str) -> bool:
    if attribute == "color":
        return color_family(told) != color_family(seen)
    return _FOR_EVERYBODY not in (told.lower(), seen.lower())


def _unlike(attribute: str, cases: tuple[str, ...], *, of: int) -> HealthFinding:
    return HealthFinding(
        name="unlike_their_category",
        what=f"products that look unlike {attribute if not of else f'their {attribute}'}",
        count=len(cases),
        of=of,
        examples=cases[:EXAMPLES],
        meaning=f"Either {attribute} is wrong in the source, or the photo is another product's, or the model "
        "errs: look before you change it.",
    )


def _closeness(vectors: Matrix, neighbors: Places) -> Vector:
    """Mean cosine of each product to its neighbors, ``(n,)``; in blocks, as ``(n, k, d)`` is much at once."""
    means = np.zeros(len(vectors), np.float32)
    for start in range(0, len(vectors), _BLOCK if neighbors.shape[1] else len(vectors)):
        block = slice(start, start + _BLOCK)
        cosines = np.einsum("nd,nkd->nk", vectors[block], vectors[neighbors[block]])  # (b, k) in [-1, 1]
        means[block] = cosines.sum(axis=1) / max(1, neighbors.shape[1])
    return means


def _outliers(stock: Stock, closeness: Vector) -> HealthFinding:
    """Products whose robust z-score of closeness lies far below the others'.

    Source: B. Iglewicz and D. Hoaglin, "How to Detect and Handle Outliers" (1993), with the factor for normal
    distributions.
    """
    middle = np.median(closeness) if len(closeness) else 0.0
    spread = 1.4826 * np.median(np.abs(closeness - middle)) if len(closeness) else 0.0
    scores = (closeness - middle) / max(spread, _LEAST_SPREAD)
    far = [place for place in np.argsort(scores, kind="stable") if scores[place] < FAR_BELOW]
    return HealthFinding(
        name="outliers",
        what=f"products that are unlike their {K} nearest",
        count=len(far),
        of=len(stock.embedded),
        examples=_named(stock, far),
        meaning="What is recommended for them is hardly similar: a kind of which the catalog has few, an unusual "
        "photo, or a product that does not belong here.",
    )


def _hubs(stock: Stock, lists: Places) -> HealthFinding:
    expected = lists.mean() if len(lists) else 0.0
    often = [place for place in np.argsort(-lists, kind="stable") if lists[place] > OFTEN * expected]
    return HealthFinding(
        name="hubs",
        what=f"products in more than {OFTEN} times the expected number of top-{K} lists",
        count=len(often),
        of=len(stock.embedded),
        examples=tuple(
            f"{named}, in {lists[place]:,}" for named, place in zip(_named(stock, often), often, strict=False)
        ),
        meaning="Shoppers see them again and again; ask for more diversity, or look whether their photos are so "
        "plain that they are near to everything.",
    )


def _never_shown(stock: Stock, lists: Places) -> HealthFinding:
    never = np.flatnonzero(lists == 0)
    return HealthFinding(
        name="never_shown",
        what=f"products in no top-{K} list of another product",
        count=len(never),
        of=len(stock.embedded),
        examples=_named(stock, never),
        meaning="Nobody comes to them from a similar product; show them elsewhere, or give them a photo like "
        "those of their kind.",
    )


def _named(stock: Stock, places: Iterable[int]) -> tuple[str, ...]:
    return stock.examples(stock.embedded[place].product_id for place in places)
