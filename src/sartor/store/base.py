"""The contract of a store: the catalog and the events of a workspace, and the values that go in and out.

A store is the truth; indexes, facets and what is learned from events are derived from it. ``tests/store`` asks
every implementation the same; the embedded one is in ``store/sqlite/``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from sartor.types import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sartor.events.model import Event, EventType, Person, Taken
    from sartor.types import (
        EmbeddedPhoto,
        FacetValue,
        Guesses,
        Listing,
        ListingQuery,
        Palette,
        Photo,
        StoredProduct,
        Vector,
        Where,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Products to write in one transaction, with all their photos.

    Attributes:
        products: Whole products; each replaces what the store has of it.
        model: The model that made the embeddings.
        embeddings: New embeddings of the products' photos, by SHA-256.
        palettes: New palettes of the products' photos, by SHA-256.
        read_at: The revision at which the writer read what it replaces. If one of these products has a later
            one, nothing is written.
        known: Photos, by SHA-256, that the writer found embedded. If one is gone, nothing is written.
    """

    products: tuple[StoredProduct, ...]
    model: str
    embeddings: Mapping[str, Vector]
    palettes: Mapping[str, Palette] = field(default_factory=dict)
    read_at: int | None = None
    known: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """Whose predictions a listing has.

    Attributes:
        key: Of the heads that predicted, see ``FeatureBuilder.key``; empty for none.
        revision: Revision of the store up to which every product has them.
    """

    key: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The last write or deletion of a product, with its revision of the store."""

    revision: int
    product_id: str
    deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCounts:
    """How much a store holds: products (with or without photos), distinct photos, and two breakdowns.

    Attributes:
        embeddings: Embeddings by model.
        sources: Products by the source that they came from.
    """

    products: int
    photos: int
    embeddings: Mapping[str, int]
    sources: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key to the service, without its secret.

    Attributes:
        id: Names the key in lists and when it is deleted.
        name: A name for people.
        scope: What it allows.
        created_s: When it was made, in seconds since 1970 (UTC).
    """

    id: str
    name: str
    scope: str
    created_s: float


# How far a follower has read: the last arrival number of each sequence. A store with many writers has several
# sequences, so that they do not queue at one counter. Of one, no event is seen before an earlier one.
EventPosition: TypeAlias = "Mapping[str, int]"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EventRows:
    """Events as columns, in the order of arrival, for counting millions of them.

    Attributes:
        position: Where to go on from; the position asked with if there are no events.
        people: Number of the person, a merged visitor's being the user's; (n,) int64, from 1.
        products: Index into ``product_ids``, -1 for a search; (n,) int64.
        product_ids: The distinct products of these events.
        types: Index into ``tuple(EventType)``; (n,) int8.
        at_s: Time in seconds since 1970 (UTC); (n,) float64.
        baskets: Number of the basket, 0 without one; (n,) int64.
    """

    position: EventPosition
    people: NDArray[np.int64]
    products: NDArray[np.int64]
    product_ids: tuple[str, ...]
    types: NDArray[np.int8]
    at_s: NDArray[np.float64]
    baskets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.people)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Some events in the order of arrival, and where to go on from."""

    events: tuple[Event, ...]
    position: EventPosition


class Browse(Protocol):
    """Pages of the catalog, counts beside them, and words. Calls are thread-safe.

    Where an engine outside of this process answers, each may raise ``IndexAway``.
    """

    @property
    def listed_revision(self) -> int:
        """Revision of the store up to which pages and counts are. It may be behind the store's."""
        ...

    def listing(self, query: ListingQuery) -> Listing:
        """A page of the products that pass a filter and have the words.

        Raises:
            BadCursor: ``query.after`` is not a cursor of this listing.
        """
        ...

    def facets(
        self, attributes: Sequence[str], *, where: Where = EVERYTHING, words: str = "", limit: int
    ) -> dict[str, list[FacetValue]]:
        """Values of attributes with their number of products, the most frequent first, ties by value.

        Args:
            attributes: Attributes to count; one that no product has gets an empty list.
            where: Count only products that pass this filter, with or without photos.
            words: Count only products that have these words.
            limit: Values of each attribute, at most.
        """
        ...

    def facet_names(self, *, limit: int = 12) -> tuple[str, ...]:
        """Attributes that make good filters (a few values that many products have), the most useful first."""
        ...


