"""How well words find products: the text tower on held-out products, and search beside full text alone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, TypeAlias

import numpy as np
import typer

import sartor
from benchmarks.data import PHOTOS_224, SHARED_DATA, Data, data_file
from benchmarks.report import Figure, Report, Target
from benchmarks.word_data import word_data
from sartor.encoders.card import CARD_FILE, ModelCard
from sartor.encoders.registry import DEFAULT_MODEL, DIRECTORY
from sartor.encoders.text.tower import TextTower
from sartor.encoders.text.words import IGNORED, Vocabulary
from sartor.evaluation.intervals import bootstrap_interval, paired_test
from sartor.evaluation.metrics import ndcg_at_k
from sartor.evaluation.words import Gallery, measure, phrases_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from sartor.shop import Shop
    from sartor.training.train_text import DescribedProduct

    Scores = npt.NDArray[np.float64]

Search: TypeAlias = Callable[[str], Sequence[str]]  # from words to ids of products, the best first

K = 10
_SEED = 0
_COUNTS = {"id": 100, "brand and kind": 100, "attributes": 150, "title with words left out": 150}
_WHOM = re.compile(
    r"\b(?:men|women|boys|girls|unisex|kids)(?:'s)?\b", re.IGNORECASE
)  # ends a brand in these titles
_LEFT_OUT = 1 / 3
_MIN_OF_A_BRAND = 3
_TARGETS = {
    "title R@1": 0.42,
    "title R@10": 0.90,
    f"attributes P@{K}, all, the 224 set": 0.86,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Words, and the products that are relevant."""

    kind: str
    words: str
    relevant: frozenset[str]


def words(
    *,
    data: Data = SHARED_DATA,
    model: Annotated[
        Path, typer.Option(metavar="DIR", help="A model with a text tower; without it, the bundled one.")
    ] = DIRECTORY / DEFAULT_MODEL,
    work: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keeps photos and embeddings for next time.")
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A workspace with the 224 set, which is indexed if it is new."),
    ] = None,
) -> Report:
    """Titles and attributes to photos by the text tower; 500 queries by full text, by the tower, and by both."""
    with TemporaryDirectory() as temporary:
        kept = work or Path(temporary)
        card = ModelCard.read(model / CARD_FILE)
        if card.text is None:
            message = f"{model} has no text tower"
            raise typer.BadParameter(message)
        tower = TextTower.read(model, card.text, card, Vocabulary.read())
        products, large = word_data(model, card, data=data, work=kept)
        figures = _of_the_tower(tower, products, large)
        with sartor.open(home or Path(temporary) / "home") as shop:
            if not shop.counts().products:
                shop.index(data_file(data, PHOTOS_224))
            found, tests = _of_the_search(shop, tower, products)
    return Report(
        name="words",
        options={},
        warm_up="none: what is measured does not depend on time, but for the milliseconds",
        figures=figures | found,
        ratios=_ratios(figures) | tests,
        targets=[
            *(Target(what=name, value=figures[name].median, at_least=bound) for name, bound in _TARGETS.items()),
            *(
                Target(
                    what=f"lost by a typing error in each word: {name}", value=_lost(figures, name), at_most=0.1
                )
                for name in ("title R@10", f"attributes P@{K}, all, the 224 set")
            ),
        ],
        notes=(
            "median and p95 are the mean and the lower end of its 95 % interval",
            "title R@k: held-out products of the 224 set among themselves, only the product itself is right",
            "attributes: phrases with at least 10 products; color, kind and for whom all as the shop says",
            f"mixed queries, nDCG@{K}: ids, brands with a kind, attribute phrases, titles with a third left out",
        ),
    )


def mixed_queries(products: Mapping[str, DescribedProduct], ids: Sequence[str]) -> list[Query]:
    """Queries about held-out products of a catalog, always the same; ``ids`` are all of its products."""
    rng = np.random.default_rng(_SEED)
    held_out = [id_ for id_ in ids if products[id_].held_out]
    chosen = {kind: rng.permutation(held_out) for kind in _COUNTS}
    queries = [Query(kind="id", words=id_, relevant=frozenset([id_])) for id_ in chosen["id"].tolist()]
    queries = queries[: _COUNTS["id"]]
    by_brand: dict[tuple[str, str], set[str]] = {}
    by_title: dict[str, set[str]] = {}
    for id_ in ids:
        by_title.setdefault(products[id_].title.lower(), set()).add(id_)
        if brand := _brand(products[id_].title):
            by_brand.setdefault((brand, str(products[id_].attributes.get("articleType"))), set()).add(id_)
    asked: dict[tuple[str, str], None] = {}
    for id_ in chosen["brand and kind"].tolist():
        key = (_brand(products[id_].title), str(products[id_].attributes.get("articleType")))
        if key[0] and len(by_brand[key]) >= _MIN_OF_A_BRAND:
            asked[key] = None
    queries += [
        Query(kind="brand and kind", words=" ".join(key), relevant=frozenset(by_brand[key]))
        for key in list(asked)[: _COUNTS["brand and kind"]]
    ]
    phrases = phrases_of([products[id_].attributes for id_ in ids])
    for at in rng.permutation(len(phrases))[: _COUNTS["attributes"]]:
        phrase = phrases[at]
        relevant = {
            id_
            for id_ in ids
            if all(str(products[id_].attributes.get(name)) == value for name, value in phrase.values.items())
        }
        queries.append(Query(kind="attributes", words=phrase.text, relevant=frozenset(relevant)))
    for id_ in chosen["title with words left out"].tolist()[: _COUNTS["title with words left out"]]:
        typed = products[id_].title.split()
        left = [word for word in typed if rng.random() >= _LEFT_OUT] or typed
        same = frozenset(by_title[products[id_].title.lower()])
        queries.append(Query(kind="title with words left out", words=" ".join(left), relevant=same))
    return queries


