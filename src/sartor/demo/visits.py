"""When simulated shoppers come, and what for: sessions, each about one kind of article.

Shapes: u people, s sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from sartor.demo.shelves import Codes, Numbers
    from sartor.demo.tastes import Shoppers

_DAY_S = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How people shop. Rates are means over all products that are looked at; tastes move them.

    Likes and baskets are some times as frequent as in a shop, so that a short simulation has enough: in the
    log of Retailrocket (Kaggle, 2.8 million events) 2.6 views in a hundred become a cart, 0.8 a purchase.

    Attributes:
        looks: How many products a session looks at, at least 1.
        offered: How many products a session scrolls through, drawn by what attracts everybody.
        scrolling: A product at place k of these is noticed with probability ``k ** -scrolling``.
        sought: Share of sessions that go to one of the person's brands; half of what they scroll through is of it.
        persistent: Share of sessions that are about the same kind as the one before.
        like: Likes for each look.
        dislike: Dislikes for each look.
        cart: What is put into the cart, for each look.
        bought: Share of that which is bought.
        decided: How much likes, carts and dislikes follow the taste: they are ``exp(decided)`` times as frequent
            (dislikes: as rare) where a product is worth 1 more.
        together: Share of purchases that take something of another kind along, of the same brand, usage or season.
        answered: Share of sessions that begin with a recorded answer of a recommender.
        answer: How many products such an answer shows, drawn by what attracts everybody.
        examined: The product at place k of an answer is examined with probability ``k ** -examined``; then it is
            clicked with one that depends on its worth alone.
        clicked: Clicks for each examined product of an answer.
    """

    looks: float = 3.5
    offered: int = 40
    scrolling: float = 0.4
    sought: float = 0.35
    persistent: float = 0.4
    like: float = 0.07
    dislike: float = 0.01
    cart: float = 0.06
    bought: float = 0.4
    decided: float = 0.6
    together: float = 0.4
    answered: float = 0.03
    answer: int = 10
    examined: float = 1.0
    clicked: float = 0.2

    @property
    def events_per_session(self) -> float:
        """How many events a session has on average, without those of answers."""
        taken_along = self.looks * self.cart * self.bought * self.together
        return self.looks * (1 + self.like + self.dislike + self.cart * (1 + self.bought)) + 3 * taken_along


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Visits:
    """Sessions, those of one person in a row and in order of time.

    Attributes:
        person: ``(s,)``.
        day: When it begins, in days since the simulation begins, ``(s,)``.
        gender: Whom it is for, ``(s,)``.
        kind: What it is about, ``(s,)``.
        brand: The brand that is sought, ``(s,)``; -1 for none.
    """

    person: Codes
    day: Numbers
    gender: Codes
    kind: Codes
    brand: Codes

    def within(self, first: float, last: float) -> Visits:
        """Those that begin from ``first`` to before ``last``, in days."""
        rows = np.flatnonzero((self.day >= first) & (self.day < last))
        return self.at(rows)

    def at(self, rows: Codes) -> Visits:
        """Some of them."""
        return Visits(
            person=self.person[rows],
            day=self.day[rows],
            gender=self.gender[rows],
            kind=self.kind[rows],
            brand=self.brand[rows],
        )


def visits(
    shoppers: Shoppers, habits: Habits, *, events_per_person: float, days: int, rng: np.random.Generator
) -> Visits:
    """Draw everybody's sessions: at least one each, and the first within three quarters of the time.

    Args:
        shoppers: The people.
        habits: How they shop.
        events_per_person: How many events each should have on average.
        days: Over how many days.
        rng: Decides everything.
    """
    expected = shoppers.activity * events_per_person / habits.events_per_session
    counts = np.maximum(1, rng.poisson(expected))
    person = np.repeat(np.arange(len(counts)), counts)
    arrives = rng.uniform(0, 0.75 * days, len(counts))
    day = np.floor(arrives[person] + rng.random(len(person)) * (days - arrives[person]))
    day += np.clip(rng.normal(_EVENING, _HOURS, len(person)), 0, _LAST_HOUR) / 24
    order = np.lexsort((day, person))
    person, day = person[order], day[order]
    gender, kind = _intents(shoppers, habits, person, rng)
    brand = shoppers.brands[person, rng.integers(shoppers.weights.brands, size=len(person))]
    brand[rng.random(len(person)) >= habits.sought] = -1
    return Visits(person=person, day=day, gender=gender, kind=kind, brand=brand)


_EVENING, _HOURS, _LAST_HOUR = 18.0, 4.0, 23.4  # a session ends before its day does


def _intents(shoppers: Shoppers, habits: Habits, person: Codes, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """Gender and kind of each session: its own, or where the person goes on, those of the session before."""
    count = len(person)
    genders, all_kinds = shoppers.kind_shares.shape
    own = rng.random(count) < shoppers.weights.own_gender
    gender = np.where(own, shoppers.gender[person], rng.integers(genders, size=count))
    favored = np.minimum(rng.geometric(0.4, count) - 1, shoppers.weights.kinds - 1)  # the first most often
    kind = shoppers.kinds[person, favored]
    elsewhere = (rng.random(count) >= shoppers.weights.own_kinds) | (gender != shoppers.gender[person])
    for each in range(genders):
        rows = np.flatnonzero(elsewhere & (gender == each))
        kind[rows] = rng.choice(all_kinds, len(rows), p=shoppers.kind_shares[each])
    begins: npt.NDArray[np.bool_] = rng.random(count) >= habits.persistent
    begins |= np.concatenate([[True], person[1:] != person[:-1]])
    since = np.maximum.accumulate(np.where(begins, np.arange(count), 0))
    return gender[since], kind[since]
