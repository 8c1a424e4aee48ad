"""The filters of a page: facets with counts, chips of what is set, the fields of the price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.service.storefront.filters import PRICE
from sartor.service.storefront.views import Chip, Choice, Facet, Refinement
from sartor.service.storefront.words import label, rank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.service.storefront.addresses import Browse, Search
    from sartor.service.storefront.filters import Filters
    from sartor.shop import Shop
    from sartor.types import FacetValue

_AT_ONCE = 7  # values of a facet that are shown before it is unfolded
_MOST = 60  # and behind it
_OPEN = 4  # facets that are unfolded at first


def refinement(shop: Shop, page: Browse | Search, *, words: str = "") -> Refinement:
    """The filters of a page.

    Args:
        shop: The workspace.
        page: What the page shows.
        words: Words that products on it have to have.
    """
    filters = page.filters
    counted = dict(shop.facets(where=filters.where(), words=words))
    for attribute in {attribute for attribute, _ in filters.pairs if attribute in counted}:
        alone = filters.without(attribute).where()  # what could be ticked beside what is
        counted |= shop.facets([attribute], where=alone, words=words)
    names = sorted((name for name in counted if _can_be_asked(name)), key=rank)
    low, _, high = next((value for value in filters.values_of(PRICE) if ".." in value), "..").partition("..")
    shown = [_facet(name, counted[name], filters, place) for place, name in enumerate(names)]
    return Refinement(
        facets=tuple(facet for facet in shown if len(facet.choices) > 1 or filters.values_of(facet.attribute)),
        chips=chips(page),
        clear_href=page.filtered(type(filters)()).address,
        has_price=PRICE in shop.attribute_names(),
        min_price=low,
        max_price=high,
        hidden=_hidden(filters, counted),
    )


def chips(page: Browse | Search) -> tuple[Chip, ...]:
    """What is set, each with the page without it."""
    return tuple(
        Chip(
            label=label(attribute.rstrip("!")),
            value=_said(attribute, value),
            href=page.filtered(page.filters.toggled(attribute, value)).address,
            active=True,
        )
        for attribute, value in page.filters.pairs
    )


def _facet(attribute: str, counted: Sequence[FacetValue], filters: Filters, place: int) -> Facet:
    asked = filters.values_of(attribute)
    there = {each.value: each.count for each in counted}
    missing = [Choice(value=value, count=0, checked=True) for value in asked if value not in there]
    every = [Choice(value=value, count=count, checked=value in asked) for value, count in there.items() if value]
    first = [*missing, *every[:_AT_ONCE], *(each for each in every[_AT_ONCE:] if each.checked)]
    return Facet(
        attribute=attribute,
        label=label(attribute),
        choices=tuple(first),
        others=tuple(each for each in every[_AT_ONCE:_MOST] if not each.checked),
        is_open=place < _OPEN or bool(asked),
    )


def _hidden(filters: Filters, counted: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Filters that no box of the form stands for, which it has to carry along."""
    return tuple(
        ("where", f"{attribute}={value}")
        for attribute, value in filters.pairs
        if attribute not in counted and not (attribute == PRICE and ".." in value)
    )


def _can_be_asked(attribute: str) -> bool:
    return "=" not in attribute and not attribute.endswith("!") and attribute != PRICE


def _said(attribute: str, value: str) -> str:
    low, dots, high = value.partition("..")
    if dots and attribute == PRICE:
        return f"{low} to {high}" if low and high else f"from {low}" if low else f"up to {high}"
    return f"not {value}" if attribute.endswith("!") else value
