"""``sartor outfit``, ``for-you`` and ``trending``: what to recommend beside a product and to a shopper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sartor.cli.options import (
    Device,
    Home,
    IncludeUnavailable,
    Json,
    MetricOption,
    Model,
    PrecisionOption,
    Sheet,
    Where,
    echo,
    guesses_json,
    path_of,
    print_json,
    print_table,
    require_sheet_name,
    settings,
    tiles_of,
    title_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.evaluation.sheets import Tile
    from sartor.events.model import Person
    from sartor.recommend.base import Feed
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
    include_unavailable: IncludeUnavailable = None,
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

    with open_shop(
        settings(
            home=home,
            model=model,
            metric=metric,
            device=device,
            precision=precision,
            include_unavailable=include_unavailable,
        )
    ) as shop:
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
                title_text(piece.title, is_predicted=piece.title_predicted),
                "" if piece.price is None else f"{piece.price:g}",
                f"{piece.score:.2f}",
                " · ".join(piece.reasons),
                ", ".join(other.product_id for other in look.alternatives.get(piece.slot, ())),
            )
            for piece in (*look.given, *look.pieces)
        ),
    )
    price = "" if look.price is None or not look.pieces else f", {look.price:g} together"
    echo(f"The pieces suit each other to {look.score:.0%}{price}.")
    if look.empty:
        echo(f"Nothing fits for: {', '.join(look.empty)}.")


def _as_json(shop: Shop, look: Outfit) -> dict[str, Any]:
    def listed(pieces: Sequence[WornProduct]) -> list[dict[str, Any]]:
        return [
            {
                "slot": str(piece.slot),
                "product_id": piece.product_id,
                "title": piece.title,
                "title_predicted": piece.title_predicted,
                "predicted": guesses_json(piece.predicted),
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
    echo(f"sheet written to {sheet}", err=True)


Length = Annotated[int, typer.Option("-k", min=1, max=1000, metavar="N", help="Number of products.")]


_DAY_S = 86_400
_MAX_RECENT = 6  # favorites and viewed products on a sheet
_FROM = {
    "history": "from what {name} did and what others did",
    "context": "nothing is known of {name}: what people like and what is new there",
    "trending": "nothing is known of {name}: what people like lately",
    "newest": "nothing is known of {name}, nor of others: what is new",
}


def for_you(
    person: Annotated[str, typer.Argument(metavar="USER", help="Id of a user, or of a visitor with --visitor.")],
    *,
    k: Length = 12,
    where: Where = None,
    include_unavailable: IncludeUnavailable = None,
    context: Annotated[
        list[str] | None,
        typer.Option(
            "--context",
            metavar="KEY=VALUE",
            help="What the shopper looks at now; decides if nothing else is known.",
        ),
    ] = None,
    diversity: Annotated[
        float | None, typer.Option("--diversity", min=0, max=1, help="0 is best first, 1 is most varied.")
    ] = None,
    visitor: Annotated[bool, typer.Option("--visitor", help="USER is the id of a visitor.")] = False,
    sheet: Sheet = None,
    home: Home = None,
    model: Model = None,
    device: Device = None,
    precision: PrecisionOption = None,
    as_json: Json = False,
) -> None:
    """Recommend products to USER, based on the events in the workspace."""
    require_sheet_name(sheet)
    from sartor.events.model import Person
    from sartor.recommend.filters import parse_where
    from sartor.wiring import open_shop

    with open_shop(
        settings(
            home=home,
            model=model,
            device=device,
            precision=precision,
            include_unavailable=include_unavailable,
        )
    ) as shop:
        who = Person.visitor(person) if visitor else Person.user(person)
        feed = shop.for_user(
            who,
            k=k,
            where=parse_where(where or ()),
            context=parse_where(context or ()),
            diversity=diversity,
        )
        if sheet is not None:
            _write_feed_sheet(sheet, shop, who, feed)
        if as_json:
            print_json(_feed_json(shop, feed))
            return
    _print_feed(feed, _FROM[feed.based_on].format(name=person))


def trending(
    *,
    k: Length = 12,
    days: Annotated[
        float, typer.Option("--days", min=0.01, max=365, help="Number of last days whose events count.")
    ] = 7,
    where: Where = None,
    include_unavailable: IncludeUnavailable = None,
    home: Home = None,
    model: Model = None,
    as_json: Json = False,
) -> None:
    """List the products that shoppers like most lately."""
    from sartor.recommend.filters import parse_where
    from sartor.wiring import open_shop

    with open_shop(settings(home=home, model=model, include_unavailable=include_unavailable)) as shop:
        feed = shop.trending(k=k, window_s=days * _DAY_S, where=parse_where(where or ()))
        if as_json:
            print_json(_feed_json(shop, feed))
            return
    which = " of products that pass the filter" if where else ""
    _print_feed(feed, f"in {days:g} days" if feed else f"there are no events of the last {days:g} days{which}")


def _print_feed(feed: Feed, remark: str) -> None:
    print_table(
        "",
        ("product", "title", "score", "why"),
        (
            (
                hit.product_id,
                title_text(hit.title, is_predicted=hit.title_predicted),
                f"{hit.score:.3f}",
                " · ".join(hit.reasons),
            )
            for hit in feed
        ),
    )
    echo(remark)


def _feed_json(shop: Shop, feed: Feed) -> dict[str, Any]:
    return {
        "model": shop.model.id,
        "based_on": str(feed.based_on),
        "hits": [
            {
                "product_id": hit.product_id,
                "title": hit.title,
                "title_predicted": hit.title_predicted,
                "predicted": guesses_json(hit.predicted),
                "score": round(hit.score, 4),
                "reasons": list(hit.reasons),
                "variants": list(hit.variants),
                "attributes": dict(hit.attributes),
                "photo": path_of(shop, hit.photo),
            }
            for hit in feed
        ],
    }


def _write_feed_sheet(sheet: Path, shop: Shop, person: Person, feed: Feed) -> None:
    """The products that the person liked or viewed last, beside the feed."""
    from sartor.described import title_of
    from sartor.evaluation.sheets import SheetRow, write_sheet

    recent = (*shop.favorites(person), *shop.recently_viewed(person, k=_MAX_RECENT))
    by_id = {stored.product.id: stored for stored in recent}
    query = tuple(
        tile
        for stored in list(by_id.values())[:_MAX_RECENT]
        for tile in tiles_of(
            shop, stored.photos[0], title_of(stored.product, stored.predicted).text, stored.product.id
        )
    )
    hits = tuple(
        tile for hit in feed for tile in tiles_of(shop, hit.photo, hit.title, *hit.reasons, hit.product_id)
    )
    write_sheet(sheet, [SheetRow(query=query, hits=hits)])
    echo(f"sheet written to {sheet}", err=True)
