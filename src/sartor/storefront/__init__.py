"""The pages for shoppers: rendered on the server, usable without JavaScript, each state under its own address."""

from __future__ import annotations

from sartor.storefront.routes import add_storefront

__all__ = ["add_storefront"]
