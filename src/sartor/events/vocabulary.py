"""What other programs call the fields, the types and the times of events, for files that they wrote.

Names of columns and types are compared without case, spaces, dashes and underscores. A field's own name wins over
what others call it; of several other names, the first here.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from sartor.catalog.columns import column_key
from sartor.errors import BadVocabulary
from sartor.events.model import FIELDS, OLDEST_S, EventType, number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Sources: the published logs of REES46, Retailrocket, YooChoose, Taobao, H&M and Amazon, and
# https://developers.google.com/analytics/devguides/collection/ga4/reference/events
_COLUMNS = {
    "type": (
        "event_type",
        "event_name",
        "event",
        "action",
        "action_type",
        "behavior_type",
        "behavior",
        "behaviour",
    ),
    "user_id": ("user", "customer_id", "customer", "uid", "member_id", "reviewer_id"),
    "visitor_id": ("visitor", "anonymous_id", "client_id", "user_pseudo_id", "device_id", "cookie_id"),
    "product_id": ("item_id", "item", "product", "sku", "article_id", "parent_asin", "asin", "product_code"),
    "timestamp": (
        "event_time",
        "event_timestamp",
        "time",
        "datetime",
        "date_time",
        "ts",
        "created_at",
        "date",
        "t_dat",
    ),
    "basket_id": ("order_id", "transaction_id", "invoice_no", "invoice_id", "invoice"),
    "quantity": ("qty",),
    "query": ("search_query", "search_term", "search_terms"),
}
_SESSIONS = ("session_id", "user_session", "session")  # a visitor, where the file names no person
_TYPES = {
    EventType.VIEW: ("views", "viewed", "pv", "page_view", "product_view", "view_item", "view_product", "detail"),
    EventType.CLICK: ("clk", "clicks", "clicked", "select_item", "product_click"),
    EventType.LIKE: ("fav", "favorite", "favourite", "wishlist", "add_to_wishlist", "liked"),
    EventType.DISLIKE: ("disliked",),
    EventType.ADD_TO_CART: (
        "cart",
        "add_cart",
        "cart_add",
        "add_to_bag",
        "add_to_basket",
        "added_to_cart",
        "basket",
    ),
    EventType.PURCHASE: ("buy", "bought", "transaction", "order", "purchased", "sale"),
    EventType.SEARCH: ("view_search_results", "searched"),
}
_LEFT_OUT = (
    "remove_from_cart",
    "remove_from_bag",
    "remove_from_basket",
    "remove_from_wishlist",
    "view_cart",
    "view_item_list",
    "impression",
    "begin_checkout",
    "checkout",
    "add_payment_info",
    "add_shipping_info",
    "refund",
    "session_start",
    "login",
    "logout",
    "scroll",
)

_ZONE = re.compile(r"\s*(?:UTC|GMT|Z)$", re.IGNORECASE)
_OFFSET = re.compile(r"\s+([-+]\d{2}:?\d{2})$")
_HAS_ZONE = re.compile(r"(?:Z|[-+]\d{2}(?::?\d{2})?)$", re.IGNORECASE)
_DAY_S = 86_400.0
_UNITS = ((1e3, "milliseconds"), (1e6, "microseconds"), (1e9, "nanoseconds"))


class Meaning(Enum):
    """What a type of another program is here, where it is no type."""

    LEFT_OUT = "left out"
    UNKNOWN = "unknown"


def _keyed(names: Mapping[EventType, Iterable[str]]) -> dict[str, str]:
    return {column_key(name): field_ for field_, others in names.items() for name in (field_, *others)}


_TYPE_OF = _keyed(_TYPES)
_LEFT_OUT_KEYS = frozenset(map(column_key, _LEFT_OUT))


@dataclass(frozen=True)
class Vocabulary:
    """The names that a file uses.

    Attributes:
        columns: Fields by the file's columns, beside what is known; an empty field ignores the column.
        types: Types by the file's types, likewise; an empty type leaves such events out. The type ``""`` in the
            file stands for events without one.

    Raises:
        BadVocabulary: A column is mapped to no field, a type to no type, or two columns to one field.

    Example:
        >>> Vocabulary({"when": "timestamp"}).fields_of(("user", "when", "note"))
        {'when': 'timestamp', 'user': 'user_id'}
        >>> Vocabulary().type_of("addtocart")
        'add_to_cart'
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for given, known in ((self.columns, FIELDS), (self.types, tuple(EventType))):
            for theirs, ours in given.items():
                if ours and ours not in known:
                    raise BadVocabulary(theirs, ours, known=known)
        for ours, count in Counter(filter(None, self.columns.values())).items():
            if count > 1:
                theirs = " and ".join(name for name, field_ in self.columns.items() if field_ == ours)
                raise BadVocabulary(theirs, ours, known=FIELDS, reason="each field has one column")

    def fields_of(self, columns: tuple[str, ...]) -> dict[str, str]:
        """The field of each column that has one."""
        given = {column_key(column): ours for column, ours in self.columns.items()}
        by_key: dict[str, str] = {}
        for column in columns:
            by_key.setdefault(column_key(column), column)
        fields = {by_key[key]: ours for key, ours in given.items() if key in by_key and ours}
        for name in FIELDS:
            if name in fields.values():
                continue
            candidates = (column_key(other) for other in (name, *_COLUMNS.get(name, ())))
            found = next((key for key in candidates if key in by_key and key not in given), None)
            if found is not None:
                fields[by_key[found]] = name
        if not {"user_id", "visitor_id"}.intersection(fields.values()):
            keys = (column_key(other) for other in _SESSIONS)
            found = next((key for key in keys if key in by_key and key not in given), None)
            if found is not None:
                fields[by_key[found]] = "visitor_id"
        return fields

    def missing_in(self, columns: tuple[str, ...]) -> list[str]:
        """The mapped columns that a file does not have."""
        there = set(map(column_key, columns))
        return [column for column in self.columns if column_key(column) not in there]

    def type_of(self, name: str) -> str | Meaning:
        """The type that another program's type is."""
        key = column_key(name)
        for theirs, ours in self.types.items():
            if column_key(theirs) == key:
                return ours or Meaning.LEFT_OUT
        if key in _LEFT_OUT_KEYS:
            return Meaning.LEFT_OUT
        return str(_TYPE_OF[key]) if key in _TYPE_OF else Meaning.UNKNOWN


def time_of(value: object, *, now_s: float) -> tuple[object, str | None]:
    """A time as ``EventIn`` takes it, and what was noticed: the unit of a number, or that there is no zone.

    A number is seconds since 1970; if that is no time between 2000 and tomorrow, milli-, micro- or nanoseconds.

    Example:
        >>> time_of("2019-10-01 00:00:00 UTC", now_s=1.7e9)
        ('2019-10-01 00:00:00+00:00', None)
        >>> time_of("1569888000000", now_s=1.7e9)
        (1569888000.0, 'times in milliseconds since 1970')
    """
    number = number_of(value)
    if number is not None and not (isinstance(value, str) and re.fullmatch(r"\s*\d{8}\s*", value)):
        for per_second, unit in _UNITS:
            if number > now_s + _DAY_S and OLDEST_S <= number / per_second <= now_s + _DAY_S:
                return number / per_second, f"times in {unit} since 1970"
        return value, None
    if not isinstance(value, str):
        return value, None
    text = _OFFSET.sub(r"\1", value.strip())
    if _ZONE.search(text) and text[:1].isdigit():
        return _ZONE.sub("+00:00", text), None
    clock = text.replace(" ", "T").partition("T")[2]
    return text, None if _HAS_ZONE.search(clock) else "times without a zone, read as UTC"
