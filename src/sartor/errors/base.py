"""The root of the family."""

from __future__ import annotations


class SartorError(Exception):
    """Base of all errors that Sartor raises on purpose; its text is one line for a person."""
