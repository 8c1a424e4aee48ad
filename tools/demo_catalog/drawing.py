"""A product's picture: on its canvas, and as a packshot on white with a soft shadow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tools.demo_catalog.canvas import WIDTH, Canvas
from tools.demo_catalog.fabric import Cloth
from tools.demo_catalog.garments import DRAWERS
from tools.demo_catalog.shading import doubled, halved, soften

if TYPE_CHECKING:
    import numpy.typing as npt

    from tools.demo_catalog.product import DemoProduct

    Floats = npt.NDArray[Any]  # of float32


def draw(product: DemoProduct, *, width_px: int = WIDTH) -> Image.Image:
    """The packshot of a product, three wide to four high; the same whenever it is drawn."""
    return packshot(cut_out(product, width_px=width_px))


def cut_out(product: DemoProduct, *, width_px: int = WIDTH) -> Canvas:
    """A product without ground, in the middle of its canvas."""
    design = product.design
    rng = np.random.default_rng(design.seed)
    canvas = Canvas(rng=rng, width_px=width_px)
    cloth = Cloth(
        colors=(product.shade.rgb, *product.accents),
        motif=design.motif,
        fabric=design.fabric,
        phase=(0.0, 0.0)
        if design.motif == "colorblock"
        else (float(rng.uniform(0, 60)), float(rng.uniform(0, 60))),
    )
    DRAWERS[design.article_type](canvas, design, cloth)
    canvas.center()
    return canvas


_MARGIN = 0.025  # of the photo's height stays clean white at its edges


def packshot(canvas: Canvas) -> Image.Image:
    """A photo as a shop shows it."""
    ground = (1 - packshot_shadow(canvas.alpha)) * (1 - canvas.alpha)
    photo = canvas.rgb + ground[..., None]
    photo *= 255
    photo += 0.5
    return Image.fromarray(np.clip(photo, 0, 255, out=photo).astype(np.uint8))


def packshot_shadow(alpha: Floats) -> Floats:
    """How dark the ground is around what stands or lies on it, ``(h, w)``: near it, and wide below it."""
    height, width = alpha.shape
    unit = height / 640
    small = halved(alpha)
    near, wide = soften(small, 2 * unit), soften(small, 6.5 * unit)
    shadow = 0.2 * _moved(near, 1.5 * unit, unit) + 0.2 * _moved(wide, 5 * unit, 2.5 * unit)
    fade = _edge_fade(height)[:, None] * _edge_fade(width)[None, :]
    return np.asarray(np.clip(doubled(shadow, alpha.shape) * fade, 0, 1))


def _moved(field: Floats, down: float, right: float) -> Floats:
    rows, columns = round(down), round(right)
    moved = np.zeros_like(field)
    moved[rows:, columns:] = field[: len(field) - rows, : field.shape[1] - columns]
    return moved


def _edge_fade(count: int) -> Floats:
    position = (np.arange(count, dtype=np.float32) + 0.5) / count
    return np.clip(np.minimum(position, 1 - position) / _MARGIN, 0, 1)
