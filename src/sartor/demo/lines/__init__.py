"""What lines of products the demo has: their forms, cloths, colors, and what they are worn for."""

from __future__ import annotations

from sartor.demo.lines.carried import CARRIED
from sartor.demo.lines.dresses import DRESSES
from sartor.demo.lines.layers import LAYERS
from sartor.demo.lines.legs import LEGS
from sartor.demo.lines.line import Line
from sartor.demo.lines.shoes import SHOES
from sartor.demo.lines.tops import TOPS
from sartor.demo.lines.worn import WORN

APPAREL: tuple[Line, ...] = (*TOPS, *LAYERS, *DRESSES, *LEGS)
FOOTWEAR: tuple[Line, ...] = SHOES
ACCESSORIES: tuple[Line, ...] = (*CARRIED, *WORN)

__all__ = ["ACCESSORIES", "APPAREL", "FOOTWEAR", "Line"]
