"""The demo catalog: products that were drawn, not photographed, to try a shop without anyone's photos."""

from __future__ import annotations

from sartor.demo.catalog import DemoCatalog, write_demo_catalog, written_count

__all__ = ["DemoCatalog", "write_demo_catalog", "written_count"]
