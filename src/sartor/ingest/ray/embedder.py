"""Embeds photos on a Ray cluster: each processor of it reads, decodes and embeds, and this process writes.

A worker is a Ray actor with one processor. It reads the photos of a step and tells their SHA-256. This process
looks up which of them the catalog lacks, and the worker, which still has their bytes, embeds those. So only
digests, embeddings and thumbnails cross the network. The actors read, too: where actors have every processor,
tasks that read would never get one. A lost worker costs the steps that it had, which another one reads again.

The network travels through Ray's object store, so a host needs Sartor and the source, but no workspace.
"""

from __future__ import annotations

import pickle
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sartor.errors import ClusterAway, ClusterFailed, PhotoRejected, SourceNotShared
from sartor.imaging.fetch import EncodedPhoto, is_url
from sartor.ingest.photos import STEP, STEP_BYTES, Embedded, ReadPhoto, ReadStep, Rejection
from sartor.ingest.ray.connection import first_line, package
from sartor.ingest.ray.fleet import Fleet, Member
from sartor.ingest.ray.worker import Answer, Failed, PhotoWorker, Seen
from sartor.limits import CLUSTER_ATTEMPTS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from sartor.imaging import UrlPolicy
    from sartor.ingest.photos import ThumbnailStore
    from sartor.ingest.ray.connection import RayCluster
    from sartor.ingest.ray.worker import Network
    from sartor.types import SourcePhoto

T = TypeVar("T")

_CALLS = 4  # of a worker at once: steps that are read and embedded overlap
_WAITING_CALLS = 256  # threads of this process, each waits for a worker
_FIRST_STEP = 16  # photos of the first step, before it is known how large they are


@dataclass(slots=True, kw_only=True)
class _Step:
    """A step on its way.

    Attributes:
        number: Its name among the worker's steps.
        photos: Its photos, pickled.
        example: Name of one of them.
        urls: Whether they may be fetched by URL.
        member: The worker that has it.
    """

    number: int
    photos: bytes
    example: str
    urls: UrlPolicy | None
    member: Member


