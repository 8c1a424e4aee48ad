"""What runs on the processors of a cluster: a worker reads, decodes and embeds. It does not know Ray."""

from __future__ import annotations

import os
import pickle
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING

from sartor.encoders.encoder import Encoder
from sartor.errors import PhotoRejected, SartorError
from sartor.imaging.fetch import EncodedPhoto, read_photo
from sartor.ingest.photos import Embedded, PhotoEmbedder, ReadPhoto, Rejection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.encoders.base import LoadRuntime
    from sartor.encoders.card import ModelCard
    from sartor.imaging import Thumbnail, UrlPolicy
    from sartor.types import SourcePhoto

_READERS = 8  # threads of a worker that read; a photo by URL is mostly waited for
_CHANGED = "was changed while it was read; index its source again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network as it travels to the workers.

    Attributes:
        card: Its card.
        data: The bytes of its file.
        load: Loads the file into a runtime; a function that can be pickled.
    """

    card: ModelCard
    data: bytes
    load: LoadRuntime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """What a worker says when it is ready."""

    host: str
    pid: int
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A photo that a worker has read."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Embedded photos with their thumbnails, by SHA-256."""

    embedded: Embedded
    thumbnails: dict[str, Thumbnail]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Why a worker cannot do what it was asked for; our exceptions do not survive pickling."""

    reason: str


class _Thumbnails:
    """The thumbnails of a worker, until they go to the process that keeps them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._made: dict[str, list[Thumbnail]] = {}  # a photo may be in two steps at once

    def put(self, sha256: str, thumbnail: Thumbnail) -> str:
        """Remember a thumbnail; returns the file name that it will have."""
        with self._lock:
            self._made.setdefault(sha256, []).append(thumbnail)
        return f"{sha256}.{thumbnail.suffix}"

    def take(self, sha256: str) -> Thumbnail | None:
        """A thumbnail that was put, which is forgotten; None if there is none."""
        with self._lock:
            made = self._made.get(sha256)
            thumbnail = made.pop() if made else None
            if not made:
                self._made.pop(sha256, None)
            return thumbnail


class PhotoWorker:
    """What runs on the cluster, an actor for each processor; its methods are called from several threads."""

    def __init__(self, network: Network, *, pictures: bool) -> None:
        """With ``pictures``, thumbnails are made, too."""
        self._network, self._pictures = network, pictures
        self._held: dict[int, dict[str, EncodedPhoto]] = {}  # the photos that were read, by step and SHA-256
        self._thumbnails = _Thumbnails()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="sartor-read")
        self._lock = Lock()

    def hello(self) -> Hello:
        """Say that it is there, and where."""
        return Hello(host=socket.gethostname(), pid=os.getpid(), version=version("sartor"))

    def read(self, step: int, photos: bytes, urls: UrlPolicy) -> list[Seen | Rejection] | Failed:
        """Read the photos of a step and keep their bytes; what became of each, in their order."""
        read = self._read(photos, urls)
        if isinstance(read, Failed):
            return read
        self._held[step] = {photo.sha256: photo for photo in read if isinstance(photo, EncodedPhoto)}
        return [
            Seen(sha256=photo.sha256, size_bytes=len(photo.data)) if isinstance(photo, EncodedPhoto) else photo
            for photo in read
        ]

    def embed(self, step: int, wanted: Sequence[ReadPhoto]) -> Answer | Failed:
        """Embed photos of a step that was read, and forget the step."""
        return self._embed(self._held.pop(step), wanted)

    def embed_anew(self, photos: bytes, urls: UrlPolicy, wanted: Sequence[ReadPhoto]) -> Answer | Failed:
        """Read the photos of a step, which another worker may have had, and embed those that are wanted."""
        read = self._read(photos, urls)
        if isinstance(read, Failed):
            return read
        return self._embed({photo.sha256: photo for photo in read if isinstance(photo, EncodedPhoto)}, wanted)

    def forget(self, step: int) -> None:
        """Forget a step that was read."""
        self._held.pop(step, None)

    def leave(self) -> None:
        """Free what would outlive the process."""
        with self._lock:
            if "_embedder" in vars(self):
                self._embedder.close()
                self._directory.cleanup()

    def _read(self, photos: bytes, urls: UrlPolicy) -> list[EncodedPhoto | Rejection] | Failed:
        try:
            unread = pickle.loads(photos)  # noqa: S301 - from our own process, through Ray, which pickles all
        except (SartorError, OSError) as error:  # an archive that is not on this host
            return Failed(reason=str(error))
        return list(self._readers.map(partial(_read_one, urls=urls), unread))

    def _embed(self, held: Mapping[str, EncodedPhoto], wanted: Sequence[ReadPhoto]) -> Answer | Failed:
        photos = [held[photo.sha256] for photo in wanted if photo.sha256 in held]
        changed = [Rejection(photo=photo.name, reason=_CHANGED) for photo in wanted if photo.sha256 not in held]
        try:
            with self._lock:
                embedder = self._embedder
            embedded = embedder.start(photos).result()
        except SartorError as error:
            return Failed(reason=str(error))
        made = {photo.sha256: self._thumbnails.take(photo.sha256) for photo in photos}
        return Answer(
            embedded=replace(embedded, rejected=(*embedded.rejected, *changed)),
            thumbnails={sha256: thumbnail for sha256, thumbnail in made.items() if thumbnail is not None},
        )

    @cached_property
    def _embedder(self) -> PhotoEmbedder:
        """Loaded at the first photo: a run without new photos needs no network."""
        card, file = self._network.card, Path(self._directory.name) / "model.onnx"
        file.write_bytes(self._network.data)
        encoder = Encoder(card, partial(self._network.load, file, card))
        return PhotoEmbedder(encoder, media=self._thumbnails if self._pictures else None, decoders=1)

    @cached_property
    def _directory(self) -> TemporaryDirectory[str]:
        return TemporaryDirectory(prefix="sartor-ray-")


def _read_one(photo: SourcePhoto | EncodedPhoto, *, urls: UrlPolicy) -> EncodedPhoto | Rejection:
    if isinstance(photo, EncodedPhoto):
        return photo
    try:
        return read_photo(photo, urls=urls)
    except PhotoRejected as error:
        return Rejection(photo=error.photo, reason=error.reason)
