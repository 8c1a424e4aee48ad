"""The tables of the catalog and of the events, and the migrations that lead to them.

Events must be erased without a trace. SQLite overwrites what it deletes (``secure_delete``), but not the copies in
the free space of a page that was split or joined: under a unique index of text, one of 25,702 erased ids was still
in the file. So text stands only in tables that grow at their end, where no page is split, and its row is emptied
in place instead of deleted, which joins no pages. Indexes and the other tables hold numbers alone.

Text is found by the first bytes of its digest. The digest is keyed, so that nobody can make up ids that collide,
and short, so that a trace of it fits many texts.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sartor.store.sqlite.browse import compare_anew, index_all, list_anew
from sartor.store.sqlite.database import Migration

if TYPE_CHECKING:
    import sqlite3


_VERSION_1 = """
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- A product's revision is the store's revision at its last write: what an index has to catch up with.
CREATE TABLE products (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    attributes TEXT NOT NULL,  -- JSON object
    source TEXT NOT NULL,
    revision INTEGER NOT NULL
);
CREATE INDEX products_by_revision ON products (revision);
CREATE INDEX products_by_source ON products (source);

CREATE TABLE deletions (
    product_id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX deletions_by_revision ON deletions (revision);

CREATE TABLE photos (
    sha256 TEXT PRIMARY KEY,
    width_px INTEGER NOT NULL,
    height_px INTEGER NOT NULL,
    thumbnail TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE product_photos (
    product_id TEXT NOT NULL REFERENCES products ON DELETE CASCADE,
    position INTEGER NOT NULL,
    sha256 TEXT NOT NULL REFERENCES photos,
    name TEXT NOT NULL,
    PRIMARY KEY (product_id, position)
) WITHOUT ROWID;
CREATE INDEX product_photos_by_photo ON product_photos (sha256);

CREATE TABLE embeddings (
    sha256 TEXT NOT NULL REFERENCES photos ON DELETE CASCADE,
    model TEXT NOT NULL,
    vector BLOB NOT NULL,  -- little-endian float32
    PRIMARY KEY (sha256, model)
);

CREATE TABLE attribute_names (
    name TEXT PRIMARY KEY
) WITHOUT ROWID;
"""


# What a photo's colors and fingerprint are does not depend on a model.
_VERSION_2 = """
ALTER TABLE photos ADD COLUMN fingerprint BLOB NOT NULL DEFAULT x'';

CREATE TABLE palettes (
    sha256 TEXT PRIMARY KEY REFERENCES photos ON DELETE CASCADE,
    colors BLOB NOT NULL  -- little-endian float32, rows of OKLab and share
) WITHOUT ROWID;
"""


# How products are browsed: all but the keys follows from the products.
_VERSION_3 = """
-- Numbers are given in the order in which products were first added.
CREATE TABLE listed (
    number INTEGER PRIMARY KEY,
    product_id TEXT NOT NULL UNIQUE REFERENCES products ON DELETE CASCADE,
    title_key TEXT,  -- what titles are sorted by; NULL without a title
    price REAL
);
CREATE INDEX listed_by_title ON listed (title_key, product_id);
CREATE INDEX listed_by_price ON listed (price, product_id);

-- Each value once, whichever products have it.
CREATE TABLE attribute_values (
    id INTEGER PRIMARY KEY,
    attribute TEXT NOT NULL,
    text TEXT,
    number REAL
);
CREATE INDEX attribute_values_by_text ON attribute_values (attribute, text, number);
CREATE INDEX attribute_values_by_number ON attribute_values (attribute, number) WHERE number IS NOT NULL;

CREATE TABLE product_values (
    product INTEGER NOT NULL REFERENCES listed ON DELETE CASCADE,
    value INTEGER NOT NULL,  -- of attribute_values; no REFERENCES, which would cost a look-up each
    PRIMARY KEY (product, value)
) WITHOUT ROWID;
CREATE INDEX product_values_by_value ON product_values (value, product);

CREATE VIRTUAL TABLE product_words USING fts5 (
    title, attributes, tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER listed_takes_its_words AFTER DELETE ON listed BEGIN
    DELETE FROM product_words WHERE rowid = old.number;
END;

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    created_s REAL NOT NULL
) WITHOUT ROWID;
"""

_VERSION_4 = """
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    term INTEGER NOT NULL,
    until_s REAL NOT NULL
) STRICT;
"""

# What a model predicts of products that the catalog does not tell; it follows from the embeddings.
_VERSION_5 = """
CREATE TABLE predictions (
    product_id TEXT PRIMARY KEY REFERENCES products ON DELETE CASCADE,
    guesses TEXT NOT NULL  -- JSON object: value and probability by attribute
) WITHOUT ROWID;

CREATE TABLE predicted (  -- at most one row: by which heads, and up to which revision
    key TEXT NOT NULL,
    revision INTEGER NOT NULL
) STRICT;
"""

# Numbers, prices and availability are compared by what they mean, no longer by how they are written.
_VERSION_6 = """
DELETE FROM product_values;
DELETE FROM attribute_values;
"""

# Words are also found by their folded letters (sartor.folding), and by words that are nearly the same; prices are
# compared in each currency.
_VERSION_7 = """
DELETE FROM product_values;
DELETE FROM attribute_values;
DROP TABLE IF EXISTS word_list;
DROP TABLE product_words;
CREATE VIRTUAL TABLE product_words USING fts5 (
    title, attributes, folded_title, folded_attributes, tokenize = 'unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE word_list USING fts5vocab (product_words, row);
"""

MIGRATIONS = (
    Migration(_VERSION_1),
    Migration(_VERSION_2),
    Migration(_VERSION_3, fill=index_all),
    Migration(_VERSION_4),
    Migration(_VERSION_5),
    Migration(_VERSION_6, fill=compare_anew),
    Migration(_VERSION_7, fill=list_anew),
)


_EVENTS_VERSION_1 = """
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


EVENT_MIGRATIONS = (Migration(_EVENTS_VERSION_1, fill=_choose_key),)
