"""Readers of product sources: photos, tables and feeds, in folders and ZIP archives.

Start at ``opening`` for what is recognized, ``source`` for what is reported, ``archive`` for what is refused, and
``columns`` for what a column's name means.
"""

from sartor.catalog.archive import ZipLimits
from sartor.catalog.files import Origin
from sartor.catalog.opening import is_readable_name, open_source
from sartor.catalog.source import Finding, Findings, Source

__all__ = ["Finding", "Findings", "Origin", "Source", "ZipLimits", "is_readable_name", "open_source"]
