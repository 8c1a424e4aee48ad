"""A workspace to promote models in: photos labelled by color, and models that see all of it or but a part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.encoders.card import PixelScaling
from sartor.encoders.registry import ModelRegistry, sha256_of
from tests.fakes import COLOR_CARD, folder_of, various_colors
from tests.networks import color_network

if TYPE_CHECKING:
    from pathlib import Path

PRODUCTS = 300
_CHANNELS = ("red", "green", "blue")


def add_models(home: Path) -> None:
    """``seeing`` embeds a photo as its mean color, ``blind`` as a color without blue."""
    home.parent.mkdir(parents=True, exist_ok=True)
    file = color_network(home.parent / "color.onnx")
    for model_id, blue in (("seeing", 255.0), ("blind", 1e6)):
        changes = {
            "id": model_id,
            "sha256": sha256_of(file),
            "scaling": PixelScaling(mean=(0, 0, 0), std=(255, 255, blue)),
        }
        ModelRegistry(home / "models").add(file, COLOR_CARD.model_copy(update=changes))


def labelled_photos(directory: Path, count: int = PRODUCTS) -> Path:
    """A table of products, each labelled with the strongest channel of its photo."""
    colors = various_colors(count)
    folder_of(directory, colors)
    lines = [
        f"{name},{name}.png,{_CHANNELS[max(range(3), key=color.__getitem__)]}" for name, color in colors.items()
    ]
    (directory / "products.csv").write_text("\n".join(["id,image,family", *lines]))
    return directory / "products.csv"
