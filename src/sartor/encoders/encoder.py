"""The encoder: from photos to embeddings of unit norm, with any runtime."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np
from PIL import Image, ImageOps

from sartor.choices import ResizePolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from sartor.encoders.base import Pixels, Runtime
    from sartor.encoders.card import ModelCard, Resizing
    from sartor.types import Matrix

    Maps: TypeAlias = list[npt.NDArray[np.float32]]
    _Waiting: TypeAlias = tuple[Pixels, bool, Future[tuple[Matrix, Maps]]]

# Pillow's bilinear filter averages over the source pixels when it shrinks, so nothing aliases; with a gap of 2 it
# shrinks large photos by whole factors first, without a visible difference.
_RESAMPLING = Image.Resampling.BILINEAR
_REDUCING_GAP = 2.0
_WHITE = (255, 255, 255)
_MAX_ASPECT = 8  # of a photo that is resized as a whole before its center is cut out

_WINDOW_S = 0.003


def prepare(image: Image.Image, card: ModelCard) -> Pixels:
    """Resize an RGB photo as the card says; returns ``(h, w, 3)`` uint8."""
    height_px, width_px = card.size_px
    size = (width_px, height_px)
    if card.resizing is not None:
        return np.asarray(_center(image, card.resizing, size))
    if image.size == size:
        return np.asarray(image)
    match card.resize:
        case ResizePolicy.STRETCH:
            resized = image.resize(size, _RESAMPLING, reducing_gap=_REDUCING_GAP)
        case ResizePolicy.CROP:
            resized = ImageOps.fit(image, size, _RESAMPLING)
        case ResizePolicy.PAD:
            resized = ImageOps.pad(image, size, _RESAMPLING, color=_WHITE)
    return np.asarray(resized)


def _center(image: Image.Image, resizing: Resizing, size: tuple[int, int]) -> Image.Image:
    """Resize, then cut the center out."""
    whole = _whole_size(image.size, resizing.to_px)
    resampling = Image.Resampling[resizing.resampling.name]
    starts = [(all_ - part) // 2 for all_, part in zip(whole, size, strict=True)]
    ends = [start + part for start, part in zip(starts, size, strict=True)]
    if max(whole) <= _MAX_ASPECT * min(whole):
        (left_px, top_px), (right_px, bottom_px) = starts, ends
        return image.resize(whole, resampling).crop((left_px, top_px, right_px, bottom_px))
    # All of a very long photo would take gigabytes. Resizing a part of it differs by a quarter of a level of 255.
    factors = [own / all_ for own, all_ in zip(image.size, whole, strict=True)]
    left, top = (start * factor for start, factor in zip(starts, factors, strict=True))
    right, bottom = (min(end * factor, own) for end, factor, own in zip(ends, factors, image.size, strict=True))
    return image.resize(size, resampling, box=(left, top, right, bottom))


def _whole_size(size: tuple[int, int], to_px: int | tuple[int, int]) -> tuple[int, int]:
    """Width and height of the whole photo, resized."""
    if not isinstance(to_px, int):
        return to_px[1], to_px[0]
    width, height = size
    if width <= height:
        return to_px, int(to_px * height / width)  # rounded down, as torchvision and transformers do
    return int(to_px * width / height), to_px


class Encoder:
    """Embeds photos with the network of one model card.

    An embedding does not depend on its batch. ``prepare`` is thread-safe, so that decoding and resizing go on
    while the network runs.
    """

    def __init__(self, card: ModelCard, load: Callable[[], Runtime]) -> None:
        """``load`` is called when the first photo comes: an ingest without new photos needs no network."""
        self.card = card
        self._load = load

    @cached_property
    def runtime(self) -> Runtime:
        """The network, loaded."""
        return self._load()

    @property
    def batch_size(self) -> int:
        """The number of photos in a batch that uses the device best."""
        return self.runtime.batch_size

    def prepare(self, image: Image.Image) -> Pixels:
        """Resize a decoded RGB photo to the network's input; returns ``(h, w, 3)`` uint8."""
        return prepare(image, self.card)

    def submit(self, pixels: Sequence[Pixels]) -> Future[Matrix]:
        """Start to embed prepared photos; returns a future of ``embed_pixels``."""
        return self._pool.submit(self.embed_pixels, pixels)

    def embed_pixels(self, pixels: Sequence[Pixels]) -> Matrix:
        """Embed prepared photos.

        Returns:
            ``(n, d)`` float32 of unit norm, in the order of the photos; a row of NaN if the network gave no usable
            numbers.
        """
        if not pixels:
            return np.empty((0, self.card.dimension), np.float32)
        return unit_norm(self.runtime.infer(np.stack(pixels)))

    def feature_maps(self, pixels: Sequence[Pixels]) -> list[npt.NDArray[np.float32]]:
        """The maps that the embedding is pooled from, the finest first, ``(n, h, w, c)`` each."""
        if not self.card.feature_maps:
            return []
        outputs = self.runtime.infer_outputs(np.stack(pixels), self.card.feature_maps)
        return [outputs[name] for name in self.card.feature_maps]

    def embed_with_maps(self, pixels: Sequence[Pixels]) -> tuple[Matrix, Maps]:
        """Embed prepared photos, and give the maps that the embeddings are pooled from, in one run of the network.

        Returns:
            The embeddings as ``embed_pixels`` gives them, and the maps as ``feature_maps``.
        """
        names = (self.card.output, *self.card.feature_maps)
        outputs = self.runtime.infer_outputs(np.stack(pixels), names)
        return unit_norm(outputs[self.card.output]), [outputs[name] for name in self.card.feature_maps]

    def embed(self, images: Sequence[Image.Image]) -> Matrix:
        """Embed decoded RGB photos; see ``embed_pixels``."""
        return self.embed_pixels([self.prepare(image) for image in images])

    def unload(self) -> None:
        """Wait for running inferences and release the network; the next photo loads it again."""
        if pool := vars(self).pop("_pool", None):
            pool.shutdown()
        vars(self).pop("runtime", None)

    def close(self) -> None:
        """Release everything."""
        self.unload()

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.runtime.streams, thread_name_prefix="sartor-infer")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def unit_norm(vectors: Matrix) -> Matrix:
    """Scale each row of ``(n, d)`` to euclidean norm 1; rows that are zero or not finite become NaN."""
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)  # (n, 1)
    usable = np.isfinite(norms) & (norms > 0)
    return (vectors / np.where(usable, norms, np.nan)).astype(np.float32)


