from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from sartor.encoders.card import MatchCalibration
from sartor.errors import UnknownAttribute
from sartor.recommend.base import Model
from sartor.recommend.features import Features
from sartor.recommend.matching import SAME_MATCH, Asked, Matcher
from sartor.recommend.similar import Recommendation, SimilarQuery, similar
from sartor.recommend.weights import DEFAULT_FEATURE_WEIGHTS
from sartor.types import AnyOf, FacetValue, Likeness, Neighbor, Photo, Product, StoredProduct, Verdict, Where
from tests.fakes import NO_HEADS

PHOTO = Photo(sha256="a" * 64, name="a.jpg", width_px=1, height_px=1, thumbnail="a.jpg")


def features(
    style: Sequence[float], color: Sequence[float] = (1, 0), category: Sequence[float] = (1,)
) -> Features:
    return Features(**{
        name: np.array(part, np.float32) / np.linalg.norm(part)
        for name, part in (("style", style), ("color", color), ("category", category))
    })  # fmt: skip


class Rail:
    """A few clothes, as an index and as a catalog."""

    def __init__(
        self,
        clothes: Mapping[str, Features],
        *,
        same_picture: Sequence[str] = (),
        **attributes: Mapping[str, object],
    ) -> None:
        self.clothes, self.attributes, self.same_picture = clothes, attributes, same_picture
        self.asked: list[object] = []

    def search(
        self, vector: np.ndarray, *, k: int, where: Where, without: Sequence[str], exact: bool
    ) -> list[Neighbor]:
        self.asked = [where, without, exact]
        scores = {name: float(vector @ own.joined()) for name, own in self.clothes.items() if name not in without}
        order = sorted(scores, key=lambda name: (-scores[name], name))[:k]
        return [
            Neighbor(product_id=name, sha256=PHOTO.sha256, score=scores[name], vector=self.clothes[name].joined())
            for name in order
        ]

    def facets(self, attributes: Sequence[str], *, where: Where, limit: int) -> dict[str, list[FacetValue]]:
        return {name: [FacetValue("Red", limit)] for name in attributes}

    def products(self, ids: Sequence[str]) -> dict[str, StoredProduct]:
        return {
            name: StoredProduct(
                product=Product(id=name, title=name.title(), attributes=self.attributes.get(name, {})),
                photos=(replace(PHOTO, fingerprint=bytes([7] * 128 if name in self.same_picture else [])),),
            )
            for name in ids
        }


MODEL = Model(
    attributes=("color",),
    predicted=lambda vectors: [{"color": ("Red", 0.8)} for _ in vectors],
    matching=Matcher(MatchCalibration(slope=10.0, intercept=-5.0, attributes=()), NO_HEADS),
)


def ask(rail: Rail, query: Features, **options: object) -> Recommendation:
    asked = SimilarQuery(parts=((query, 1.0),), asked=Asked(), **options)
    return similar(asked, index=rail, catalog=rail, model=MODEL)


def test_a_hit_tells_what_is_known_predicted_and_why() -> None:
    rail = Rail({"shirt": features([1, 0.1])}, shirt={"color": "Blue"})
    (hit,) = ask(rail, features([1, 0]), weights=DEFAULT_FEATURE_WEIGHTS)

    assert (hit.product_id, hit.title, hit.photo) == ("shirt", "Shirt", PHOTO)
    assert hit.attributes == {"color": "Blue"}
    assert hit.predicted == {}
    assert hit.score == hit.match == pytest.approx(SAME_MATCH / (1 + np.exp(-(10 * hit.style - 5))))
    assert hit.reasons


def test_what_the_catalog_does_not_tell_is_predicted() -> None:
    (hit,) = ask(Rail({"shirt": features([1, 0])}), features([1, 0]))

    assert hit.predicted == {"color": ("Red", 0.8)}


def test_filters_and_exclusions_are_handed_to_the_index() -> None:
    rail = Rail({"shirt": features([1, 0]), "skirt": features([0, 1])})
    where = Where((AnyOf(attribute="color", values=("Red",)),))
    found = ask(rail, features([1, 0]), where=where, without=frozenset({"skirt"}), exact=True, facets=("color",))

    assert rail.asked == [where, frozenset({"skirt"}), True]
    assert [hit.product_id for hit in found] == ["shirt"]
    assert found.facets == {"color": [FacetValue("Red", 200)]}


def test_variants_stand_behind_one_hit() -> None:
    clothes = {"s": features([1, 0]), "m": features([0.5, 1]), "other": features([1, 1]), "twin": features([1, 1])}
    rail = Rail(clothes, same_picture=("other", "twin", "m"), s={"item_group_id": "g"}, m={"item_group_id": "g"})
    found = ask(rail, features([1, 0]))

    assert [(hit.product_id, hit.variants) for hit in found] == [("s", ("m",)), ("other", ("twin",))]


def test_variants_of_the_query_are_no_hits() -> None:
    rail = Rail({"s": features([1, 0]), "other": features([0, 1])}, s={"item_group_id": "g"})
    found = ask(rail, features([1, 0]), groups=frozenset({"g"}))

    assert [hit.product_id for hit in found] == ["other"]


def test_no_good_match_is_said_so() -> None:
    found = ask(Rail({"far": features([0, 1])}), features([1, 0]))

    assert not found.good
    assert found.verdict is Verdict.NOTHING_CLOSE
    assert [hit.weak for hit in found] == [True]
    assert [hit.likeness for hit in found] == [Likeness.A_LITTLE]


def test_diversity_brings_what_differs() -> None:
    clothes = {"one": features([1, 0.2]), "alike": features([1, 0.3]), "unlike": features([0.6, -1])}
    near = ask(Rail(clothes), features([1, 0]), k=2)
    diverse = ask(Rail(clothes), features([1, 0]), k=2, diversity=0.7)

    assert [hit.product_id for hit in near] == ["one", "alike"]
    assert [hit.product_id for hit in diverse] == ["one", "unlike"]


def test_an_attribute_that_no_product_has_is_refused() -> None:
    where = Where((AnyOf(attribute="colour", values=("Red",)),))
    with pytest.raises(UnknownAttribute, match="did you mean 'color'"):
        ask(Rail({}), features([1, 0]), where=where)


@pytest.mark.parametrize("options", [{"k": 0}, {"diversity": 1.5}])
def test_numbers_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="k must be at least 1 and diversity from 0 to 1"):
        ask(Rail({}), features([1, 0]), **options)


def test_an_empty_catalog_has_no_hits() -> None:
    found = ask(Rail({}), features([1, 0]))

    assert len(found) == 0
    assert found.good
