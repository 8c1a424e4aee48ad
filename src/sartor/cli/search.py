"""``sartor search``: products by words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sartor.cli.options import (
    Home,
    IncludeUnavailable,
    Json,
    Model,
    Sheet,
    Where,
    echo,
    print_json,
    print_table,
    require_sheet_name,
    settings,
    title_text,
)
from sartor.cli.similar import facets_json, hit_json, print_facets, write_hits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.recommend.search import Found
    from sartor.recommend.understood import Meaning


def search(
    words: Annotated[list[str], typer.Argument(metavar="WORDS...", help="Such as: women's red dress under 50")],
    *,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="Number of products.")] = 10,
    where: Where = None,
    plain: Annotated[
        list[str] | None,
        typer.Option("--plain", metavar="WORDS", help="Words that are no filter, such as red; repeatable."),
    ] = None,
    include_unavailable: IncludeUnavailable = None,
    facets: Annotated[
        str | None, typer.Option("--facets", metavar="A,B", help="Also count the values of these attributes.")
    ] = None,
    sheet: Sheet = None,
    home: Home = None,
    model: Model = None,
    as_json: Json = False,
) -> None:
    """Find products by WORDS: what they are called, and what their photos show.

    Words that are values of the catalog are filters; the answer says which, and --plain takes one back.
    """
    require_sheet_name(sheet)
    from sartor.recommend.filters import parse_where
    from sartor.wiring import open_shop

    conditions = parse_where(where or ())
    with open_shop(settings(home=home, model=model, include_unavailable=include_unavailable)) as shop:
        found = shop.search(
            " ".join(words),
            k=k,
            where=conditions,
            plain=plain or (),
            facets=[name.strip() for name in (facets or "").split(",") if name.strip()],
        )
        if sheet is not None:
            write_hits(sheet, shop, [], found.hits)
        if as_json:
            print_json(
                {
                    "model": shop.model.id,
                    "understood": [meaning_json(meaning) for meaning in found.understood],
                    "given_up": [meaning_json(meaning) for meaning in found.given_up],
                    "words": list(found.rest),
                    "read_as": dict(found.read_as),
                    "unknown": list(found.unknown),
                    "ignored": list(found.ignored),
                    "by_looks": found.by_looks,
                    "hits": [hit_json(shop, hit) for hit in found],
                    "facets": facets_json(found.facets),
                }
            )
        else:
            _print(found)


def meaning_json(meaning: Meaning) -> dict[str, Any]:
    """What words were understood as, as JSON."""
    from sartor.recommend.filters import filter_text

    return {"words": meaning.typed, "filter": filter_text(meaning.condition), "read_as": meaning.corrected or None}


def _print(found: Found) -> None:
    for line in _lines(found):
        echo(line)
    if not found:
        echo("No product is found by these words.")
    print_table(
        "",
        ("product", "title", "why"),
        (
            (
                hit.product_id + (f" (+{len(hit.variants)})" if hit.variants else ""),
                title_text(hit.title, is_predicted=hit.title_predicted),
                " · ".join(hit.reasons),
            )
            for hit in found
        ),
    )
    print_facets(found.facets)


def _lines(found: Found) -> list[str]:
    lines = []
    if found.understood:
        lines.append(f"Understood as filters: {_filters(found.understood)}")
    if found.given_up:
        lines.append(f"No product has all of it; left out as a filter: {_filters(found.given_up)}")
    lines += [f"{word!r} was read as {better!r}" for word, better in found.read_as.items()]
    if found.unknown:
        lines.append(f"Nothing here has these words: {', '.join(found.unknown)}")
    if not found.by_looks and found.rest:
        lines.append("Photos were not compared with the words, only titles and attributes were")
    return lines


def _filters(meanings: Sequence[Meaning]) -> str:
    from sartor.recommend.filters import filter_text

    said = []
    for meaning in meanings:
        corrected = f", read as {meaning.corrected!r}" if meaning.corrected else ""
        said.append(f"{filter_text(meaning.condition)} ({meaning.typed!r}{corrected})")
    return "; ".join(said)
