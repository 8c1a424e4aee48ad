"""Fetches the photos of a source by their URLs, ahead of what embeds them: beside each other, politely, once.

A server is asked for a few photos at the same time, and again later where it is busy. It is told which version is
known, and need not send that again. What was fetched is noted at once, with its bytes until the catalog has the
photo. So a run that was killed goes on where it was.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Event, Lock
from typing import TYPE_CHECKING, Protocol, Self
from urllib.parse import urlsplit

from sartor.errors import PhotoRejected, PhotoUnavailable
from sartor.imaging.fetch import fetch_changed, is_url
from sartor.limits import (
    FETCH_TRIES,
    FETCHED_RUN_S,
    FETCHES_AT_ONCE,
    FETCHES_PER_HOST,
    MAX_FAILED_FETCHES,
    MAX_RETRY_AFTER_S,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sartor.imaging import UrlPolicy
    from sartor.imaging.fetch import Answer, Version
    from sartor.types import SourcePhoto, SourceProduct

logger = logging.getLogger(__name__)

_AHEAD = 256  # photos that are on their way, or fetched and not yet read
_FIRST_WAIT_S = 1.0  # after a first failure; doubled after each other one


class FetchedNotes(Protocol):
    """What was fetched: versions of photos by URL, and bytes until they are released. Threads share it."""

    def begin(self, source: str, *, max_age_s: float) -> str:
        """Begin a run of a source, or go on with one that was stopped; returns its id."""
        ...

    def known(self, url: str, *, run: str) -> tuple[str, Version, bool] | None:
        """SHA-256 and version of a photo, and whether this run has asked for it; None for one never fetched."""
        ...

    def put(self, url: str, data: bytes, version: Version, *, source: str, run: str) -> str:
        """Note a photo that was fetched, and keep its bytes; returns their SHA-256."""
        ...

    def see(self, url: str, *, source: str, run: str, is_current: bool) -> None:
        """Note that a source still names a photo, which is unchanged or could not be had."""
        ...

    def data(self, digest: str) -> bytes | None:
        """The bytes of a photo; None once they were released."""
        ...

    def has_data(self, digest: str) -> bool:
        """Whether the bytes of a photo are kept."""
        ...

    def release(self, digests: Iterable[str]) -> None:
        """Delete the bytes of photos."""
        ...

    def finish(self, source: str, *, run: str, is_whole: bool) -> None:
        """End a run; after a whole one, what the source does not name any more is forgotten."""
        ...

    def keep_sources(self, sources: Iterable[str], *, max_age_s: float) -> None:
        """Forget the photos of all other sources."""
        ...


@dataclass(slots=True)
class _Host:
    """A server that photos are fetched from.

    Attributes:
        waiting: Photos to fetch.
        active: How many are being fetched.
        open_at_s: When it may be asked again, on the monotonic clock.
        failed: Photos in a row that could not be had.
    """

    waiting: deque[tuple[str, Future[str]]] = field(default_factory=deque)
    active: int = 0
    open_at_s: float = 0.0
    failed: int = 0


class WebPhotos:
    """Fetches the photos of one run of a source.

    Args:
        notes: What was fetched before.
        policy: From where photos may be fetched.
        source_id: The source's name in the store.
        is_known: Whether the catalog has a photo, by SHA-256, so that its bytes are not needed.
        first_wait_s: Seconds to wait after a first failure.

    Attributes:
        fetched: Photos whose bytes came.
        unchanged: Photos that are those of before, as their server said or as this run knew when it went on.
    """

    def __init__(
        self,
        notes: FetchedNotes,
        *,
        policy: UrlPolicy,
        source_id: str,
        is_known: Callable[[str], bool],
        first_wait_s: float = _FIRST_WAIT_S,
    ) -> None:
        self._notes, self._policy, self._source_id = notes, policy, source_id
        self._is_known, self._first_wait_s = is_known, first_wait_s
        self._run = notes.begin(source_id, max_age_s=FETCHED_RUN_S)
        self._pool = ThreadPoolExecutor(FETCHES_AT_ONCE, thread_name_prefix="sartor-fetch")
        self._lock = Lock()  # of what follows
        self._hosts: dict[str, _Host] = {}
        self.fetched = self.unchanged = 0
        self._stopped = Event()

    def ahead(self, products: Iterable[SourceProduct]) -> Iterator[SourceProduct]:
        """The products, while the photos of later ones are fetched; a photo that is no URL stays as it is."""
        waiting: deque[tuple[SourceProduct, int]] = deque()
        photos = 0
        for product in products:
            urls = sum(is_url(photo.name) for photo in product.photos)
            waiting.append((self._started(product) if urls else product, urls))
            photos += urls
            while waiting and photos > _AHEAD:
                first, its = waiting.popleft()
                photos -= its
                yield first
        while waiting:
            yield waiting.popleft()[0]

    def release(self, digests: Iterable[str]) -> None:
        """Forget the bytes of photos that are in the catalog or cannot be used."""
        self._notes.release(digests)

    def finish(self, *, is_whole: bool) -> None:
        """Note that the run came to its end.

        Args:
            is_whole: Whether it went through the whole source.
        """
        self._notes.finish(self._source_id, run=self._run, is_whole=is_whole)

    def keep_sources(self, sources: Iterable[str]) -> None:
        """Forget what was fetched for sources that the catalog has nothing of."""
        self._notes.keep_sources({*sources, self._source_id}, max_age_s=FETCHED_RUN_S)

    def close(self) -> None:
        """Stop, and drop what is not fetched yet; what waits to try again does not."""
        self._stopped.set()
        with self._lock:
            dropped = [fetching for host in self._hosts.values() for _, fetching in host.waiting]
            for host in self._hosts.values():
                host.waiting.clear()
        for fetching in dropped:
            fetching.cancel()
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _started(self, product: SourceProduct) -> SourceProduct:
        photos = tuple(self._submit(photo) if is_url(photo.name) else photo for photo in product.photos)
        return replace(product, photos=photos)

    def _submit(self, photo: SourcePhoto) -> SourcePhoto:
        fetching: Future[str] = Future()
        name = _host_of(photo.name)
        with self._lock:
            host = self._hosts.setdefault(name, _Host())
            host.waiting.append((photo.name, fetching))
            is_free = host.active < FETCHES_PER_HOST
            host.active += is_free
        if is_free:
            self._pool.submit(self._serve, host)
        return replace(photo, fetched=lambda: self._result(photo.name, fetching))

    def _serve(self, host: _Host) -> None:
        """Fetch one photo of a host, and go to the end of the line: other hosts have their turn."""
        with self._lock:
            if not host.waiting:
                host.active -= 1
                return
            url, fetching = host.waiting.popleft()
        try:
            fetching.set_result(self._fetch(url, host))
        except BaseException as error:  # noqa: BLE001 - who waits for the photo has to hear of it
            fetching.set_exception(error)
        with self._lock:
            if not host.waiting or self._stopped.is_set():
                host.active -= 1
                return
        with suppress(RuntimeError):  # the pool was closed meanwhile
            self._pool.submit(self._serve, host)

    def _result(self, url: str, fetching: Future[str]) -> tuple[str, bytes]:
        """SHA-256 and bytes of a photo; no bytes where the catalog has it."""
        sha256 = fetching.result()
        data = self._notes.data(sha256)
        if data is not None:
            return sha256, data
        if self._is_known(sha256):
            return sha256, b""
        # Another product of this run had the same photo, which could not be used and was forgotten.
        data = fetch_changed(url, policy=self._policy).data or b""
        return hashlib.sha256(data).hexdigest(), data

    def _fetch(self, url: str, host: _Host) -> str:
        """Fetch a photo, or learn that it is unchanged; returns its SHA-256.

        Raises:
            PhotoRejected: It cannot be had.
        """
        known = self._notes.known(url, run=self._run)
        usable = known is not None and (self._notes.has_data(known[0]) or self._is_known(known[0]))
        if known is not None and usable and known[2]:
            with self._lock:
                self.unchanged += 1
            return known[0]
        try:
            answer = self._tried(url, host, known[1] if known is not None and usable else None)
        except PhotoRejected:
            self._notes.see(url, source=self._source_id, run=self._run, is_current=False)
            raise
        if answer.data is None and known is not None:
            self._notes.see(url, source=self._source_id, run=self._run, is_current=True)
            with self._lock:
                self.unchanged += 1
            return known[0]
        sha256 = self._notes.put(url, answer.data or b"", answer.version, source=self._source_id, run=self._run)
        with self._lock:
            self.fetched += 1
        return sha256

    def _tried(self, url: str, host: _Host, version: Version | None) -> Answer:
        """Ask for a photo, several times where that may help."""
        for tried in range(1, FETCH_TRIES + 1):
            self._wait_for(url, host)
            try:
                answer = fetch_changed(url, policy=self._policy, known=version)
            except PhotoUnavailable as error:
                wait_s = self._first_wait_s * 2 ** (tried - 1)
                if error.retry_after_s is not None:
                    wait_s = max(wait_s, error.retry_after_s)
                    with self._lock:  # the host asks for it, so it counts for all of its photos
                        host.open_at_s = max(host.open_at_s, time.monotonic() + wait_s)
                    logger.info("fetch postponed: url=%s reason=%r seconds=%.0f", url, error.reason, wait_s)
                if tried == FETCH_TRIES:
                    with self._lock:
                        host.failed += 1
                    raise PhotoRejected(url, reason=f"{error.reason}, {tried} times") from error
                if error.retry_after_s is None:
                    self._stopped.wait(wait_s)
            except PhotoRejected:
                with self._lock:
                    host.failed = 0  # the server answers
                raise
            else:
                with self._lock:
                    host.failed = 0
                return answer
        raise AssertionError  # the last try returns or raises

    def _wait_for(self, url: str, host: _Host) -> None:
        """Wait until a host may be asked.

        Raises:
            PhotoRejected: It asks to wait for too long, failed too often, or the run was stopped.
        """
        while True:
            with self._lock:
                wait_s, failed = host.open_at_s - time.monotonic(), host.failed
            if failed >= MAX_FAILED_FETCHES:
                reason = f"was not asked for: its host failed for {failed} photos in a row; index the source again"
                raise PhotoRejected(url, reason=reason)
            if wait_s > MAX_RETRY_AFTER_S:
                reason = f"was not fetched: its host asks to come back in {wait_s:.0f} s; index the source then"
                raise PhotoRejected(url, reason=reason)
            if self._stopped.is_set():
                raise PhotoRejected(url, reason="was not fetched; the run was stopped")
            if wait_s <= 0:
                return
            self._stopped.wait(wait_s)


def _host_of(url: str) -> str:
    """The server that a URL names; the text of one that cannot be read, which is refused when it is asked for."""
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return url
