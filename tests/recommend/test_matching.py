from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.encoders.card import AttributeHead, MatchCalibration, MatchFit, PhotoKinds
from sartor.encoders.heads import Heads
from sartor.recommend.features import FeatureWeights
from sartor.recommend.matching import (
    SAME_MATCH,
    Asked,
    Matcher,
    agreement_kernel,
    curved,
    matches,
    merged,
    recolored,
    resolution_of,
    with_known,
)
from sartor.recommend.weights import DEFAULT_FEATURE_WEIGHTS
from sartor.types import QueryKind
from tests.fakes import NO_HEADS

KIND = AttributeHead(name="articleType", output="a", classes=("Shirt", "Skirt"))
COLOR = AttributeHead(name="color", output="b", classes=("Navy", "Blue", "Red"))
GENDER = AttributeHead(name="gender", output="c", classes=("Men", "Women", "Unisex"))
HEADS = Heads(
    (KIND, COLOR, GENDER),
    {
        "articleType": np.eye(3, 2, dtype=np.float32),
        "color": np.eye(3, dtype=np.float32),
        "gender": np.eye(3, dtype=np.float32),
    },
    scale=10.0,
)
FULL = MatchCalibration(
    slope=5.0,
    near=1.0,
    color=2.0,
    category=1.0,
    agreement={"articleType": 3.0, "color": 2.0, "gender": 1.0},
    confidence={"articleType": 0.5},
    resolution=0.3,
    intercept=-9.0,
    means={"style": 0.6, "near": 0.1, "color": 0.5, "category": 0.7, "same articleType": 0.6, "same color": 0.3},
    attributes=("articleType", "color", "gender"),
    people=MatchFit(slope=2.0, intercept=-1.0),
    photos=PhotoKinds(toward_person=(0.0, 0.0, 40.0), intercept=-20.0, familiar=0.3),
    same_style=0.97,
    same_color=0.95,
)
PLATT = MatchCalibration(slope=10.0, color=2.0, category=0.0, intercept=-6.0, attributes=())
FOUND = np.array([[0.9, 0.8, 1.0], [0.7, 0.1, 0.4], [0.2, 0.95, 0.0]], np.float32)


def shirt(**known: str) -> Asked:
    return Asked(
        probabilities={
            "articleType": np.array([0.9, 0.1], np.float32),
            "color": np.array([0.6, 0.3, 0.1], np.float32),
            "gender": np.array([0.8, 0.2, 0.0], np.float32),
        },
        known=known,
    )


def signals(asked: Asked, rows: list[dict[str, str]], matcher: Matcher | None = None) -> dict[str, np.ndarray]:
    embeddings = np.eye(3, dtype=np.float32)[: len(rows)]
    matcher = matcher or Matcher(FULL, HEADS)
    return matcher.signals(asked, FOUND[: len(rows)], HEADS.probabilities(embeddings), rows)


def test_a_calibration_of_closeness_alone_is_platts() -> None:
    matcher = Matcher(PLATT, NO_HEADS)
    closeness = np.array([[0.4, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.5]], np.float32)
    found = matcher.log_odds(Asked(), matcher.signals(Asked(), closeness, {}, [{}] * 3))

    assert found == pytest.approx([0, 6, -6], abs=1e-5)
    assert matches(found, np.zeros(3, np.bool_)) == pytest.approx(SAME_MATCH / (1 + np.exp(-found)))


def test_with_the_default_weights_the_log_odds_are_as_calibrated() -> None:
    asked = shirt()
    found = signals(asked, [{}, {}, {}])
    by_hand = (
        -9.0 + 0.3 + 0.5 * 0.9
        + 5.0 * found["style"] + 1.0 * found["near"] + 2.0 * found["color"] + 1.0 * found["category"]
        + 3.0 * found["same articleType"] + 2.0 * found["same color"] + 1.0 * found["same gender"]
    )  # fmt: skip

    assert Matcher(FULL, HEADS).log_odds(asked, found) == pytest.approx(by_hand, abs=1e-5)
    assert Matcher(FULL, HEADS).log_odds(
        asked, found, FeatureWeights(style=0.5, color=0.1, category=0.1)
    ) == pytest.approx(by_hand, abs=1e-5)  # only proportions matter


@pytest.mark.parametrize("calibration", [FULL, PLATT])
def test_color_alone_orders_by_color(calibration: MatchCalibration) -> None:
    matcher = Matcher(calibration, NO_HEADS)
    found = matcher.signals(Asked(), FOUND, {}, [{}] * 3)
    odds = matcher.log_odds(Asked(), found, FeatureWeights(style=0, color=1))

    assert np.argsort(-odds).tolist() == np.argsort(-FOUND[:, 1]).tolist()


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.sampled_from([0, 1, 2]), st.floats(0, 0.5))
def test_closer_never_makes_a_match_worse(
    style: float, color: float, category: float, feature: int, more: float
) -> None:
    far = np.array([[style, color, category]], np.float32)
    near = far.copy()
    near[0, feature] = min(1, near[0, feature] + more)
    matcher, asked = Matcher(FULL, HEADS), shirt()
    probabilities = HEADS.probabilities(np.eye(3, dtype=np.float32)[:1])
    odds = [
        float(matcher.log_odds(asked, matcher.signals(asked, each, probabilities, [{}]))[0])
        for each in (far, near)
    ]

    assert odds[0] <= odds[1] + 1e-6


