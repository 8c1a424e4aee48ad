"""The outlines of each article type, and what is sewn on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.garments.backpacks import draw_backpack
from tools.demo_catalog.garments.belts import draw_belt
from tools.demo_catalog.garments.blazers import draw_blazer
from tools.demo_catalog.garments.caps import draw_cap
from tools.demo_catalog.garments.dresses import draw_dress
from tools.demo_catalog.garments.eyewear import draw_sunglasses
from tools.demo_catalog.garments.flats import draw_flat
from tools.demo_catalog.garments.formal_shoes import draw_formal_shoe
from tools.demo_catalog.garments.handbags import draw_handbag
from tools.demo_catalog.garments.heels import draw_heel
from tools.demo_catalog.garments.jackets import draw_jacket
from tools.demo_catalog.garments.knitwear import draw_sweater, draw_sweatshirt
from tools.demo_catalog.garments.scarves import draw_scarf
from tools.demo_catalog.garments.shirts import draw_shirt
from tools.demo_catalog.garments.shorts import draw_shorts
from tools.demo_catalog.garments.skirts import draw_skirt
from tools.demo_catalog.garments.sneakers import draw_sneaker
from tools.demo_catalog.garments.tops import draw_top
from tools.demo_catalog.garments.trousers import draw_jeans, draw_trousers
from tools.demo_catalog.garments.tshirts import draw_tshirt
from tools.demo_catalog.garments.watches import draw_watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design

    Drawer = Callable[[Canvas, Design, Cloth], None]

DRAWERS: dict[str, Drawer] = {
    "Backpacks": draw_backpack,
    "Belts": draw_belt,
    "Blazers": draw_blazer,
    "Caps": draw_cap,
    "Casual Shoes": draw_sneaker,
    "Dresses": draw_dress,
    "Flats": draw_flat,
    "Formal Shoes": draw_formal_shoe,
    "Handbags": draw_handbag,
    "Heels": draw_heel,
    "Jackets": draw_jacket,
    "Jeans": draw_jeans,
    "Scarves": draw_scarf,
    "Shirts": draw_shirt,
    "Shorts": draw_shorts,
    "Skirts": draw_skirt,
    "Sunglasses": draw_sunglasses,
    "Sweaters": draw_sweater,
    "Sweatshirts": draw_sweatshirt,
    "Tops": draw_top,
    "Trousers": draw_trousers,
    "Tshirts": draw_tshirt,
    "Watches": draw_watch,
}

__all__ = ["DRAWERS"]
