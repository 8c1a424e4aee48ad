"""``sartor looks``: the garments of a dressed person, each with what is similar to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sartor.cli.options import (
    AllowUrls,
    Device,
    Home,
    IncludeUnavailable,
    Json,
    Model,
    PrecisionOption,
    Sheet,
    Where,
    echo,
    guesses_json,
    print_json,
    require_sheet_name,
    settings,
    tiles_of,
)
from sartor.cli.similar import hit_json, print_hits
from sartor.limits import MAX_GARMENTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sartor.imaging.fetch import EncodedPhoto
    from sartor.recommend.boxes import GarmentBox, GarmentHits
    from sartor.shop import Shop


def looks(
    photo: Annotated[str, typer.Argument(metavar="PHOTO", help="Image file of a dressed person.")],
    *,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="Number of products for each garment.")] = 5,
    limit: Annotated[
        int, typer.Option("--garments", min=1, max=MAX_GARMENTS, help="Number of garments at most.")
    ] = MAX_GARMENTS,
    where: Where = None,
    include_unavailable: IncludeUnavailable = None,
    sheet: Sheet = None,
    home: Home = None,
    model: Model = None,
    device: Device = None,
    precision: PrecisionOption = None,
    allow_urls: AllowUrls = None,
    as_json: Json = False,
) -> None:
    """Find the garments on PHOTO, and the products that look most like each."""
    require_sheet_name(sheet)
    from sartor.recommend.filters import parse_where
    from sartor.wiring import open_shop

    conditions = parse_where(where or ())
    chosen = settings(home=home, model=model, device=device, precision=precision, allow_urls=allow_urls)
    with open_shop(chosen) as shop:
        query = shop.read(photo)
        garments = shop.looks(query, k=k, where=conditions, limit=limit, include_unavailable=include_unavailable)
        if sheet is not None:
            _write_sheet(sheet, shop, query, garments)
        if as_json:
            print_json({"model": shop.model.id, "garments": [_garment_json(shop, each) for each in garments]})
        else:
            _print(garments)


def _print(garments: Sequence[GarmentHits]) -> None:
    for each in garments:
        echo(f"{_named(each.garment)}, at {_place(each.garment)}")
        print_hits(each.found)


def _named(garment: GarmentBox) -> str:
    return f"{garment.name} {garment.probability:.0%}" if garment.name else "Something"


def _place(garment: GarmentBox) -> str:
    """The region as ``sartor similar --box`` takes it."""
    return ",".join(f"{share:.2f}" for share in garment.box)


def _garment_json(shop: Shop, each: GarmentHits) -> dict[str, Any]:
    return {
        "box": [round(share, 4) for share in each.garment.box],
        "name": each.garment.name,
        "probability": round(each.garment.probability, 4),
        "slot": each.garment.slot,
        "kind": each.found.kind,
        "verdict": each.found.verdict,
        "good": each.found.good,
        "seen": {"predicted": guesses_json(each.found.seen.predicted), "colors": list(each.found.seen.colors)},
        "hits": [hit_json(shop, hit) for hit in each.found],
    }


def _write_sheet(sheet: Path, shop: Shop, query: EncodedPhoto, garments: Sequence[GarmentHits]) -> None:
    """A row for each garment: its region of the photo, and its hits; the first row has the boxes on the photo."""
    from PIL import ImageDraw

    from sartor.evaluation.sheets import SheetRow, Tile, write_sheet
    from sartor.recommend.boxes import pixels_of

    image = Tile.of_photo(query.data, caption=()).image
    boxed = image.copy()
    for each in garments:
        ImageDraw.Draw(boxed).rectangle(pixels_of(each.garment.box, image.size), outline="#b3472d", width=3)
    rows = []
    for number, each in enumerate(garments):
        crop = image.crop(pixels_of(each.garment.box, image.size))
        region = Tile(image=crop, caption=(_named(each.garment), ", ".join(each.found.seen.colors)))
        hits = [tile for hit in each.found for tile in tiles_of(shop, hit.photo, hit.product_id, hit.title)]
        whole = () if number else (Tile(image=boxed, caption=(query.name.rsplit("/", 1)[-1],)),)
        rows.append(SheetRow(query=(*whole, region), hits=tuple(hits)))
    write_sheet(sheet, rows)
    echo(f"sheet written to {sheet}", err=True)
