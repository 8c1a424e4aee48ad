"""Notices what other processes write: a change stream on the counters wakes it up, and it looks once a second."""

from __future__ import annotations

import logging
from threading import Event, Thread
from typing import TYPE_CHECKING

from pymongo.errors import OperationFailure, PyMongoError

from sartor.errors import SartorError
from sartor.limits import SERVER_POLL_S
from sartor.store.mongo.transactions import COUNTERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sartor.store.mongo.database import MongoDatabase

logger = logging.getLogger(__name__)

_WAIT_MS = 500  # for news, before it looks for itself


class Watcher:
    """Looks again after each write of another process, in a thread of its own.

    Args:
        mongo: The workspace's database.
        look: Called after a write, and once in a while; it may fail.
    """

    def __init__(self, mongo: MongoDatabase, *, look: Callable[[], None]) -> None:
        self._mongo, self._look = mongo, look
        self._stopping = Event()

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begin to watch."""
        Thread(target=self._watch, name="sartor-mongodb", daemon=True).start()

    def stop(self) -> None:
        """End, soon."""
        self._stopping.set()

    def _watch(self) -> None:
        """Until it is told to stop, through failures of the server."""
        can_stream = True
        while not self._stopping.wait(SERVER_POLL_S):
            try:
                if can_stream and self._mongo.away_since is None:
                    self._follow_stream()
                else:
                    self._look()
            except OperationFailure as error:
                can_stream = False
                logger.info("no change streams, polling: store=%s reason=%s", self._mongo.shown, error)
            except (PyMongoError, SartorError) as error:
                if not self._stopping.is_set():
                    logger.debug("cannot follow: store=%s reason=%s", self._mongo.shown, error)

    def _follow_stream(self) -> None:
        pipeline = [{"$match": {"documentKey": COUNTERS}}]
        with self._mongo.collection("counters").watch(pipeline, max_await_time_ms=_WAIT_MS) as stream:
            self._look()
            while not self._stopping.is_set():
                stream.try_next()
                self._look()
