"""What lines of products the demo has: their forms, cloths, colors, and what they are worn for."""

from __future__ import annotations

from tools.demo_catalog.lines.accessories import CARRIED, WORN
from tools.demo_catalog.lines.legs import DRESSES, LEGS
from tools.demo_catalog.lines.line import Line
from tools.demo_catalog.lines.shoes import SHOES
from tools.demo_catalog.lines.tops import LAYERS, TOPS

APPAREL: tuple[Line, ...] = (*TOPS, *LAYERS, *DRESSES, *LEGS)
FOOTWEAR: tuple[Line, ...] = SHOES
ACCESSORIES: tuple[Line, ...] = (*CARRIED, *WORN)

__all__ = ["ACCESSORIES", "APPAREL", "FOOTWEAR", "Line"]