class CatalogStore(Browse, Protocol):
    """Products, photos, embeddings, settings and API keys of a workspace. Calls are thread-safe.

    Many processes may write. A write returns when it is committed and on disk. It gives each product that it
    touches the next revision, inside its transaction, so that an index can follow with ``changes`` and never skips
    one. Where ids or digests are asked for, unknown ones are left out.
    """

    @property
    def revision(self) -> int:
        """Revision of the last write; 0 for an empty store."""
        ...

    def has_changed(self) -> bool:
        """Whether any process has written since the last call, settings and keys included; true at the first call.

        It may say so once too often, and never once too few.
        """
        ...

    def follow(self) -> None:
        """Bring what this process keeps of the store up to date; nothing to do where it reads the truth itself.

        It is done after each write of this process, and by itself soon after one of another process.

        Raises:
            StoreAway: The server does not answer.
        """
        ...

    @property
    def away_since(self) -> float | None:
        """Since when the server has not answered, in seconds since 1970 (UTC); None while it does.

        Meanwhile writes raise ``StoreAway``, and so do reads, but for a store that has a replica in each process.
        """
        ...

    def products(self, product_ids: Collection[str]) -> dict[str, StoredProduct]:
        """Products by id."""
        ...

    def known(self, product_ids: Collection[str]) -> set[str]:
        """The ids that belong to a product."""
        ...

    def numbers(self, product_ids: Collection[str]) -> dict[str, int]:
        """The numbers of products in the order in which they were first added, from 1, by id."""
        ...

    def product_ids(self, *, source: str | None = None) -> list[str]:
        """Ids of all products, or of those from one source, sorted."""
        ...

    def products_with_photos(self, sha256s: Collection[str]) -> set[str]:
        """Ids of the products that show at least one of these photos."""
        ...

    def embeddings(self, model: str, sha256s: Collection[str]) -> dict[str, Vector]:
        """A model's embeddings by photo; ``(d,)`` float32 each."""
        ...

    def palettes(self, sha256s: Collection[str]) -> dict[str, Palette]:
        """Palettes by photo."""
        ...

    def embedded(self, model: str, sha256s: Collection[str]) -> set[str]:
        """The photos that have both an embedding by the model and a palette."""
        ...

    def has_embeddings(self, model: str) -> bool:
        """Whether the model has embedded any photo."""
        ...

    def photos(self, sha256s: Collection[str]) -> dict[str, Photo]:
        """Photos by digest, each under one of its names."""
        ...

    def embedded_photos(self, model: str, product_ids: Collection[str]) -> list[EmbeddedPhoto]:
        """All photos of these products that the model has embedded, in the order of products and photos."""
        ...

    def embedded_keys(self, model: str) -> set[tuple[str, str]]:
        """``(product id, SHA-256)`` of every photo of a product that the model has embedded."""
        ...

    def changes(self, *, since: int, limit: int) -> list[Change]:
        """Writes and deletions after a revision, the oldest first, each product once."""
        ...

    def attribute_names(self) -> tuple[str, ...]:
        """Names of all attributes that products have or had, sorted; without those that are only predicted."""
        ...

    def predicted(self) -> Predicted | None:
        """Whose predictions the listing of this store has; None where an indexer writes the listing."""
        ...

    def predict(self, guesses: Mapping[str, Guesses], predicted: Predicted, *, since: Predicted) -> None:
        """List products by what is predicted of them, too, in one transaction that changes no revision.

        Args:
            guesses: Predictions by product id; empty ones take former ones away.
            predicted: What ``predicted`` returns from now on.
            since: What it returned. If another process was first, nothing is written.
        """
        ...

    def thumbnails(self) -> set[str]:
        """File names of the thumbnails of all photos that have one."""
        ...

    def counts(self) -> StoreCounts:
        """How much the store holds."""
        ...

    def setting(self, name: str) -> str | None:
        """A setting of the workspace; None if it is not set."""
        ...

    def settings(self) -> dict[str, str]:
        """All settings of the workspace."""
        ...

    def damage(self) -> list[str]:
        """What is wrong with the file and with what is derived from it, in sentences; empty when all is well."""
        ...

    def add_key(self, key: ApiKey, digest: bytes) -> None:
        """Keep an API key and the digest of its secret.

        Raises:
            WorkspaceUnusable: There is a key with this id or digest already.
        """
        ...

    def keys(self) -> tuple[ApiKey, ...]:
        """Every API key, the oldest first."""
        ...

    def keys_with_digests(self) -> tuple[tuple[bytes, ApiKey], ...]:
        """Every API key after the digest of its secret, the oldest first; for a comparison in constant time."""
        ...

    def delete_key(self, key_id: str) -> bool:
        """Delete an API key; returns whether it existed."""
        ...

    def write(self, write: Write) -> int:
        """Write products, their photos and embeddings in one transaction; returns the last revision of it.

        A server may take hundreds of products in several transactions. No product is ever torn.

        Raises:
            WriteConflict: Another process changed what the write depends on.
            WorkspaceBusy: Another process writes for too long.
            StoreAway: The server does not answer.
        """
        ...

    def delete(self, product_ids: Collection[str]) -> int:
        """Delete products in one transaction; their photos stay until ``drop_unused_photos``.

        Returns:
            The last revision of the transaction.
        """
        ...

    def drop_unused_photos(self) -> None:
        """Delete the photos that no product shows any more, with their embeddings."""
        ...

    def set_setting(self, name: str, value: str) -> None:
        """Set a setting."""
        ...

    def claim_setting(self, name: str, value: str) -> str:
        """Set a setting unless it is set, and return what it is now: of several processes, one is the first."""
        ...

    def set_settings(self, settings: Mapping[str, str | None]) -> None:
        """Set several settings in one transaction; None deletes one."""
        ...

    def lease(self, name: str, holder: str, *, hold_s: float) -> int | None:
        """Take a lease, or extend one's own, by the store's clock.

        The term is higher than that of every holder before, so that what a lease protects can refuse a former
        holder that was paused and does not know yet that its time is over.

        Args:
            name: What only one process may do, such as ``indexer``.
            holder: A name of this process's, unlike all others.
            hold_s: Seconds from now; 0 gives the lease back.

        Returns:
            Its term, from 1; None while somebody else has it.

        Raises:
            StoreAway: The server does not answer.
        """
        ...

    def close(self) -> None:
        """Release the store."""
        ...