def test_what_the_catalog_knows_counts_nearly_as_certain() -> None:
    predicted = {"articleType": np.array([[0.5, 0.5]], np.float32)}
    found = with_known(Heads((KIND,), {}, scale=1.0), predicted, [{"articleType": "Skirt"}])

    assert found["articleType"][0] == pytest.approx([0.025, 0.975])
    assert predicted["articleType"][0] == pytest.approx([0.5, 0.5])


def test_colors_agree_by_family_and_unisex_with_everybody() -> None:
    assert agreement_kernel(COLOR).tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert agreement_kernel(GENDER).tolist() == [[1, 0, 1], [0, 1, 1], [1, 1, 1]]


def test_agreement_is_expected_from_predictions_and_told_where_both_are_known() -> None:
    rows = [{"color": "Navy"}, {"color": "Red"}, {"color": "Sky blue"}]
    predicted, known = signals(shirt(), rows), signals(shirt(color="Blue"), rows)

    assert predicted["same color"][:2] == pytest.approx(
        [0.95 * 0.9 + 0.05 * 0.9, 0.05 * 0.9 + 0.95 * 0.1], abs=0.02
    )
    assert known["same color"] == pytest.approx([0.95, 0.05, 0.95])  # also of a value that is no class
    assert signals(shirt(gender="Unisex"), [{"gender": "Boys"}])["same gender"] == pytest.approx([0.95])


def test_a_persons_photo_is_told_by_its_embedding() -> None:
    matcher = Matcher(FULL, HEADS)
    kinds = [matcher.asked(np.array(each, np.float32), Asked()) for each in ((1, 0, 0), (0.6, 0, 0.8), (0, 0, -1))]

    assert [each.kind for each in kinds] == [
        QueryKind.SHOP_PHOTO, QueryKind.PERSONS_PHOTO, QueryKind.UNFAMILIAR
    ]  # fmt: skip
    assert Matcher(PLATT, NO_HEADS).asked(np.ones(3, np.float32), Asked()).kind is None


def test_people_have_a_fit_of_their_own() -> None:
    found = signals(shirt(), [{}, {}, {}])
    matcher = Matcher(FULL, HEADS)
    person, unfamiliar = (
        matcher.log_odds(Asked(kind=kind), found) for kind in (QueryKind.PERSONS_PHOTO, QueryKind.UNFAMILIAR)
    )

    assert person == pytest.approx(2 * found["style"] - 1, abs=1e-5)
    assert unfamiliar.tolist() == person.tolist()
    assert matcher.log_odds(Asked(kind=QueryKind.SHOP_PHOTO), found).tolist() != person.tolist()


@given(st.lists(st.floats(-9, 9), min_size=2, max_size=9))
def test_a_curve_keeps_the_order(odds: list[float]) -> None:
    rising = np.sort(np.array(odds))

    assert (np.diff(curved(rising, ((-2.0, -1.0), (0.0, -0.5), (1.0, 3.0)))) >= 0).all()
    assert curved(np.array([-3.0, -1.0, 0.5, 2.0]), ((-2.0, -1.0), (0.0, -0.5), (1.0, 3.0))).tolist() == [
        -2, -0.75, 1.25, 4
    ]  # fmt: skip
    assert curved(rising, ()) is rising


def test_the_same_thing_is_first_whatever_the_calibration_says() -> None:
    same = Matcher(FULL, HEADS).same(
        Asked(fingerprint=bytes([7] * 128)),
        np.array([[0.96, 0.96, 0], [0.96, 0.96, 0], [0.98, 0.96, 0], [0.5, 1, 1]], np.float32),
        [bytes([7] * 128), bytes([8] * 128), b"", bytes([7] * 128)],
    )
    found = matches(np.array([-8.0, 30.0, -4.0, 2.0]), same)

    assert same.tolist() == [True, False, True, False]
    assert np.argsort(-found).tolist() == [2, 0, 1, 3]
    assert found[[0, 2]].min() >= SAME_MATCH
    assert found.max() <= 1


def test_a_dislike_takes_from_what_is_close_to_it_only() -> None:
    taken = Matcher(PLATT, NO_HEADS).penalty(Asked(), FOUND, DEFAULT_FEATURE_WEIGHTS)

    assert taken[0] > taken[2] >= 0
    assert Matcher(PLATT, NO_HEADS).penalty(Asked(), np.zeros((1, 3), np.float32))[0] == 0


def test_several_parts_are_one_query_by_their_weights() -> None:
    one, other = shirt(color="Red"), shirt()
    other.probabilities["articleType"][:] = [0, 1]
    both = merged([(one, 3.0), (other, 1.0)])

    assert merged([(one, 1.0)]) is one
    assert both.probabilities["articleType"] == pytest.approx([0.675, 0.325])
    assert both.known == {}


def test_in_another_color_its_family_is_asked_for() -> None:
    asked = recolored(shirt(color="Red", gender="Men"), "navy", HEADS)

    assert asked.probabilities["color"] == pytest.approx([0.5, 0.5, 0])
    assert asked.known == {"gender": "Men"}


@pytest.mark.parametrize(
    ("sides", "octaves"), [((60, 80), 0), ((64, 64), 0), ((128, 300), 1), ((4000, 3000), 1), ((0, 0), 0)]
)
def test_resolution_is_counted_in_octaves(sides: tuple[int, int], octaves: float) -> None:
    assert resolution_of(*sides) == octaves
