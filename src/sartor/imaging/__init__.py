"""Photos: fetched, decoded safely, reduced, and described by colors and fingerprints."""

from __future__ import annotations

from sartor.imaging.bare import bare_photo
from sartor.imaging.decode import DecodedPhoto, DecodeLimits, decode
from sartor.imaging.fetch import UrlPolicy, fetch_photo, is_public
from sartor.imaging.thumbnail import Thumbnail, make_thumbnail, reduced, without_metadata

__all__ = [
    "DecodeLimits",
    "DecodedPhoto",
    "Thumbnail",
    "UrlPolicy",
    "bare_photo",
    "decode",
    "fetch_photo",
    "is_public",
    "make_thumbnail",
    "reduced",
    "without_metadata",
]
