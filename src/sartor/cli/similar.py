"""``sartor similar`` and ``sartor duplicates``: products that look like a query, and photos that look the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sartor.cli.options import (
    AllowUrls,
    Device,
    Home,
    IncludeUnavailable,
    Json,
    MetricOption,
    Model,
    PrecisionOption,
    Sheet,
    Where,
    counted,
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
from sartor.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.evaluation.sheets import Tile
    from sartor.imaging.fetch import EncodedPhoto
    from sartor.recommend.duplicates import DuplicatePhoto
    from sartor.recommend.explain import QueryAttributes
    from sartor.recommend.query import Part
    from sartor.recommend.similar import Recommendation
    from sartor.shop import Shop
    from sartor.types import FacetValue, Hit


_MAX_GROUPS = 100  # on a sheet of duplicates
_MAX_FACET_VALUES = 12  # in a table


def similar(
    photos: Annotated[
        list[str] | None,
        typer.Argument(metavar="PHOTO|ID...", help="Image files, or ids of products; several count as one query."),
    ] = None,
    *,
    product: Annotated[
        list[str] | None,
        typer.Option("--product", metavar="ID", help="A product, also if a file has its id as name; repeatable."),
    ] = None,
    weights: Annotated[
        str | None, typer.Option("--weights", metavar="A,B", help="Weight of each photo, then of each product.")
    ] = None,
    box: Annotated[
        str | None,
        typer.Option(
            "--box", metavar="X,Y,W,H", help="Region of the first photo, as shares of its sides, 0 to 1."
        ),
    ] = None,
    like: Annotated[
        list[str] | None,
        typer.Option("--like", metavar="ID", help="Prefer products close to this one; repeatable."),
    ] = None,
    dislike: Annotated[
        list[str] | None,
        typer.Option("--dislike", metavar="ID", help="Avoid products close to this one; repeatable."),
    ] = None,
    color: Annotated[
        str | None, typer.Option("--color", metavar="NAME", help="Products in this color: a CSS name, or #rrggbb.")
    ] = None,
    dials: Annotated[
        str | None,
        typer.Option("--dials", metavar="style=1,color=0.5", help="Weights of style, color and category, 0 to 1."),
    ] = None,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="Number of products.")] = 5,
    where: Where = None,
    include_unavailable: IncludeUnavailable = None,
    diversity: Annotated[
        float, typer.Option("--diversity", min=0, max=1, help="0 is most similar, 1 is most varied.")
    ] = 0.0,
    facets: Annotated[
        str | None, typer.Option("--facets", metavar="A,B", help="Also count the values of these attributes.")
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Compare with every photo, without the approximate index.")
    ] = False,
    sheet: Sheet = None,
    regions: Annotated[
        Path | None,
        typer.Option("--regions", metavar="FILE", help="Write a sheet with heat maps of the similar regions."),
    ] = None,
    home: Home = None,
    model: Model = None,
    metric: MetricOption = None,
    device: Device = None,
    precision: PrecisionOption = None,
    allow_urls: AllowUrls = None,
    as_json: Json = False,
) -> None:
    """Find the products that look most like PHOTOs or products of the catalog, without the query itself."""
    require_sheet_name(sheet)
    require_sheet_name(regions)
    from sartor.recommend.filters import parse_where
    from sartor.wiring import open_shop

    conditions = parse_where(where or ())
    chosen = settings(
        home=home,
        model=model,
        metric=metric,
        device=device,
        precision=precision,
        allow_urls=allow_urls,
        include_unavailable=include_unavailable,
    )
    with open_shop(chosen) as shop:
        files, ids = _told_apart(shop, photos or ())
        queries, ids = [shop.read(file) for file in files], [*ids, *(product or ())]
        parts, products = _parts(queries, ids, weights=weights, box=box)
        results = shop.similar(
            *parts,
            products=products,
            like=like or (),
            dislike=dislike or (),
            color=color,
            weights=None if dials is None else _dials(dials),
            k=k,
            where=conditions,
            diversity=diversity,
            facets=_names(facets),
            exact=exact,
        )
        if sheet is not None:
            write_hits(sheet, shop, _query_tiles(shop, queries, ids), results)
        if regions is not None:
            _write_regions(regions, shop, (*parts, *products)[0], results)
        _print_json(shop, results) if as_json else print_hits(results)


def _told_apart(shop: Shop, given: Sequence[str]) -> tuple[list[str], list[str]]:
    """Photos, and ids of products: what is no file, and is an id in the catalog or looks like no file's name."""
    no_files = [name for name in given if "://" not in name and not Path(name).exists()]
    known = shop.catalog.store.known(no_files)
    ids = [name for name in no_files if name in known or not (Path(name).suffix or set(name) & set("/\\"))]
    return [name for name in given if name not in ids], ids


