from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from sartor.evaluation.simulation.assortment import Assortment
from sartor.evaluation.simulation.shoppers import Habits, Market, PreferenceWeights
from sartor.evaluation.simulation.simulate import TYPES, ShopperSimulation, SimulatedEvents, simulate, simulated
from sartor.events.model import EventType, PersonKind
from sartor.types import Product
from tests.evaluation.simulation.catalogs import catalog

SETTINGS = ShopperSimulation(people=300, events_per_person=60, seed=3)
DAY_S = 86400


@pytest.fixture(scope="module")
def log() -> SimulatedEvents:
    return simulated(catalog(), SETTINGS)


def of_type(log: SimulatedEvents, type_: EventType) -> np.ndarray:
    return log.types == TYPES.index(type_)


def looked_at(log: SimulatedEvents) -> np.ndarray:
    return (of_type(log, EventType.VIEW) & (log.recommendations == 0)) | of_type(log, EventType.CLICK)


def test_the_same_settings_make_the_same_events(log: SimulatedEvents) -> None:
    again = simulated(catalog(), SETTINGS)
    for column in ("types", "people", "products", "at_s", "baskets", "recommendations", "positions", "prices"):
        np.testing.assert_array_equal(getattr(log, column), getattr(again, column))
    other = simulated(catalog(), replace(SETTINGS, seed=4))
    assert len(other) != len(log) or (other.products != log.products).any()


def test_events_are_the_columns_one_by_one(log: SimulatedEvents) -> None:
    products = catalog()
    events = list(simulate(products, SETTINGS))
    assert len(events) == len(log)
    assert len({event.id for event in events}) == len(events)
    assert [event.at_s for event in events] == log.at_s.tolist()
    assert {event.product_id for event in events} <= {product.id for product in products}
    assert {event.person.kind for event in events} == set(PersonKind)
    assert all(event.id.startswith("simulated-") and event.person.id.startswith("simulated-") for event in events)
    assert sum(event.is_impression for event in events) == int(
        (of_type(log, EventType.VIEW) & (log.recommendations > 0)).sum()
    )


def test_everything_happens_in_the_simulated_days(log: SimulatedEvents) -> None:
    assert log.at_s.min() >= SETTINGS.until_s - SETTINGS.days * DAY_S
    assert log.at_s.max() <= SETTINGS.until_s
    assert (np.diff(log.at_s) >= 0).all()


def test_there_are_about_as_many_events_as_asked_for(log: SimulatedEvents) -> None:
    done = ~(of_type(log, EventType.VIEW) & (log.recommendations > 0))
    assert done.sum() / SETTINGS.people == pytest.approx(SETTINGS.events_per_person, rel=0.15)
    assert set(log.people.tolist()) == set(range(SETTINGS.people))


def test_most_look_few_like_and_fewer_buy(log: SimulatedEvents) -> None:
    count = {type_: int(of_type(log, type_).sum()) for type_ in EventType}
    looks = int(looked_at(log).sum())
    habits = Habits()
    assert count[EventType.LIKE] / looks == pytest.approx(habits.like, rel=0.2)
    assert count[EventType.DISLIKE] / looks == pytest.approx(habits.dislike, rel=0.4)
    assert count[EventType.ADD_TO_CART] > count[EventType.PURCHASE] > count[EventType.DISLIKE] > 0
    assert count[EventType.SEARCH] == 0


def test_likes_follow_preferences_and_dislikes_run_against_them(log: SimulatedEvents) -> None:
    assortment = Assortment.of(catalog(), np.random.default_rng(SETTINGS.seed))
    brand = assortment.brand[log.products]
    favored = (brand[:, np.newaxis] == log.shoppers.brands[log.people]).any(axis=1)
    share = {type_: favored[of_type(log, type_)].mean() for type_ in (EventType.LIKE, EventType.DISLIKE)}
    looks = favored[looked_at(log)].mean()
    assert share[EventType.LIKE] > 1.2 * looks > 1.5 * share[EventType.DISLIKE]
    assert looks > 1.3 * PreferenceWeights().brands / 20  # chance


def test_preferences_are_stable_over_time(log: SimulatedEvents) -> None:
    assortment = Assortment.of(catalog(), np.random.default_rng(SETTINGS.seed))
    favored = (assortment.brand[log.products][:, np.newaxis] == log.shoppers.brands[log.people]).any(axis=1)
    early = log.at_s < np.median(log.at_s)
    looks = looked_at(log)
    assert favored[looks & early].mean() == pytest.approx(favored[looks & ~early].mean(), rel=0.1)


