"""The front door: a ``Shop`` has a catalog, a recommender, shoppers, an evaluator and models; see ``shop.py``."""

from __future__ import annotations

from sartor.shop.shop import Shop, Workspace

__all__ = ["Shop", "Workspace"]
