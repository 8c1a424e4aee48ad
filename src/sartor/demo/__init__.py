"""The demo catalog: products that were drawn, not photographed, to try a shop without anyone's photos.

A plan says which products there are and all that a catalog says of them (``catalog.py``); each is drawn
from smooth outlines, cloth and light (``canvas.py``, ``garments/``), and written as a folder that the project's
own readers take (``write.py``).
"""

from __future__ import annotations

from sartor.demo.drawing import draw
from sartor.demo.product import DemoProduct, Design
from sartor.demo.write import DemoCatalog, drawn_count, write_demo_catalog

__all__ = ["DemoCatalog", "DemoProduct", "Design", "draw", "drawn_count", "write_demo_catalog"]
