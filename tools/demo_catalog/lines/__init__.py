"""What lines of products the demo has: their forms, cloths, colors, and what they are worn for."""

from __future__ import annotations

from tools.demo_catalog.lines.carried import CARRIED
from tools.demo_catalog.lines.dresses import DRESSES
from tools.demo_catalog.lines.layers import LAYERS
from tools.demo_catalog.lines.legs import LEGS
from tools.demo_catalog.lines.line import Line
from tools.demo_catalog.lines.shoes import SHOES
from tools.demo_catalog.lines.tops import TOPS
from tools.demo_catalog.lines.worn import WORN

APPAREL: tuple[Line, ...] = (*TOPS, *LAYERS, *DRESSES, *LEGS)
FOOTWEAR: tuple[Line, ...] = SHOES
ACCESSORIES: tuple[Line, ...] = (*CARRIED, *WORN)

__all__ = ["ACCESSORIES", "APPAREL", "FOOTWEAR", "Line"]
