"""The tables of events.

Whoever asks to be forgotten leaves no trace in the file. SQLite overwrites what it deletes (``secure_delete``),
but not the copies that stay in the free space of a page when it is split or joined with another: under a
unique index of text, one of 25,702 erased ids was still in the file. So all text stands in tables that only grow
at their end, where no page is split, and a row is emptied where it stands instead of deleted, which joins no
pages. Whatever is split and joined, the indexes and the tables besides, holds numbers alone.

Text is found by the number that its digest begins with: keyed, so that nobody can make up ids that share one, and
short, so that one that was left behind fits many texts.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sartor.store.migrations import Migration

if TYPE_CHECKING:
    import sqlite3

_VERSION_1 = """
CREATE TABLE secrets (
    key BLOB NOT NULL  -- of the digests
);

-- What grows and shrinks with the events, and how often something was erased.
CREATE TABLE totals (
    events INTEGER NOT NULL,
    erasures INTEGER NOT NULL
);
INSERT INTO totals VALUES (0, 0);

-- Of an emptied row, here and below, the number is left.
CREATE TABLE people (
    number INTEGER PRIMARY KEY,
    key INTEGER,
    name TEXT  -- the kind and the id
);
CREATE INDEX people_by_key ON people (key) WHERE key IS NOT NULL;

CREATE TABLE products (
    number INTEGER PRIMARY KEY,
    key INTEGER,
    name TEXT
);
CREATE INDEX products_by_key ON products (key) WHERE key IS NOT NULL;

CREATE TABLE baskets (
    number INTEGER PRIMARY KEY,
    key INTEGER,
    name TEXT
);
CREATE INDEX baskets_by_key ON baskets (key) WHERE key IS NOT NULL;

-- Apart from people, whose rows must not grow.
CREATE TABLE merges (
    visitor INTEGER PRIMARY KEY,  -- of people, as is the user
    user INTEGER NOT NULL
);
CREATE INDEX merges_by_user ON merges (user);

CREATE TABLE product_events (
    product INTEGER PRIMARY KEY,
    events INTEGER NOT NULL
);

CREATE TABLE events (
    number INTEGER PRIMARY KEY,  -- in the order of arrival
    key INTEGER,
    person INTEGER,  -- who it came from; after a merge still the visitor
    at_s REAL,
    type INTEGER,  -- place among the types
    product INTEGER,
    basket INTEGER,
    position INTEGER,
    quantity INTEGER,
    price REAL,
    id TEXT,
    recommendation_id TEXT,
    query TEXT
);
CREATE INDEX events_by_key ON events (key) WHERE key IS NOT NULL;
CREATE INDEX events_by_person ON events (person, at_s, type, product) WHERE person IS NOT NULL;
CREATE INDEX events_by_basket ON events (basket) WHERE basket IS NOT NULL;
"""


def _choose_key(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO secrets VALUES (?)", (secrets.token_bytes(32),))


EVENT_MIGRATIONS = (Migration(_VERSION_1, fill=_choose_key),)
