from __future__ import annotations

import numpy as np
import pytest

from sartor.encoders.card import MatchCalibration
from sartor.evaluation.ranking import Ranked
from sartor.evaluation.reranking import Reranking
from sartor.ingest.embed import EmbeddedSource, PhotoEmbedding
from sartor.recommend.matching import SAME_MATCH, Matcher
from sartor.types import Product
from tests.fakes import NO_HEADS, unit

STYLES = [unit(1, 0.1, 0), unit(1, 0.4, 0), unit(0, 1, 0), unit(0, 0, 1)]
COLORS = [0.0, 0.9, 0.2, 0.1]


def photo(style: np.ndarray, name: str) -> PhotoEmbedding:
    return PhotoEmbedding(sha256=name, vector=style.astype(np.float32), palette=None, fingerprint=b"")


@pytest.fixture
def reranking() -> Reranking:
    photos = tuple(photo(style, str(row)) for row, style in enumerate(STYLES))
    query = unit(1, 0, 0)
    gallery = EmbeddedSource(
        products=tuple(Product(id=each.sha256) for each in photos),
        photos=photos,
        names=tuple(each.sha256 for each in photos),
        vectors=np.stack(STYLES).astype(np.float32),
        firsts=np.arange(len(photos)),
        rejected=(),
        embedded=len(photos),
    )
    return Reranking(
        matcher=Matcher(MatchCalibration(slope=1.0, color=5.0, intercept=-3.0, attributes=()), NO_HEADS),
        closeness=lambda _, rows: np.array([[STYLES[row] @ query, COLORS[row], 0] for row in rows], np.float32),
        gallery=gallery,
        photos=(photo(query, "q"),),
        candidates=3,
    )


def test_matches_are_those_of_similar(reranking: Reranking) -> None:
    found = reranking.matches(0, np.array([1, 2]))

    assert found == pytest.approx(
        [SAME_MATCH / (1 + np.exp(3 - STYLES[1][0] - 4.5)), SAME_MATCH / (1 + np.exp(3 - 1.0))], abs=1e-5
    )
    assert len(reranking.matches(0, np.array([], np.int64))) == 0


def test_candidates_come_in_the_order_of_their_match_and_the_others_behind_them(reranking: Reranking) -> None:
    ranked = Ranked(rows=np.array([0]), products=np.array([[0, 1, 2, 3]]))

    assert reranking.reordered(ranked).products.tolist() == [[1, 2, 0, 3]]
    assert ranked.products.tolist() == [[0, 1, 2, 3]]