class EventStore(Protocol):
    """Events of a workspace. Calls are thread-safe, and reading does not wait for writing.

    Events are known by their id, so adding one again changes nothing. A visitor's events stay with the visitor; a
    merge says which user that is, for past and future events alike. It counts as the user everywhere.
    """

    def resolve(self, person: Person) -> Person:
        """The user that a visitor was merged into, else the person itself."""
        ...

    def holds(self, person: Person) -> bool:
        """Whether anything is stored about a person, even if it is only the id."""
        ...

    def visitors(self, person: Person) -> tuple[str, ...]:
        """Ids of the visitors that were merged into a user, in the order in which they were first seen."""
        ...

    def history(self, person: Person) -> list[Event]:
        """All events of a person, the oldest first."""
        ...

    def recent(
        self,
        person: Person,
        *,
        limit: int,
        until_s: float | None = None,
        types: Collection[EventType] | None = None,
    ) -> list[Event]:
        """The last events of a person, the newest first; at the same time the last to arrive first.

        Args:
            person: The person.
            limit: Events, at most.
            until_s: Only events at or before this time.
            types: Only events of these types; None for all.
        """
        ...

    def products_of(self, person: Person, types: Collection[EventType]) -> set[str]:
        """Ids of all products that a person has events of these types for."""
        ...

    def counts(self) -> tuple[int, int]:
        """Number of events and of people; merged visitors do not count as people."""
        ...

    def product_counts(self) -> dict[str, int]:
        """Number of events by product, whether or not the catalog has it."""
        ...

    def after(self, position: EventPosition, *, limit: int) -> EventRows:
        """Events after a position, as columns in the order of arrival, without impressions.

        Args:
            position: ``EventRows.position`` of the last page; an empty mapping to begin.
            limit: Events, at most.
        """
        ...

    def log(self, position: EventPosition, *, limit: int) -> EventPage:
        """Events after a position as they came, impressions included, each with the person that it came from.

        It is for copies: an event whose transaction ends late may be missed, and is found by reading anew.

        Args:
            position: ``EventPage.position`` of the last page; an empty mapping to begin.
            limit: Events, at most.
        """
        ...

    def merges(self) -> tuple[tuple[str, str], ...]:
        """Every visitor that was merged, with its user, in the order in which the visitors were first seen."""
        ...

    def erasures(self) -> int:
        """A counter that changes whenever events that ``after`` gave were erased or moved to another person."""
        ...

    def add(self, events: Sequence[Event]) -> Taken:
        """Add events in one transaction; those with a known id, or one that came earlier here, are duplicates."""
        ...

    def merge(self, visitor_id: str, *, into: str) -> int:
        """Make a visitor's events, past and future, those of a user; returns how many moved.

        Raises:
            VisitorTaken: The visitor was merged into another user before.
        """
        ...

    def withdraw(self, person: Person, type: EventType, product_id: str) -> int:  # noqa: A002 - the field's word
        """Erase a person's events of one type and product; returns how many."""
        ...

    def forget(self, person: Person) -> int:
        """Erase everything about a person, merged visitors included, without a trace in any file.

        Returns:
            Number of events that were erased.

        Raises:
            WorkspaceUnusable: It is erased, but another process keeps a log from being cleared.
        """
        ...

    def close(self) -> None:
        """Release the store."""
        ...
