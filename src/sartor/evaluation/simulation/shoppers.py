"""Simulated shoppers and their sessions: when they come, and for which kind of article.

Shapes: u people, s sessions, c candidates, n products.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.simulation.assortment import PRICE_BANDS

if TYPE_CHECKING:
    import numpy.typing as npt

    from sartor.evaluation.simulation.assortment import Assortment, Codes, Numbers

_ANONYMOUS = 0.3  # share of people without an account
_NEXT_BRAND = 0.75  # how much each favored brand counts beside the one before
_AT_ONCE = 4096  # people whose favorites are drawn at once
_EVENING, _HOURS, _LAST_HOUR = 18.0, 4.0, 23.4  # a session ends before its day does


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceWeights:
    """How much a preference adds to the utility of a product, beside random utility of scale 1 (Gumbel).

    A person's preferences never change. sartor-v1 was not trained on brand, season, year and price; it was trained
    on gender and kind, which decide where people look rather than what they choose there.

    Attributes:
        brands: Number of brands that a person favors, drawn by the number of their products.
        brand: What the first of them adds; each next one three quarters of the one before.
        season: What the favored season adds.
        year: What the favored year adds.
        price: What each fifth of the catalog between a price and the person's own takes away.
        kinds: Number of kinds that a person mostly shops for, drawn by the number of their products.
        own_kinds: Share of sessions that are about one of these.
        own_gender: Share of sessions that are for the person's own gender; the others are for any.
    """

    brands: int = 3
    brand: float = 2.0
    season: float = 0.6
    year: float = 0.6
    price: float = 0.5
    kinds: int = 5
    own_kinds: float = 0.85
    own_gender: float = 0.92


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What makes products attractive to everybody.

    Attributes:
        spread: Standard deviation of the logarithm of products' lasting popularity (normal): at 1, the first 1 %
            of products are shown about 9 % of the time.
        wave: Mean of what a product's fashion adds to the logarithm at its height (exponential), once in the
            simulated time or shortly before or after.
        wave_days: How long a fashion lasts, as the standard deviation of a bell.
        newest: What the last year of the catalog adds to the logarithm, beside the first.
    """

    spread: float = 1.0
    wave: float = 0.8
    wave_days: float = 10.0
    newest: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shoppers:
    """People and their preferences.

    Attributes:
        weights: How much the preferences count.
        activity: How much each person shops, 1 on average, ``(u,)``.
        anonymous: Who has no account, ``(u,)`` bool.
        gender: ``(u,)``.
        kinds: ``(u, kinds)``, the one most shopped for first.
        brands: ``(u, brands)``, the most favored first.
        season: ``(u,)``.
        year: ``(u,)``.
        band: Fifth by price, ``(u,)``.
        kind_shares: Share of the catalog that each kind has, for each gender, ``(genders, all kinds)``.
    """

    weights: PreferenceWeights
    activity: Numbers
    anonymous: npt.NDArray[np.bool_]
    gender: Codes
    kinds: Codes
    brands: Codes
    season: Codes
    year: Codes
    band: Codes
    kind_shares: Numbers

    @classmethod
    def drawn(
        cls, people: int, assortment: Assortment, weights: PreferenceWeights, rng: np.random.Generator
    ) -> Shoppers:
        """Draw people: gender, kinds, brands, season and year by how many products have them."""
        genders = assortment.genders
        own = assortment.gender[assortment.gender >= 0]
        gender = rng.choice(own, people) if len(own) else np.zeros(people, np.int64)
        kind_shares = _shares(assortment, assortment.kind)
        brand_shares = _shares(assortment, assortment.brand)
        kinds = np.zeros((people, weights.kinds), np.int64)
        brands = np.zeros((people, weights.brands), np.int64)
        for number in range(genders):
            who = np.flatnonzero(gender == number)
            kinds[who] = _favorites(kind_shares[number], len(who), weights.kinds, rng)
            brands[who] = _favorites(brand_shares[number], len(who), weights.brands, rng)
        return cls(
            weights=weights,
            activity=rng.gamma(1.5, 1 / 1.5, people),  # the standard deviation is four fifths of the mean
            anonymous=rng.random(people) < _ANONYMOUS,
            gender=gender,
            kinds=kinds,
            brands=brands,
            season=rng.choice(assortment.season, people),
            year=rng.choice(assortment.year, people),
            band=rng.integers(PRICE_BANDS, size=people),
            kind_shares=kind_shares,
        )

    def utility(self, people: Codes, products: Codes, assortment: Assortment) -> Numbers:
        """Utility of products for people by their preferences alone.

        Args:
            people: ``(s,)``.
            products: Rows of the catalog, ``(s, c)``.
            assortment: The catalog.

        Returns:
            ``(s, c)``.
        """
        weights = self.weights
        off = np.abs(assortment.band[products] - self.band[people, np.newaxis])
        utility: Numbers = -float(weights.price) * off
        utility += weights.season * (assortment.season[products] == self.season[people, np.newaxis])
        utility += weights.year * (assortment.year[products] == self.year[people, np.newaxis])
        brand = assortment.brand[products]
        for rank in range(weights.brands):
            favored = brand == self.brands[people, rank, np.newaxis]
            utility += weights.brand * _NEXT_BRAND**rank * favored
        return utility