class BatchingEncoder(Encoder):
    """Embeds single photos from several threads in common batches.

    All photos that wait when the network becomes free are one batch. It waits a few milliseconds for more only if
    the last batch had several, so a single caller never waits.
    """

    def __init__(self, card: ModelCard, load: Callable[[], Runtime], *, window_s: float = _WINDOW_S) -> None:
        """``window_s`` is the maximum wait for more photos."""
        super().__init__(card, load)
        self._window_s = window_s
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._starting = Lock()
        self._worker: Thread | None = None

    def embed_pixels(self, pixels: Sequence[Pixels]) -> Matrix:
        """Embed prepared photos; a single photo shares a batch with those of other threads."""
        if len(pixels) != 1:
            return super().embed_pixels(pixels)
        return self._queued(pixels[0], with_maps=False)[0]

    def embed_with_maps(self, pixels: Sequence[Pixels]) -> tuple[Matrix, Maps]:
        """Embed prepared photos and give their maps; a single photo shares a batch with those of other threads."""
        if len(pixels) != 1:
            return super().embed_with_maps(pixels)
        return self._queued(pixels[0], with_maps=True)

    def close(self) -> None:
        """Answer waiting callers, and release everything."""
        with self._starting:
            worker, self._worker = self._worker, None
        if worker is not None:
            self._queue.put(None)
            worker.join()
        super().close()

    def _queued(self, pixels: Pixels, *, with_maps: bool) -> tuple[Matrix, Maps]:
        self._start()
        future: Future[tuple[Matrix, Maps]] = Future()
        self._queue.put((pixels, with_maps, future))
        return future.result()

    def _start(self) -> None:
        with self._starting:
            if self._worker is None:
                self._worker = Thread(target=self._work, name="sartor-batch", daemon=True)
                self._worker.start()

    def _work(self) -> None:
        had_several = False
        while (first := self._queue.get()) is not None:
            try:
                batch, more = self._batch(first, window_s=self._window_s if had_several else 0.0)
            except BaseException as error:  # noqa: BLE001 - the network cannot be loaded, which its caller hears
                first[2].set_exception(error)
                continue
            had_several = len(batch) > 1
            self._answer(batch)
            if not more:
                return

    def _batch(self, first: _Waiting, *, window_s: float) -> tuple[list[_Waiting], bool]:
        """The waiting photos, and whether the queue goes on after them."""
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
        photos = [pixels for pixels, _, _ in batch]
        try:
            if any(with_maps for _, with_maps, _ in batch):
                vectors, maps = super().embed_with_maps(photos)
            else:
                vectors, maps = super().embed_pixels(photos), []
        except BaseException as error:  # noqa: BLE001 - the callers handle it
            for _, _, future in batch:
                future.set_exception(error)
            return
        for row, (_, _, future) in enumerate(batch):
            future.set_result((vectors[row : row + 1], [map_[row : row + 1] for map_ in maps]))