class RayEmbedder:
    """The ``Embedder`` of a cluster.

    Args:
        cluster: The connection.
        network: The network.
        media: Where thumbnails go, written by this process; without it, none are made.
    """

    def __init__(self, cluster: RayCluster, network: Network, *, media: ThumbnailStore | None = None) -> None:
        ray = package()
        self._media = media
        actor = ray.remote(num_cpus=1, max_restarts=0, max_concurrency=_CALLS, scheduling_strategy="SPREAD")(
            PhotoWorker
        )
        travelling = ray.put(network)
        self._fleet = Fleet(lambda: actor.remote(travelling, pictures=media is not None), address=cluster.address)
        self._calls = ThreadPoolExecutor(_WAITING_CALLS, thread_name_prefix="sartor-ray-call")
        self._numbers = count()
        self._mean_bytes = STEP_BYTES / _FIRST_STEP

    @property
    def steps_ahead(self) -> int:
        """Two for each worker: one that is embedded, one that waits."""
        return 2 * self._fleet.size

    @property
    def pids(self) -> list[int]:
        """The processes of the workers that are ready."""
        return [member.pid for member in self._fleet.members]

    def read(
        self,
        items: Iterable[T],
        photos_of: Callable[[T], Sequence[SourcePhoto]],
        *,
        urls: UrlPolicy,
        rejected: list[Rejection],
    ) -> Iterator[ReadStep[T]]:
        """Read the photos of items on the cluster, a few steps before they are asked for.

        Raises:
            ClusterError: No worker is left, or a worker cannot read what this host can.
        """
        reading: deque[Callable[[], ReadStep[T]]] = deque()
        for group in self._grouped(items, photos_of):
            reading.append(self._start_to_read(group, urls=urls, rejected=rejected))
            while len(reading) > self._fleet.size:
                yield reading.popleft()()
        for finish in reading:
            yield finish()

    def start(self, photos: Iterable[EncodedPhoto]) -> Future[Embedded]:
        """Send photos to a worker that embeds them."""
        encoded = list(photos)
        if not encoded:
            return _done(_nothing())
        step = self._step(encoded, urls=None)
        wanted = [ReadPhoto(photo.sha256, photo.name) for photo in encoded]
        return self._calls.submit(self._embed, step, wanted, anew=True)

    def close(self) -> None:
        """End the workers; what they have is dropped."""
        self._fleet.close()
        self._calls.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _grouped(
        self, items: Iterable[T], photos_of: Callable[[T], Sequence[SourcePhoto]]
    ) -> Iterator[list[tuple[T, Sequence[SourcePhoto]]]]:
        """Items in steps; how many photos have a step's bytes is known from those that were read before."""
        group: list[tuple[T, Sequence[SourcePhoto]]] = []
        photos = 0
        for item in items:
            own = photos_of(item)
            group.append((item, own))
            photos += len(own)
            if max(len(group), photos) >= min(STEP, max(1, int(STEP_BYTES / self._mean_bytes))):
                yield group
                group, photos = [], 0
        if group:
            yield group

    def _start_to_read(
        self, group: list[tuple[T, Sequence[SourcePhoto]]], *, urls: UrlPolicy, rejected: list[Rejection]
    ) -> Callable[[], ReadStep[T]]:
        """Start to read a step; returns what waits for the end of it."""
        photos = [photo for _, own in group for photo in own]
        if not photos:
            return lambda: ReadStep(items=[(item, []) for item, _ in group], start=lambda _: _done(_nothing()))
        step = self._step(photos, urls=urls)
        reading = self._calls.submit(self._read, step, photos)

        def finish() -> ReadStep[T]:
            outcomes = iter(reading.result())
            items: list[tuple[T, list[ReadPhoto]]] = []
            for item, own in group:
                readable: list[ReadPhoto] = []
                for photo in own:
                    outcome = next(outcomes)
                    if isinstance(outcome, Seen):
                        readable.append(ReadPhoto(outcome.sha256, photo.name))
                    else:
                        rejected.append(outcome)
                items.append((item, readable))
            names = {photo.sha256: photo for _, readable in items for photo in reversed(readable)}
            return ReadStep(items=items, start=partial(self._start_read, step, names))

        return finish

    def _step(self, photos: Sequence[SourcePhoto | EncodedPhoto], *, urls: UrlPolicy | None) -> _Step:
        return _Step(
            number=next(self._numbers),
            photos=_pickled(photos),
            example=photos[0].name,
            urls=urls,
            member=self._fleet.take(),
        )

    def _read(self, step: _Step, photos: Sequence[SourcePhoto]) -> list[Seen | Rejection]:
        outcomes: list[Seen | Rejection] | Failed = self._ask(
            step, lambda worker, _: worker.read.remote(step.number, step.photos, step.urls)
        )
        if isinstance(outcomes, Failed):
            raise SourceNotShared(step.member.host, step.example, reason=outcomes.reason)
        sizes = [outcome.size_bytes for outcome in outcomes if isinstance(outcome, Seen)]
        if sizes:
            self._mean_bytes = max(1.0, sum(sizes) / len(sizes))
        for photo, outcome in zip(photos, outcomes, strict=True):
            if isinstance(outcome, Rejection) and not is_url(photo.name) and _is_readable(photo):
                raise SourceNotShared(step.member.host, photo.name, reason=outcome.reason)
        return outcomes

    def _start_read(
        self, step: _Step, photos: Mapping[str, ReadPhoto], wanted: Collection[str]
    ) -> Future[Embedded]:
        if wanted:
            return self._calls.submit(self._embed, step, [photos[sha256] for sha256 in wanted])
        step.member.steps -= 1
        step.member.handle.forget.remote(step.number)
        return _done(_nothing())

    def _embed(self, step: _Step, wanted: Sequence[ReadPhoto], *, anew: bool = False) -> Embedded:
        """Have photos embedded, and keep their thumbnails."""

        def ask(worker: Any, attempt: int) -> Any:
            if attempt or anew:
                return worker.embed_anew.remote(step.photos, step.urls, wanted)
            return worker.embed.remote(step.number, wanted)

        answer: Answer | Failed = self._ask(step, ask)
        step.member.steps -= 1
        if isinstance(answer, Failed):
            raise ClusterFailed(step.member.host, reason=answer.reason)
        if self._media is not None:
            for sha256 in answer.embedded.photos:
                self._media.put(sha256, answer.thumbnails[sha256])
        return answer.embedded

    def _ask(self, step: _Step, ask: Callable[[Any, int], Any]) -> Any:
        """Ask the step's worker, and another one if it is lost.

        Raises:
            ClusterError: No worker is left, or each is lost over this step.
        """
        ray = package()
        for attempt in range(CLUSTER_ATTEMPTS):
            if attempt:
                step.member = self._fleet.take()
            try:
                return ray.get(ask(step.member.handle, attempt))
            except ray.exceptions.RayTaskError as error:
                raise ClusterFailed(step.member.host, reason=first_line(error.cause or error)) from error
            except ray.exceptions.RayError:
                self._fleet.lose(step.member)
            except ConnectionError as error:  # of a client
                raise ClusterAway(step.member.host, reason=first_line(error)) from error
        reason = f"its process ended {CLUSTER_ATTEMPTS} times over the same photos, such as {step.example}"
        raise ClusterFailed(step.member.host, reason=reason)


def _nothing() -> Embedded:
    return Embedded(photos={}, vectors={}, palettes={}, rejected=())


def _done(embedded: Embedded) -> Future[Embedded]:
    future: Future[Embedded] = Future()
    future.set_result(embedded)
    return future


def _is_readable(photo: SourcePhoto) -> bool:
    try:
        photo.read()
    except PhotoRejected:
        return False
    return True


def _pickled(photos: Sequence[SourcePhoto | EncodedPhoto]) -> bytes:
    return pickle.dumps(list(photos), protocol=pickle.HIGHEST_PROTOCOL)
