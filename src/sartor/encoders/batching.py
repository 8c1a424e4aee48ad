"""An encoder for many callers at once: photos that come together go through the network together."""

from __future__ import annotations

from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from sartor.encoders.encoder import Encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sartor.encoders.card import ModelCard
    from sartor.encoders.runtime import Pixels, Runtime
    from sartor.types import Matrix

    _Waiting: TypeAlias = tuple[Pixels, Future[Matrix]]

_WINDOW_S = 0.003


class BatchingEncoder(Encoder):
    """Embeds single photos of several threads in common batches.

    What waits when the network becomes free is one batch. Only where the last batch had company is there a wait
    of a few milliseconds for more, so a caller alone waits for nobody.
    """

    def __init__(self, card: ModelCard, load: Callable[[], Runtime], *, window_s: float = _WINDOW_S) -> None:
        """``window_s`` is the longest wait for company."""
        super().__init__(card, load)
        self._window_s = window_s
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._starting = Lock()
        self._worker: Thread | None = None

    def embed_pixels(self, pixels: Sequence[Pixels]) -> Matrix:
        """Embed prepared photos; a single one shares a batch with those of other threads."""
        if len(pixels) != 1:
            return super().embed_pixels(pixels)
        self._start()
        future: Future[Matrix] = Future()
        self._queue.put((pixels[0], future))
        return future.result()

    def close(self) -> None:
        """Answer who still waits, and give everything back."""
        with self._starting:
            worker, self._worker = self._worker, None
        if worker is not None:
            self._queue.put(None)
            worker.join()
        super().close()

    def _start(self) -> None:
        with self._starting:
            if self._worker is None:
                self._worker = Thread(target=self._work, name="sartor-batch", daemon=True)
                self._worker.start()

    def _work(self) -> None:
        company = False
        while (first := self._queue.get()) is not None:
            batch, more = self._gathered(first, window_s=self._window_s if company else 0.0)
            company = len(batch) > 1
            self._answer(batch)
            if not more:
                return

    def _gathered(self, first: _Waiting, *, window_s: float) -> tuple[list[_Waiting], bool]:
        """Who waits, and whether there is anything after them."""
        batch, deadline = [first], monotonic() + window_s
        while len(batch) < self.batch_size:
            try:
                left_s = deadline - monotonic()
                item = self._queue.get(timeout=left_s) if left_s > 0 else self._queue.get_nowait()
            except Empty:
                break
            if item is None:
                return batch, False
            batch.append(item)
        return batch, True

    def _answer(self, batch: Sequence[_Waiting]) -> None:
        try:
            vectors = super().embed_pixels([pixels for pixels, _ in batch])
        except BaseException as error:  # noqa: BLE001 - it is the callers' to handle
            for _, future in batch:
                future.set_exception(error)
            return
        for row, (_, future) in enumerate(batch):
            future.set_result(vectors[row : row + 1])