def _parts(
    photos: list[EncodedPhoto], products: list[str], *, weights: str | None, box: str | None
) -> tuple[list[Part], list[Part]]:
    from sartor.recommend.query import Part

    count = len(photos) + len(products)
    numbers = _numbers(weights, "--weights", count=count) if weights else (1.0,) * count
    region: Any = _numbers(box, "--box", count=4) if box else None
    if region and not photos:
        message = "--box is a region of a photo; give one"
        raise typer.BadParameter(message)
    return (
        [
            Part(photo=photo, weight=weight, box=region if index == 0 else None)
            for index, (photo, weight) in enumerate(zip(photos, numbers[: len(photos)], strict=True))
        ],
        [Part(product=id_, weight=weight) for id_, weight in zip(products, numbers[len(photos) :], strict=True)],
    )


def _numbers(text: str, option: str, *, count: int) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != count:
        message = f"{option} takes {count} numbers with commas between them, not {text!r}"
        raise typer.BadParameter(message)
    return numbers


def _dials(text: str) -> dict[str, float]:
    from sartor.recommend.features import FEATURES

    pairs = [part.partition("=") for part in text.split(",")]
    texts = {name.strip(): value for name, _, value in pairs}
    try:
        values = {name: float(value) for name, value in texts.items()}
    except ValueError:
        values = {}
    if len(values) != len(pairs) or not set(values) <= set(FEATURES):
        message = f"--dials takes {', '.join(f'{name}=0..1' for name in FEATURES)}, each once, not {text!r}"
        raise typer.BadParameter(message)
    return values


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _print_json(shop: Shop, results: Recommendation) -> None:
    print_json(
        {
            "model": shop.model.id,
            "kind": results.kind,
            "verdict": results.verdict,
            "good": results.good,
            "seen": {"predicted": guesses_json(results.seen.predicted), "colors": list(results.seen.colors)},
            "hits": [hit_json(shop, hit) for hit in results],
            "facets": facets_json(results.facets),
        }
    )


def facets_json(facets: Mapping[str, Sequence[FacetValue]]) -> dict[str, list[dict[str, Any]]]:
    """Values of attributes with their counts as JSON."""
    return {
        name: [{"value": facet.value, "count": facet.count} for facet in values] for name, values in facets.items()
    }


def hit_json(shop: Shop, hit: Hit) -> dict[str, Any]:
    """A hit as ``--json`` has it."""
    return {
        "product_id": hit.product_id,
        "score": round(hit.score, 6),
        "match": None if hit.match is None else round(hit.match, 4),
        "likeness": hit.likeness,
        "weak": hit.weak,
        "style": round(hit.style, 4),
        "color": round(hit.color, 4),
        "reasons": list(hit.reasons),
        "title": hit.title,
        "title_predicted": hit.title_predicted,
        "attributes": dict(hit.attributes),
        "predicted": guesses_json(hit.predicted),
        "variants": list(hit.variants),
        "photo": path_of(shop, hit.photo),
    }


def print_hits(results: Recommendation) -> None:
    """What was seen, how sure the answer is, and the hits as a table."""
    if described := _described(results.seen):
        echo(f"Seen: {described}")
    if not results:
        echo("No product passes the filter.")
    elif results.verdict is Verdict.NOTHING_CLOSE:
        echo("Nothing here is really close. These come nearest:")
    elif results.verdict is Verdict.NOT_SURE:
        echo("Not sure what this is: it looks like nothing that the model knows. These come nearest:")
    print_table(
        "",
        ("product", "alike", "title", "why"),
        (
            (
                hit.product_id + (f" (+{len(hit.variants)})" if hit.variants else ""),
                _alike(hit),
                title_text(hit.title, is_predicted=hit.title_predicted),
                " · ".join(hit.reasons),
            )
            for hit in results
        ),
    )
    print_facets(results.facets)


def print_facets(facets: Mapping[str, Sequence[FacetValue]]) -> None:
    """The most frequent values of attributes, a line each."""
    for name, values in facets.items():
        further = len(values) - _MAX_FACET_VALUES
        more = f", … and {further:,} more; --json has them" if further > 0 else ""
        echo(
            f"{name}: " + ", ".join(f"{facet.value} {facet.count}" for facet in values[:_MAX_FACET_VALUES]) + more
        )


