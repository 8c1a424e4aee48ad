"""``sartor duplicates``: photos of the catalog that show the same thing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sartor.cli.options import Home, Json, Model, settings
from sartor.cli.output import counted, print_json, print_table
from sartor.cli.sheet import Sheet, require_sheet_name, tiles_of

if TYPE_CHECKING:
    from sartor.evaluation.sheets import Tile
    from sartor.pipelines.duplicates import DuplicatePhoto
    from sartor.shop import Shop

_SHOWN = 100  # groups on a sheet


def duplicates(*, sheet: Sheet = None, home: Home = None, model: Model = None, as_json: Json = False) -> None:
    """List photos of the catalog that show the same thing, identical files among them."""
    require_sheet_name(sheet)
    from sartor.assembly import open_shop

    with open_shop(settings(home=home, model=model)) as shop:
        groups = shop.duplicates()
        if sheet is not None:
            _write_sheet(sheet, shop, groups)
    if as_json:
        print_json({"groups": [[_as_json(each) for each in group] for group in groups]})
        return
    photos = sum(len(group) for group in groups)
    typer.echo(f"{counted(len(groups), 'group')} of {counted(photos, 'photo')} that look the same")
    print_table("", ("photos", "products", "title"), (_row(group) for group in groups))


def _row(group: tuple[DuplicatePhoto, ...]) -> tuple[str, str, str]:
    return str(len(group)), ", ".join(dict.fromkeys(each.product_id for each in group)), group[0].title


def _as_json(found: DuplicatePhoto) -> dict[str, str]:
    return {
        "product_id": found.product_id,
        "title": found.title,
        "photo": found.photo.name,
        "sha256": found.photo.sha256,
    }


def _write_sheet(sheet: Path, shop: Shop, groups: tuple[tuple[DuplicatePhoto, ...], ...]) -> None:
    from sartor.evaluation.sheets import SheetRow, write_sheet

    def tiles(*photos: DuplicatePhoto) -> tuple[Tile, ...]:
        return tuple(
            tile for found in photos for tile in tiles_of(shop, found.photo, found.product_id, found.title)
        )

    rows = [SheetRow(query=tiles(first), hits=tiles(*others)) for first, *others in groups[:_SHOWN]]
    write_sheet(sheet, rows)
    typer.echo(f"sheet of {counted(len(rows), 'group')} written to {sheet}", err=True)
