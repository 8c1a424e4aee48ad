"""The outlines of each article type, and what is sewn on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.demo.garments.backpacks import draw_backpack
from sartor.demo.garments.belts import draw_belt
from sartor.demo.garments.blazers import draw_blazer
from sartor.demo.garments.caps import draw_cap
from sartor.demo.garments.dresses import draw_dress
from sartor.demo.garments.eyewear import draw_sunglasses
from sartor.demo.garments.flats import draw_flat
from sartor.demo.garments.formal_shoes import draw_formal_shoe
from sartor.demo.garments.handbags import draw_handbag
from sartor.demo.garments.heels import draw_heel
from sartor.demo.garments.jackets import draw_jacket
from sartor.demo.garments.knitwear import draw_sweater, draw_sweatshirt
from sartor.demo.garments.scarves import draw_scarf
from sartor.demo.garments.shirts import draw_shirt
from sartor.demo.garments.shorts import draw_shorts
from sartor.demo.garments.skirts import draw_skirt
from sartor.demo.garments.sneakers import draw_sneaker
from sartor.demo.garments.tops import draw_top
from sartor.demo.garments.trousers import draw_jeans, draw_trousers
from sartor.demo.garments.tshirts import draw_tshirt
from sartor.demo.garments.watches import draw_watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from sartor.demo.canvas import Canvas
    from sartor.demo.fabric import Cloth
    from sartor.demo.product import Design

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
