"""What is recommended to a person rather than for a query: products in order, and what they are based on."""

from __future__ import annotations
