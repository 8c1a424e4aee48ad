"""The pages that a shopper opens: rendered here, whole without JavaScript, each state under its own address."""

from __future__ import annotations

from sartor.storefront.routes import add_storefront

__all__ = ["add_storefront"]
