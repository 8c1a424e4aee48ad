"""What one process has learned from very many events, published for the other processes of a workspace.

Learning from millions of events takes seconds of a core and gigabytes of memory. So one process at a time does it,
by a lease of the store, and puts down what came of it; the others take that, and read only the events since then.
A publication is named by the number of erasures that it knows of, so none is used after a person was forgotten.
"""

from __future__ import annotations

import io
import json
import logging
import secrets
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import numpy as np

from sartor.events.model import RelationType
from sartor.limits import LEARNING_LEASE_S
from sartor.recommend.personal.learned import InteractionWeights, ItemCooccurrence, Learned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sartor.store.base import EventPosition

logger = logging.getLogger(__name__)

LEASE = "learner"
_FORMAT = 1
_PARTS = ("starts", "others", "closeness", "transactions")  # of a co-occurrence


class Files(Protocol):
    """Files that all processes of a workspace see, by name: there whole or not at all, and never changed."""

    def upload(self, name: str, content: BinaryIO) -> bool:
        """Write a file from an open one; returns False, and changes nothing, if there is one of this name."""
        ...

    def read(self, name: str) -> bytes | None:
        """The bytes of a file; None if there is none."""
        ...

    def names(self) -> Iterable[str]:
        """Names of all files, sorted."""
        ...

    def delete(self, name: str) -> bool:
        """Delete a file, if there is one; returns whether it is gone."""
        ...


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Publication:
    """What was learned, and from what.

    Attributes:
        product_ids: The items, in the order of their rows.
        learned: What follows from the events.
        position: Up to which event.
        erasures: ``EventStore.erasures`` at that time.
    """

    product_ids: tuple[str, ...]
    learned: Learned
    position: EventPosition
    erasures: int

    @property
    def name(self) -> str:
        """The name of its file; that of a later one is greater."""
        return _name(self.erasures, self.learned.events)

    def content(self) -> bytes:
        """It as a file of NumPy arrays, without pickled objects."""
        learned, stream = self.learned, io.BytesIO()
        baskets = [row for basket in learned.baskets for row in basket]
        arrays: dict[str, Any] = {
            f"{relation.value}_{part}": getattr(of_relation, part)
            for relation, of_relation in learned.cooccurrence.items()
            for part in _PARTS
        }
        head = {"ids": self.product_ids, "position": dict(self.position), "events": learned.events}
        arrays |= {
            "head": np.frombuffer(json.dumps(head).encode(), np.uint8),
            "baskets": np.array(baskets, np.int64),
            "basket_sizes": np.array([len(basket) for basket in learned.baskets], np.int64),
            "weight_items": learned.weights.items,
            "weights": learned.weights.weights,
            "weight_times": learned.weights.at_s,
        }
        np.savez(stream, **arrays)
        return stream.getvalue()

    @classmethod
    def read(cls, content: bytes, *, erasures: int) -> Publication:
        """Read the content of a file.

        Raises:
            ValueError: It is not whole.
            KeyError: It is of something else.
        """
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            head = json.loads(arrays["head"].tobytes())
            ends = np.cumsum(arrays["basket_sizes"])
            baskets = np.split(arrays["baskets"], ends[:-1]) if len(ends) else []
            learned = Learned(
                cooccurrence={
                    relation: ItemCooccurrence(*(arrays[f"{relation.value}_{part}"] for part in _PARTS))
                    for relation in RelationType
                },
                baskets=tuple(tuple(basket.tolist()) for basket in baskets),
                weights=InteractionWeights(arrays["weight_items"], arrays["weights"], arrays["weight_times"]),
                events=int(head["events"]),
            )
        return cls(
            product_ids=tuple(head["ids"]), learned=learned, position=dict(head["position"]), erasures=erasures
        )


class SharedLearning:
    """What the processes of a workspace learn for each other.

    Args:
        files: Where publications are kept; all processes see the same.
        lease: The store's ``CatalogStore.lease``.
    """

    def __init__(self, files: Files, lease: Callable[..., int | None]) -> None:
        self._files, self._lease = files, lease
        self._holder = secrets.token_hex(12)

    def is_turn(self) -> bool:
        """Whether this process is the one that learns; it is from then on as long as it asks again and again."""
        return self._lease(LEASE, self._holder, hold_s=LEARNING_LEASE_S) is not None

    def newest(self, *, erasures: int, after: int) -> Publication | None:
        """The newest publication, if it is from more than so many events and knows of just these erasures."""
        names = [name for name in self._files.names() if name > _name(erasures, after)]
        if not names or not names[-1].startswith(_name(erasures, 0)[: -len(_events(0))]):
            return None
        if (content := self._files.read(names[-1])) is None:
            return None  # it was replaced meanwhile, and the next look finds the other one
        try:
            return Publication.read(content, erasures=erasures)
        except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
            logger.warning("a publication cannot be read, and is left alone: name=%s reason=%s", names[-1], error)
            return None

    def publish(self, publication: Publication) -> None:
        """Put a publication in the place of those before it."""
        self._files.upload(publication.name, io.BytesIO(publication.content()))
        for name in list(self._files.names()):
            if name < publication.name:
                self._files.delete(name)

    def clear(self) -> None:
        """Delete every publication: somebody was forgotten."""
        for name in list(self._files.names()):
            self._files.delete(name)


def _name(erasures: int, events: int) -> str:
    return f"{_FORMAT}-{erasures:016d}-{_events(events)}"


def _events(events: int) -> str:
    return f"{events:016d}"