def _alike(hit: Hit) -> str:
    """How alike a hit is, in words; its score where the model is not calibrated."""
    return f"{hit.score:.3f}" if hit.likeness is None else str(hit.likeness)


def _described(query: QueryAttributes) -> str:
    """What the model says about a photo, such as ``Shirts 98 %, Men 95 %, colors navy, white``."""
    if query.known:
        return ""
    guesses = [f"{value} {probability:.0%}" for value, probability in query.predicted.values()]
    return ", ".join([*guesses, *([f"colors {', '.join(query.colors)}"] if query.colors else [])])


def _query_tiles(shop: Shop, photos: list[EncodedPhoto], products: list[str]) -> list[Tile]:
    from sartor.described import title_of
    from sartor.evaluation.sheets import Tile

    tiles = [Tile.of_photo(photo.data, caption=(Path(photo.name).name,)) for photo in photos]
    for product in products:
        stored = shop.product(product)
        for photo in stored.photos:
            tiles += tiles_of(shop, photo, product, title_of(stored.product, stored.predicted).text)
    return tiles


def write_hits(sheet: Path, shop: Shop, queries: list[Tile], hits: Sequence[Hit]) -> None:
    """Write a sheet: the query, and its hits beside it."""
    from sartor.evaluation.sheets import SheetRow, write_sheet

    tiles: list[Tile] = []
    for hit in hits:
        tiles += tiles_of(shop, hit.photo, _alike(hit).capitalize(), hit.product_id, hit.title)
    write_sheet(sheet, [SheetRow(query=tuple(queries), hits=tuple(tiles))])
    echo(f"sheet written to {sheet}", err=True)


def _write_regions(sheet: Path, shop: Shop, query: Part, hits: Sequence[Hit]) -> None:
    """A row per hit: the photo of the query and that of the hit, warm colors in the similar regions."""
    from sartor.evaluation.sheets import SheetRow, Tile, write_sheet

    rows = []
    for hit in hits:
        explained = shop.explain(query, hit)
        query_photo, hit_photo = explained.photos
        caption = (f"{explained.cosine:.3f}", hit.product_id, hit.title)
        rows.append(
            SheetRow(query=(Tile(image=query_photo, caption=()),), hits=(Tile(image=hit_photo, caption=caption),))
        )
    write_sheet(sheet, rows)
    echo(f"sheet of regions written to {sheet}", err=True)


def duplicates(*, sheet: Sheet = None, home: Home = None, model: Model = None, as_json: Json = False) -> None:
    """List photos of the catalog that show the same thing, also identical files."""
    require_sheet_name(sheet)
    from sartor.wiring import open_shop

    with open_shop(settings(home=home, model=model)) as shop:
        groups = shop.duplicates()
        if sheet is not None:
            _write_duplicates_sheet(sheet, shop, groups)
    if as_json:
        print_json({"groups": [[_duplicate_json(photo) for photo in group] for group in groups]})
        return
    photos = sum(len(group) for group in groups)
    echo(f"{counted(len(groups), 'group')} of {counted(photos, 'photo')} that look the same")
    print_table("", ("photos", "products", "title"), (_duplicate_row(group) for group in groups))


def _duplicate_row(group: tuple[DuplicatePhoto, ...]) -> tuple[str, str, str]:
    return str(len(group)), ", ".join(dict.fromkeys(photo.product_id for photo in group)), group[0].title


def _duplicate_json(photo: DuplicatePhoto) -> dict[str, str]:
    return {
        "product_id": photo.product_id,
        "title": photo.title,
        "photo": photo.photo.name,
        "sha256": photo.photo.sha256,
    }


def _write_duplicates_sheet(sheet: Path, shop: Shop, groups: tuple[tuple[DuplicatePhoto, ...], ...]) -> None:
    from sartor.evaluation.sheets import SheetRow, write_sheet

    def tiles(*photos: DuplicatePhoto) -> tuple[Tile, ...]:
        return tuple(
            tile for photo in photos for tile in tiles_of(shop, photo.photo, photo.product_id, photo.title)
        )

    rows = [SheetRow(query=tiles(first), hits=tiles(*others)) for first, *others in groups[:_MAX_GROUPS]]
    write_sheet(sheet, rows)
    of_all = f", the first of {len(groups):,}," if len(groups) > len(rows) else ""
    echo(f"sheet of {counted(len(rows), 'group')}{of_all} written to {sheet}", err=True)
