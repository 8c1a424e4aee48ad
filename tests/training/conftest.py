"""A tiny catalog that a network can learn in seconds: shapes in colors, drawn by the test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.training.small import small_network

if TYPE_CHECKING:
    from collections.abc import Iterator

COLORS = {"Red": (200, 30, 30), "Blue": (30, 50, 200)}
SHAPES = ("Disc", "Bar")


def catalog_of(directory: Path, *, products: int = 60, broken: int = 0) -> Path:
    """A folder with photos of discs and bars on white, and their table."""
    rng = np.random.default_rng(5)
    (directory / "images").mkdir(parents=True)
    lines = ["id,image,title,shape,color"]
    for number in range(products):
        shape, color = SHAPES[number % 2], list(COLORS)[number // 2 % 2]
        image = Image.new("RGB", (48, 64), "white")
        left, top = rng.integers(4, 14, 2).tolist()
        box = (left, top, left + 28, top + 28) if shape == "Disc" else (left + 8, top, left + 16, top + 44)
        draw = ImageDraw.Draw(image)
        (draw.ellipse if shape == "Disc" else draw.rectangle)(box, fill=COLORS[color])
        image.save(directory / "images" / f"{number}.png")
        lines.append(f"p{number},images/{number}.png,{color} {shape},{shape},{color}")
    for number in range(broken):
        (directory / "images" / f"broken{number}.png").write_bytes(b"\x89PNG nothing")
        lines.append(f"b{number},images/broken{number}.png,broken,Disc,Red")
    (directory / "products.csv").write_text("\n".join(lines))
    return directory


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return catalog_of(tmp_path / "catalog")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Random weights of the small network, always the same; while they are there, it is known by its name."""
    with small_network() as network:
        from tools.random_weights import save_random_weights

        file = tmp_path_factory.mktemp("weights") / "random.weights.h5"
        save_random_weights(network, file, rng=np.random.default_rng(4))
        yield file
