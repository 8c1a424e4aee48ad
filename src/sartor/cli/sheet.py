"""The option for a contact sheet, and the pictures of the catalog on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sartor.evaluation.sheets import Tile
    from sartor.shop import Shop
    from sartor.types import Photo

_SUFFIXES = (".html", ".png")

Sheet = Annotated[
    Path | None, typer.Option("--sheet", metavar="FILE", help="Write a contact sheet, .html or .png.")
]


def require_sheet_name(sheet: Path | None) -> None:
    """Refuse a file of another kind, before anything is done."""
    if sheet is not None and sheet.suffix.lower() not in _SUFFIXES:
        message = f"a sheet is an .html or .png file, not {sheet.name}"
        raise typer.BadParameter(message)


def tiles_of(shop: Shop, photo: Photo, *caption: str) -> list[Tile]:
    """The tile of a photo of the catalog; none where only its vector was imported."""
    from sartor.evaluation.sheets import Tile

    return [Tile.of_photo(shop.thumbnail(photo).read_bytes(), caption=caption)] if photo.has_picture else []


def path_of(shop: Shop, photo: Photo) -> str | None:
    """Where a photo of the catalog is kept; None where only its vector was imported."""
    return str(shop.thumbnail(photo)) if photo.has_picture else None