def test_without_weights_there_are_no_preferences() -> None:
    indifferent = PreferenceWeights(brand=0, season=0, year=0, price=0)
    settings = replace(SETTINGS, preferences=indifferent, habits=Habits(sought=0))
    log = simulated(catalog(), settings)
    assortment = Assortment.of(catalog(), np.random.default_rng(settings.seed))
    favored = (assortment.brand[log.products][:, np.newaxis] == log.shoppers.brands[log.people]).any(axis=1)
    liked = of_type(log, EventType.LIKE)
    assert favored[liked].mean() == pytest.approx(favored[looked_at(log)].mean(), abs=0.05)


def test_a_basket_is_of_one_person_and_one_session(log: SimulatedEvents) -> None:
    bought = of_type(log, EventType.PURCHASE)
    assert (log.baskets[bought] > 0).all()
    assert not log.baskets[~bought].any()
    assert not np.isnan(log.prices[bought]).any()
    people: dict[int, set[int]] = {}
    for basket, person in zip(log.baskets[bought].tolist(), log.people[bought].tolist(), strict=True):
        people.setdefault(basket, set()).add(person)
    assert max(map(len, people.values())) == 1


def test_what_is_bought_together_goes_together(log: SimulatedEvents) -> None:
    """Of another kind, and more often of the same brand than by chance."""
    assortment = Assortment.of(catalog(), np.random.default_rng(SETTINGS.seed))
    baskets: dict[int, list[int]] = {}
    for row in np.flatnonzero(of_type(log, EventType.PURCHASE)):
        baskets.setdefault(int(log.baskets[row]), []).append(int(log.products[row]))
    pairs = [pair for pair in baskets.values() if len(pair) == 2]
    assert len(pairs) > 50
    same = np.mean([assortment.brand[one] == assortment.brand[other] for one, other in pairs])
    other_kind = np.mean([assortment.kind[one] != assortment.kind[other] for one, other in pairs])
    assert same > 3 / 20
    assert other_kind > 0.7


def test_answers_show_different_products_at_positions_from_one(log: SimulatedEvents) -> None:
    shown = of_type(log, EventType.VIEW) & (log.recommendations > 0)
    answers: dict[int, list[tuple[int, int]]] = {}
    for row in np.flatnonzero(shown):
        answers.setdefault(int(log.recommendations[row]), []).append(
            (int(log.positions[row]), int(log.products[row]))
        )
    for each in answers.values():
        assert sorted(position for position, _ in each) == list(range(1, len(each) + 1))
        assert len({product for _, product in each}) == len(each)
    clicks = of_type(log, EventType.CLICK)
    for row in np.flatnonzero(clicks):
        assert (int(log.positions[row]), int(log.products[row])) in answers[int(log.recommendations[row])]


def test_clicks_in_answers_fall_with_the_position_as_the_model_says() -> None:
    habits = Habits(answered=1.0)
    log = simulated(catalog(), replace(SETTINGS, people=1000, habits=habits))
    shown = Counter(log.positions[of_type(log, EventType.VIEW) & (log.recommendations > 0)].tolist())
    clicked = Counter(log.positions[of_type(log, EventType.CLICK)].tolist())
    rate = {place: clicked[place] / shown[place] for place in (1, 2, 5, 10)}
    for place in (2, 5, 10):
        assert rate[place] / rate[1] == pytest.approx(1 / place, rel=0.25)


def test_some_products_are_far_more_popular() -> None:
    products = catalog()
    shown = np.sort(np.bincount(simulated(products, SETTINGS).products, minlength=len(products)))[::-1]
    flat = replace(SETTINGS, market=Market(spread=0, wave=0, newest=0))
    even = np.sort(np.bincount(simulated(products, flat).products, minlength=len(products)))[::-1]
    assert shown[:12].sum() / shown.sum() > 1.8 * even[:12].sum() / even.sum()


def test_a_catalog_without_attributes_is_shopped_in_too() -> None:
    products = [Product(id=f"p{number}") for number in range(5)]
    assert len(simulated(products, ShopperSimulation(people=20, events_per_person=10)))


def test_the_only_product_is_bought() -> None:
    log = simulated([Product(id="only")], ShopperSimulation(people=50, events_per_person=30))
    assert set(log.products.tolist()) == {0}


def test_what_cannot_be_simulated_is_refused() -> None:
    with pytest.raises(ValueError, match="no product"):
        list(simulate([], SETTINGS))
    with pytest.raises(ValueError, match="at least 1 person"):
        ShopperSimulation(people=0)
