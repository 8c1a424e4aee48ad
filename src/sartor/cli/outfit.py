"""``sartor outfit``: complete the look for a product."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sartor.cli.options import (
    Device,
    Home,
    Json,
    MetricOption,
    Model,
    PrecisionOption,
    Sheet,
    Where,
    path_of,
    print_json,
    print_table,
    require_sheet_name,
    settings,
    tiles_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.evaluation.sheets import Tile
    from sartor.recommend.outfit.outfit import Outfit, WornProduct
    from sartor.shop import Shop


def outfit(
    products: Annotated[
        list[str], typer.Argument(metavar="PRODUCT...", help="Products of the catalog that are in the look.")
    ],
    *,
    slots: Annotated[
        str | None,
        typer.Option("--slots", metavar="A,B", help="Slots to fill, such as shoes,bag,jewelry,belt,outerwear."),
    ] = None,
    max_price: Annotated[
        float | None, typer.Option("--max-price", min=0, help="Maximum price of the added products in all.")
    ] = None,
    alternatives: Annotated[
        int, typer.Option("--alternatives", min=0, help="Number of further products to name for each slot.")
    ] = 3,
    where: Where = None,
    sheet: Sheet = None,
    home: Home = None,
    model: Model = None,
    metric: MetricOption = None,
    device: Device = None,
    precision: PrecisionOption = None,
    as_json: Json = False,
) -> None:
    """Complete the look: add to PRODUCTs a product that suits them for each other slot."""
    require_sheet_name(sheet)
    from sartor.recommend.filters import parse_where
    from sartor.wiring import open_shop

    with open_shop(settings(home=home, model=model, metric=metric, device=device, precision=precision)) as shop:
        look = shop.outfit(
            *products,
            slots=None if slots is None else [name for name in slots.split(",") if name.strip()],
            where=parse_where(where or ()),
            max_price=max_price,
            alternatives=alternatives,
        )
        if sheet is not None:
            _write_sheet(sheet, shop, look)
        print_json(_as_json(shop, look)) if as_json else _print(look)


def _print(look: Outfit) -> None:
    print_table(
        "",
        ("slot", "product", "title", "price", "suits", "why", "or"),
        (
            (
                str(piece.slot),
                piece.product_id,
                piece.title,
                "" if piece.price is None else f"{piece.price:g}",
                f"{piece.score:.2f}",
                " · ".join(piece.reasons),
                ", ".join(other.product_id for other in look.alternatives.get(piece.slot, ())),
            )
            for piece in (*look.given, *look.pieces)
        ),
    )
    price = "" if look.price is None or not look.pieces else f", {look.price:g} together"
    typer.echo(f"The pieces suit each other to {look.score:.0%}{price}.")
    if look.empty:
        typer.echo(f"Nothing fits for: {', '.join(look.empty)}.")


def _as_json(shop: Shop, look: Outfit) -> dict[str, Any]:
    def listed(pieces: Sequence[WornProduct]) -> list[dict[str, Any]]:
        return [
            {
                "slot": str(piece.slot),
                "product_id": piece.product_id,
                "title": piece.title,
                "price": piece.price,
                "score": round(piece.score, 4),
                "reasons": list(piece.reasons),
                "attributes": dict(piece.attributes),
                "photo": path_of(shop, piece.photo),
            }
            for piece in pieces
        ]

    return {
        "model": shop.model.id,
        "given": listed(look.given),
        "pieces": listed(look.pieces),
        "alternatives": {str(slot): listed(pieces) for slot, pieces in look.alternatives.items()},
        "empty": [str(slot) for slot in look.empty],
        "score": round(look.score, 4),
        "price": look.price,
    }


def _write_sheet(sheet: Path, shop: Shop, look: Outfit) -> None:
    from sartor.evaluation.sheets import SheetRow, write_sheet

    def tiles(pieces: Sequence[WornProduct]) -> tuple[Tile, ...]:
        return tuple(
            tile
            for piece in pieces
            for tile in tiles_of(shop, piece.photo, str(piece.slot), piece.product_id, piece.title)
        )

    write_sheet(sheet, [SheetRow(query=tiles(look.given), hits=tiles(look.pieces))])
    typer.echo(f"sheet written to {sheet}", err=True)
