"""Stand-ins with answers that can be computed by hand: photos of one color, and what embeds them."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from sartor.choices import Layout, Scaling
from sartor.config import Settings
from sartor.encoders.add import ModelSpec
from sartor.encoders.card import ModelCard, PixelScaling
from sartor.encoders.encoder import Encoder
from sartor.encoders.heads import Heads
from sartor.recommend.features import FeatureBuilder
from sartor.shop.library import add_model
from tests.networks import SIDE_PX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sartor.encoders.base import Pixels
    from sartor.types import Matrix

Color = tuple[int, int, int]

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)

COLOR_CARD = ModelCard(
    id="color",
    sha256="0" * 64,
    size_px=(SIDE_PX, SIDE_PX),
    layout=Layout.NHWC,
    scaling=PixelScaling.named(Scaling.UNIT),
    output="embedding",
    dimension=3,
)

NO_HEADS = Heads((), {}, scale=1.0)
COMPOSER = FeatureBuilder("m", NO_HEADS)


class ColorRuntime:
    """Gives the mean color of each photo, and counts what it is asked."""

    description = "mean color"
    streams = 2
    batch_size = 4

    def __init__(self) -> None:
        self.photos = 0

    def infer(self, pixels: Pixels) -> Matrix:
        self.photos += len(pixels)
        return pixels.reshape(len(pixels), -1, 3).mean(axis=1).astype(np.float32) / 255

    def infer_outputs(self, pixels: Pixels, names: Sequence[str]) -> dict[str, Matrix]:
        return dict.fromkeys(names, self.infer(pixels))


def color_encoder() -> Encoder:
    return Encoder(COLOR_CARD, ColorRuntime)


def photo(color: Color, *, side_px: int = 40, format_: str = "PNG") -> bytes:
    """A photo of one color."""
    stream = BytesIO()
    Image.new("RGB", (side_px, side_px), color).save(stream, format_)
    return stream.getvalue()


def folder_of(directory: Path, photos: Mapping[str, Color]) -> Path:
    """A folder of photos of one color each: ``{"red": (255, 0, 0)}`` makes ``red.png``."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, color in photos.items():
        (directory / f"{name}.png").write_bytes(photo(color))
    return directory


def unit(*numbers: float) -> Matrix:
    """A vector of norm 1 in the direction of the numbers."""
    vector = np.array(numbers, np.float32)
    return vector / np.linalg.norm(vector)


def various_colors(count: int) -> dict[str, Color]:
    """Colors that differ in direction, not only in brightness."""
    rng = np.random.default_rng(7)
    return {f"p{number:03}": tuple(int(part) for part in rng.integers(10, 256, 3)) for number in range(count)}


def add(home: Path, network: Path, model_id: str, *, scaling: str = "unit") -> None:
    """Add a network whose embedding is a photo's mean color, as ``networks.color_network`` makes it."""
    spec = ModelSpec(id=model_id, scaling=PixelScaling.named(Scaling(scaling)), output="embedding")
    add_model(Settings(home=home), network, spec)
