"""``sartor similar``: the products that look most like a photo or a product."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sartor.cli.options import AllowUrls, Device, Home, Json, MetricOption, Model, PrecisionOption, settings
from sartor.cli.output import print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.evaluation.sheets import Tile
    from sartor.pipelines.photos import EncodedPhoto
    from sartor.shop import Shop
    from sartor.types import Hit

_SHEETS = (".html", ".png")


def similar(
    photos: Annotated[
        list[str] | None, typer.Argument(metavar="PHOTO...", help="Image files; several count as one query.")
    ] = None,
    *,
    product: Annotated[
        str | None, typer.Option("--product", metavar="ID", help="A product of the catalog as the query.")
    ] = None,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="How many products.")] = 5,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="KEY=VALUE", help="Filter: key=a, key=a,b or key=10..50; repeatable."),
    ] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Compare with every photo, not by the index.")] = False,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", metavar="FILE", help="Write a contact sheet, .html or .png.")
    ] = None,
    home: Home = None,
    model: Model = None,
    metric: MetricOption = None,
    device: Device = None,
    precision: PrecisionOption = None,
    allow_urls: AllowUrls = None,
    as_json: Json = False,
) -> None:
    """Find the products of the catalog that look most like PHOTOs, the query itself left out."""
    if sheet is not None and sheet.suffix.lower() not in _SHEETS:
        message = f"a sheet is an .html or .png file, not {sheet.name}"
        raise typer.BadParameter(message)
    from sartor.assembly import open_shop
    from sartor.recommend.filters import parse_where

    conditions = parse_where(where or ())
    chosen = settings(
        home=home, model=model, metric=metric, device=device, precision=precision, allow_urls=allow_urls
    )
    with open_shop(chosen) as shop:
        queries = [shop.read(photo) for photo in photos or ()]
        hits = shop.similar(*queries, product=product, k=k, where=conditions, exact=exact)
        if sheet is not None:
            _write_sheet(sheet, shop, _query_tiles(shop, queries, product), hits)
        _print_json(shop, hits) if as_json else _print(hits)


def _print_json(shop: Shop, hits: Sequence[Hit]) -> None:
    print_json(
        {
            "model": shop.model.id,
            "hits": [
                {
                    "product_id": hit.product_id,
                    "score": round(hit.score, 6),
                    "title": hit.title,
                    "attributes": dict(hit.attributes),
                    "photo": str(shop.thumbnail(hit.photo)),
                }
                for hit in hits
            ],
        }
    )


def _print(hits: Sequence[Hit]) -> None:
    if not hits:
        typer.echo("No product passes the filter.")
    print_table(
        "",
        ("product", "score", "title", "attributes"),
        (
            (
                hit.product_id,
                f"{hit.score:.3f}",
                hit.title,
                " · ".join(str(value) for value in hit.attributes.values()),
            )
            for hit in hits
        ),
    )


def _query_tiles(shop: Shop, photos: list[EncodedPhoto], product: str | None) -> list[Tile]:
    from sartor.evaluation.sheets import Tile

    tiles = [Tile.of_photo(photo.data, caption=(Path(photo.name).name,)) for photo in photos]
    if product is not None:
        stored = shop.product(product)
        caption = (product, stored.product.title)
        tiles += [Tile.of_photo(shop.thumbnail(photo).read_bytes(), caption=caption) for photo in stored.photos]
    return tiles


def _write_sheet(sheet: Path, shop: Shop, queries: list[Tile], hits: Sequence[Hit]) -> None:
    from sartor.evaluation.sheets import SheetRow, Tile, write_sheet

    tiles = [
        Tile.of_photo(
            shop.thumbnail(hit.photo).read_bytes(), caption=(f"{hit.score:.3f}", hit.product_id, hit.title)
        )
        for hit in hits
    ]
    write_sheet(sheet, [SheetRow(query=tuple(queries), hits=tuple(tiles))])
    typer.echo(f"sheet written to {sheet}", err=True)
