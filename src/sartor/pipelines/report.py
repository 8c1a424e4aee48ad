"""What an ingest says when it is done, and while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from sartor.catalog import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A photo that could not be used, and why."""

    photo: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an ingest is; what it counts is committed.

    Attributes:
        products: Products done.
        total: Products that the source is expected to have; None when it cannot be known.
        photos: Photos seen.
        committed: Ids of the products that the last step committed.
    """

    products: int
    total: int | None
    photos: int
    committed: tuple[str, ...]


OnProgress: TypeAlias = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What an ingest did.

    Attributes:
        source: The source, as it was given.
        model: Model that embedded the photos.
        products: Products that the source has.
        photos: Photos that the source has, rejected ones included.
        added: Products that are new.
        updated: Products whose attributes or photos changed.
        unchanged: Products that were already there just so.
        deleted: Products that had left the source.
        embedded: Photos that went through the network.
        rejected: Photos that could not be used.
        findings: What the source's reader noticed, such as rows without a photo.
        seconds: Time that it all took.
    """

    source: str
    model: str
    products: int
    photos: int
    added: int
    updated: int
    unchanged: int
    deleted: int
    embedded: int
    rejected: tuple[Rejection, ...]
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def photos_per_second(self) -> float:
        """Photos seen per second, end to end."""
        return self.photos / self.seconds if self.seconds else 0.0
