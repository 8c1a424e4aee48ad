"""A product's picture: on its canvas, and as a packshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tools.demo_catalog.canvas import WIDTH, Canvas
from tools.demo_catalog.fabric import Cloth
from tools.demo_catalog.garments import DRAWERS
from tools.demo_catalog.photo import packshot

if TYPE_CHECKING:
    from PIL import Image

    from tools.demo_catalog.product import DemoProduct


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