def attraction(assortment: Assortment, market: Market, days: int, rng: np.random.Generator) -> Numbers:
    """Attractiveness of each product in each week, ``(weeks, n)``, above 0."""
    count = len(assortment.kind)
    newest = assortment.year / max(1, int(assortment.year.max()))
    lasting = market.spread * rng.standard_normal(count) + market.newest * newest
    height = rng.exponential(market.wave, count)
    center = rng.uniform(-market.wave_days, days + market.wave_days, count)
    week = np.arange(-(-days // 7))[:, np.newaxis] * 7 + 3.5  # (weeks, 1), its middle
    bell = np.exp(-0.5 * ((week - center) / market.wave_days) ** 2)
    return np.asarray(np.exp(lasting + height * bell))


def _shares(assortment: Assortment, codes: Codes) -> Numbers:
    """Share of each code among the products for each gender, including those for anybody."""
    shares = np.zeros((assortment.genders, int(codes.max()) + 1))
    for gender in range(assortment.genders):
        for_it = (assortment.gender == gender) | (assortment.gender < 0)
        shares[gender] = np.bincount(codes[for_it], minlength=shares.shape[1]) / for_it.sum()
    return shares


def _favorites(shares: Numbers, people: int, count: int, rng: np.random.Generator) -> Codes:
    """Different codes for each person, drawn by their shares; some come twice if there are too few.

    Sorting by ``log share + Gumbel`` draws without replacement (Efraimidis, 2006).
    """
    known = np.flatnonzero(shares)
    if len(known) < count:
        known = np.resize(known, count)
    drawn = np.zeros((people, count), np.int64)
    for start in range(0, people, _AT_ONCE):
        block = drawn[start : start + _AT_ONCE]
        keys = np.log(shares[known]) + rng.gumbel(size=(len(block), len(known)))
        block[:] = known[np.argsort(-keys, axis=1)[:, :count]]
    return drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How people shop. Rates are means over all products that are looked at; preferences move them.

    Likes and baskets are several times as frequent as in a shop, so that a short simulation has enough: in the log
    of Retailrocket (Kaggle, 2.8 million events) 2.6 views in a hundred become a cart, 0.8 a purchase.

    Attributes:
        looks: Products that a session looks at, at least 1.
        offered: Products that a session scrolls through, drawn by their attractiveness.
        scrolling: The k-th of these is noticed with probability ``k ** -scrolling``.
        sought: Share of sessions that go to one of the person's brands; half of what they scroll through is of it.
        persistent: Share of sessions that are about the same kind as the one before.
        like: Likes for each look.
        dislike: Dislikes for each look.
        cart: Products put into the cart for each look.
        bought: Share of these that are bought.
        decided: How much likes, carts and dislikes follow the preferences: they are ``exp(decided)`` times as
            frequent (dislikes: as rare) if the utility of a product is 1 higher.
        together: Share of purchases that take something of another kind along, of the same brand, usage or season.
        answered: Share of sessions that begin with a recorded answer of a recommender.
        answer: Products that such an answer shows, drawn by their attractiveness.
        examined: The k-th product of an answer is examined with probability ``k ** -examined``; whether it is then
            clicked depends on its utility alone.
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
        """Events that a session has on average, without those of answers."""
        taken_along = self.looks * self.cart * self.bought * self.together
        return self.looks * (1 + self.like + self.dislike + self.cart * (1 + self.bought)) + 3 * taken_along


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Visits:
    """Sessions, ``(s,)`` each: those of one person in a row and in order of time.

    Attributes:
        person: Who.
        day: When it begins, in days since the simulation begins.
        gender: Whom it is for.
        kind: Which kind of article it is about.
        brand: The brand that is sought; -1 for none.
    """

    person: Codes
    day: Numbers
    gender: Codes
    kind: Codes
    brand: Codes

    def within(self, first: float, last: float) -> Visits:
        """Those that begin from ``first`` to before ``last``, in days."""
        return self.at(np.flatnonzero((self.day >= first) & (self.day < last)))

    def at(self, rows: Codes) -> Visits:
        """Those at some rows."""
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
        events_per_person: Events that each should have on average.
        days: Length of the simulation.
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


def _intents(shoppers: Shoppers, habits: Habits, person: Codes, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """Gender and kind of each session: its own, or those of the session before if the person goes on."""
    count = len(person)
    genders, all_kinds = shoppers.kind_shares.shape
    own = rng.random(count) < shoppers.weights.own_gender
    gender = np.where(own, shoppers.gender[person], rng.integers(genders, size=count))
    favored = np.minimum(rng.geometric(0.4, count) - 1, shoppers.weights.kinds - 1)  # the first most often
    kind = shoppers.kinds[person, favored]
    elsewhere = (rng.random(count) >= shoppers.weights.own_kinds) | (gender != shoppers.gender[person])
    for number in range(genders):
        rows = np.flatnonzero(elsewhere & (gender == number))
        kind[rows] = rng.choice(all_kinds, len(rows), p=shoppers.kind_shares[number])
    begins: npt.NDArray[np.bool_] = rng.random(count) >= habits.persistent
    begins |= np.concatenate([[True], person[1:] != person[:-1]])
    since = np.maximum.accumulate(np.where(begins, np.arange(count), 0))
    return gender[since], kind[since]
