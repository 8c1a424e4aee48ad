"""Follows what other processes write, in a thread of its own, while an index of the shop is open."""

from __future__ import annotations

import logging
import time
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from sartor.errors import SartorError
from sartor.ingest.maintenance import tidy_media
from sartor.limits import FOLLOW_S, UNUSED_PHOTO_AGE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from sartor.shop.backends import Backends

logger = logging.getLogger(__name__)


class Follower:
    """Keeps the open indexes and the default model as the store has them, and gives other processes copies.

    Args:
        backends: The engines of the workspace.
        follow: Takes in what was written; called when something was, while nobody else of this process writes.
        lags: Whether an index lacks what this process has seen of the store, and so has to be looked at again.
        share: Gives copies to the processes that wait for one.
    """

    def __init__(
        self,
        backends: Backends,
        *,
        follow: Callable[[], None],
        lags: Callable[[], bool],
        share: Callable[[], None],
    ) -> None:
        self._backends, self._take_in, self._lags, self._share = backends, follow, lags, share
        self._lock, self._stopping = Lock(), Event()
        self._thread: Thread | None = None
        self._tidied_at = time.monotonic()

    def start(self) -> None:
        """Begin to follow, if that was not done yet."""
        with self._lock:
            if self._thread is None and not self._stopping.is_set():
                self._thread = Thread(target=self._run, name="sartor-follower", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End, for good."""
        self._stopping.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        failing = False
        while not self._stopping.wait(FOLLOW_S):
            try:
                self._follow()
            except SartorError as error:  # an engine is away
                if not failing:
                    logger.warning("cannot follow: home=%s reason=%s", self._backends.home, error)
                failing = True
            except Exception:
                if not failing:
                    logger.exception("cannot follow: home=%s", self._backends.home)
                failing = True
            else:
                failing = False

    def _follow(self) -> None:
        backends = self._backends
        if backends.store.has_changed() or self._lags():
            with backends.writing:
                self._take_in()
        with backends.writing:
            self._share()
        if not backends.is_read_only and time.monotonic() - self._tidied_at > UNUSED_PHOTO_AGE_S:
            self._tidied_at = time.monotonic()
            tidy_media(backends.store, backends.media)
