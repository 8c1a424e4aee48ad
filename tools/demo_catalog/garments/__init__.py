"""The outlines of each article type, and what is sewn on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.garments.accessories import draw_belt, draw_scarf, draw_watch
from tools.demo_catalog.garments.bags import draw_backpack, draw_handbag
from tools.demo_catalog.garments.dress_shoes import draw_flat, draw_formal_shoe, draw_heel
from tools.demo_catalog.garments.dresses import draw_dress, draw_skirt
from tools.demo_catalog.garments.headwear import draw_cap, draw_sunglasses
from tools.demo_catalog.garments.jackets import draw_blazer, draw_jacket
from tools.demo_catalog.garments.knitwear import draw_sweater, draw_sweatshirt
from tools.demo_catalog.garments.legs import draw_jeans, draw_shorts, draw_trousers
from tools.demo_catalog.garments.sneakers import draw_sneaker
from tools.demo_catalog.garments.tops import draw_shirt, draw_top, draw_tshirt

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
