"""Photos decoded once and kept small in one memory-mapped file.

Each pixel has red, green, blue, and whether it belongs to the product: a white background that reaches the photo's
edge does not. A fingerprint of each photo finds those that look the same.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from sartor.errors import PhotoRejected
from sartor.imaging import decode
from sartor.ingest.photos import batched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

Pixels: TypeAlias = npt.NDArray[np.uint8]  # (h, w, 4): red, green, blue, 255 where the product is

_MIN_WHITE = 244  # of all channels; JPEG leaves a white background between 246 and 255
_MIN_PRODUCT = 0.04  # a mask that leaves less is a white product on white: none is used
_BLOCK = 256  # photos that are decoded before they are written
_FINGERPRINT_PX = 16
_MIN_STEP = 2  # levels of gray; smaller steps are noise of the compression


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedPhoto:
    """A photo in the cache.

    Attributes:
        offset: Of its first byte in the file.
        height_px: Height in the cache.
        width_px: Width in the cache.
        masked: Whether it has a white background.
        fingerprint: The same for photos that look the same.
    """

    offset: int
    height_px: int
    width_px: int
    masked: bool
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedSource:
    """A photo of a source: a unique key, its name, and its bytes on demand."""

    key: str
    name: str
    read: Callable[[], bytes]


class PhotoCache:
    """Small photos by key, in one file; reading one copies nothing."""

    def __init__(self, directory: Path) -> None:
        """Open what ``build`` made."""
        entries = json.loads((directory / "photos.json").read_text(encoding="utf-8"))
        self.photos = {key: CachedPhoto(**entry) for key, entry in entries["photos"].items()}
        self.rejected: dict[str, str] = entries["rejected"]
        file = directory / "photos.bin"
        self._bytes = (
            np.memmap(file, dtype=np.uint8, mode="r") if file.stat().st_size else np.empty(0, dtype=np.uint8)
        )

    def pixels(self, key: str) -> Pixels:
        """The pixels of a photo, ``(h, w, 4)``."""
        photo = self.photos[key]
        size = photo.height_px * photo.width_px * 4
        flat = self._bytes[photo.offset : photo.offset + size]
        return np.asarray(flat).reshape(photo.height_px, photo.width_px, 4)

    @classmethod
    def is_complete(cls, directory: Path) -> bool:
        """Whether a build of it was finished."""
        return (directory / "photos.json").is_file()

    @classmethod
    def build(
        cls,
        directory: Path,
        photos: Iterable[EncodedSource],
        *,
        side_px: int,
        on_progress: Callable[[int], None] = lambda _: None,
    ) -> PhotoCache:
        """Decode photos and write them; ``rejected`` has those that cannot be used, with the reason.

        Args:
            directory: Where to write; has to exist.
            photos: What to read; of several with the same key the first counts.
            side_px: Maximum side; larger photos are stretched to a square of it.
            on_progress: Called with the number of photos done.
        """
        entries: dict[str, CachedPhoto] = {}
        rejected: dict[str, str] = {}
        done = offset = 0
        with (directory / "photos.bin").open("wb") as file, ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            for block in batched(photos, _BLOCK):
                for (key, name), prepared in zip(
                    ((photo.key, photo.name) for photo in block),
                    pool.map(lambda photo: _prepare(photo, side_px=side_px), block),
                    strict=True,
                ):
                    if isinstance(prepared, str):
                        rejected[name] = prepared
                        continue
                    if key in entries:
                        continue
                    pixels, fingerprint = prepared
                    height_px, width_px, _ = pixels.shape
                    entries[key] = CachedPhoto(
                        offset=offset,
                        height_px=height_px,
                        width_px=width_px,
                        masked=bool((pixels[..., 3] == 0).any()),
                        fingerprint=fingerprint,
                    )
                    offset += file.write(pixels.tobytes())
                done += len(block)
                on_progress(done)
        content = {"photos": {key: asdict(photo) for key, photo in entries.items()}, "rejected": rejected}
        draft = directory / "photos.json.part"
        draft.write_text(json.dumps(content), encoding="utf-8")
        draft.replace(directory / "photos.json")
        return cls(directory)


def product_mask(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """255 for the product, 0 for white that reaches the photo's edge; ``(h, w, 3)`` to ``(h, w)``.

    All 255 for a photo without white background, and if next to nothing would be left.
    """
    white = rgb.min(axis=2) >= _MIN_WHITE
    edge = np.zeros_like(white)
    edge[0], edge[-1], edge[:, 0], edge[:, -1] = True, True, True, True
    background = ndimage.binary_propagation(edge & white, mask=white)
    if background.mean() > 1 - _MIN_PRODUCT:
        background[:] = False
    return np.where(background, 0, 255).astype(np.uint8)


def _prepare(photo: EncodedSource, *, side_px: int) -> tuple[Pixels, str] | str:
    try:
        image = decode(photo.read(), name=photo.name, fit_px=side_px).image
    except PhotoRejected as error:
        return error.reason
    if max(image.size) > side_px:
        image = image.resize((side_px, side_px), Image.Resampling.BOX, reducing_gap=2.0)
    rgb = np.asarray(image)
    return np.dstack([rgb, product_mask(rgb)]), _fingerprint(image)


def _fingerprint(image: Image.Image) -> str:
    """Signs of the brightness steps from left to right, and the mean color in steps of 16.

    Source: the difference hash of N. Krawetz, "Kind of Like That" (2013), at 16 x 16.
    """
    gray = np.asarray(
        image.convert("L").resize((_FINGERPRINT_PX + 1, _FINGERPRINT_PX), Image.Resampling.BOX), np.int16
    )
    steps = np.packbits(np.diff(gray, axis=1) > _MIN_STEP).tobytes().hex()
    color = (np.asarray(image.resize((1, 1), Image.Resampling.BOX))[0, 0] // 16).tolist()
    return f"{steps}-{color[0]:x}{color[1]:x}{color[2]:x}"
