"""The program that draws the demo catalog: products that were drawn, not photographed.

A plan decides which products there are and everything that the table says about them (``catalog.py``, ``lines/``).
Each product is drawn from smooth outlines, cloth and light (``canvas.py``, ``garments/``). The catalog is written
as a folder, or as the archive that the package ships (``write.py``). ``python -m tools.demo_catalog OUT`` runs it.
"""

from __future__ import annotations

from tools.demo_catalog.catalog import plan
from tools.demo_catalog.drawing import draw
from tools.demo_catalog.product import DemoProduct, Design
from tools.demo_catalog.write import write_archive, write_folder

__all__ = ["DemoProduct", "Design", "draw", "plan", "write_archive", "write_folder"]