def _of_the_tower(
    tower: TextTower, products: Mapping[str, DescribedProduct], large: set[str]
) -> dict[str, Figure]:
    held_out = {id_: product for id_, product in products.items() if product.held_out}
    galleries = {
        "": [product for id_, product in held_out.items() if id_ in large],
        "all held-out": list(held_out.values()),
        "the 224 set": [product for id_, product in products.items() if id_ in large],
    }
    rng = np.random.default_rng(_SEED)
    figures: dict[str, Figure] = {}
    for name, members in galleries.items():
        scores = measure(tower, _gallery(members))
        for figure, values in scores.items():
            if figure.startswith("title") == (not name):
                interval = bootstrap_interval(values, rng=rng)
                label = f"{figure}, {name}" if name else figure
                figures[label] = Figure(
                    median=interval.mean, p95=interval.low, n=interval.count, unit=f"to {interval.high:.3f}"
                )
    titles = [product.title for product in galleries[""]]
    figures["embed a title"] = Figure.of([_milliseconds(tower, title) for title in titles], "ms")
    return figures


def _of_the_search(
    shop: Shop, tower: TextTower, products: Mapping[str, DescribedProduct]
) -> tuple[dict[str, Figure], dict[str, float]]:
    ids = [id_ for id_ in shop.product_ids() if id_ in products]
    gallery = _gallery([products[id_] for id_ in ids])

    def by_text(text: str) -> Sequence[str]:
        content = " ".join(word for word in text.split() if word.lower() not in IGNORED)
        return [stored.product.id for stored in shop.listing(words=content, limit=K).products]

    def by_tower(text: str) -> Sequence[str]:
        scores = gallery.embeddings @ np.nan_to_num(tower.embed([text])[0])
        return [ids[row] for row in np.argsort(-scores, kind="stable")[:K]]

    def by_both(text: str) -> Sequence[str]:
        hits = shop.search(text, k=K)
        return [id_ for hit in hits for id_ in (hit.product_id, *hit.variants)][:K]

    queries = mixed_queries(products, ids)
    systems: dict[str, Search] = {"full text": by_text, "text tower": by_tower, "search": by_both}
    scores: dict[str, Scores] = {}
    figures: dict[str, Figure] = {}
    rng = np.random.default_rng(_SEED)
    for name, search in systems.items():
        values, took_ms = [], []
        for query in queries:
            start_s = time.perf_counter()
            found = search(query.words)
            took_ms.append(1000 * (time.perf_counter() - start_s))
            relevant = np.array([[id_ in query.relevant for id_ in found] + [False] * (K - len(found))])
            values.append(float(ndcg_at_k(relevant, np.array([len(query.relevant)]), k=K)[0]))
        scores[name] = np.array(values)
        kinds = {"": np.ones(len(queries), np.bool_)} | {
            kind: np.array([query.kind == kind for query in queries]) for kind in _COUNTS
        }
        for kind, rows in kinds.items():
            interval = bootstrap_interval(scores[name][rows], rng=rng)
            figures[f"nDCG@{K} of {name}{kind and f', {kind}'}"] = Figure(
                median=interval.mean, p95=interval.low, n=interval.count, unit=f"to {interval.high:.3f}"
            )
        figures[f"time of {name}"] = Figure.of(took_ms, "ms")
    tests = {
        f"search less {name}, lower end of 95 %": paired_test(scores["search"], scores[name], rng=rng).low
        for name in ("full text", "text tower")
    }
    return figures, tests


def _gallery(products: Sequence[DescribedProduct]) -> Gallery:
    return Gallery(
        titles=[product.title for product in products],
        attributes=[product.attributes for product in products],
        embeddings=np.array([product.embeddings[0] for product in products], np.float32),
    )


def _brand(title: str) -> str:
    found = _WHOM.search(title)
    return title[: found.start()].strip().lower() if found else ""


def _milliseconds(tower: TextTower, text: str) -> float:
    start_s = time.perf_counter()
    tower.embed([text])
    return 1000 * (time.perf_counter() - start_s)


def _lost(figures: Mapping[str, Figure], name: str) -> float:
    label, _, gallery = name.partition(", the ")
    wrong = figures[f"{label}, misspelled" + (f", the {gallery}" if gallery else "")]
    return 1 - wrong.median / figures[name].median


def _ratios(figures: Mapping[str, Figure]) -> dict[str, float]:
    names = ("title R@1", "title R@5", "title R@10", f"attributes P@{K}, all, the 224 set")
    return {f"lost by typing errors: {name}": _lost(figures, name) for name in names}
