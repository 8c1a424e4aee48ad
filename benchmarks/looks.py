"""Looks for random products: that none repeats a slot or mixes genders, how long they take, and a sheet to look at."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

import sartor
from benchmarks.data import PHOTOS_224, SHARED_DATA, Data, data_file
from benchmarks.report import Figure, Report, Target
from sartor.errors import NotInALook
from sartor.evaluation.sheets import SheetRow, Tile, write_sheet
from sartor.recommend.occasions import genders_agree

if TYPE_CHECKING:
    from sartor.recommend.outfits import Outfit, WornProduct
    from sartor.shop import Shop

_SEED = 0


def looks(
    *,
    data: Data = SHARED_DATA,
    products: Annotated[int, typer.Option(help="How many random products get a look.")] = 200,
    home: Annotated[Path | None, typer.Option(metavar="DIR", help="Keeps the catalog for next time.")] = None,
    sheet: Annotated[Path | None, typer.Option(metavar="FILE", help="Writes the first 20 looks, .html or .png.")] = None,
) -> Report:
    """Looks for random products of the 224 set, by the bundled model."""
    with TemporaryDirectory() as temporary, sartor.open(home or Path(temporary)) as shop:
        shop.index(data_file(data, PHOTOS_224))
        rng = np.random.default_rng(_SEED)
        made: list[Outfit] = []
        seconds = []
        for product_id in rng.permutation(shop.product_ids()):
            start = time.perf_counter()
            try:
                made.append(shop.outfit(str(product_id)))
            except NotInALook:
                continue
            seconds.append(time.perf_counter() - start)
            if len(made) == products:
                break
        if sheet is not None:
            write_sheet(sheet, [_row(shop, look) for look in made[:20]])
    slots = [[piece.slot for piece in (*look.given, *look.pieces)] for look in made]
    pieces = Counter(len(look.pieces) for look in made)
    return Report(
        name="looks",
        options={"products": products},
        warm_up="none",
        figures={
            "a look": Figure.of([1000 * each for each in seconds], "ms"),
            "suitability": Figure.of([look.score for look in made], "share"),
            "pieces": Figure.of([len(look.pieces) for look in made], "pieces"),
        },
        targets=[
            Target(what="looks without a repeated slot", value=_share(len(set(each)) == len(each) for each in slots), at_least=1),
            Target(what="looks without a clash of genders", value=_share(map(_one_gender, made)), at_least=1),
        ],
        notes=(
            "Pieces beside the given one: " + ", ".join(f"{count} looks with {number}" for number, count in sorted(pieces.items())),
            "Empty slots: " + (", ".join(f"{slot} {count}" for slot, count in Counter(slot for look in made for slot in look.empty).most_common()) or "none"),
            "The least suitable looks are for: " + ", ".join(look.given[0].product_id for look in sorted(made, key=lambda look: look.score)[:3]),
        ),
    )


def _share(found: object) -> float:
    return float(np.mean(list(found)))  # type: ignore[call-overload]


def _one_gender(look: Outfit) -> bool:
    genders = [str(piece.attributes["gender"]) for piece in (*look.given, *look.pieces) if "gender" in piece.attributes]
    return all(genders_agree(one, other) for one in genders for other in genders)


def _row(shop: Shop, look: Outfit) -> SheetRow:
    def tile(piece: WornProduct) -> Tile:
        return Tile.of_photo(shop.thumbnail(piece.photo).read_bytes(), caption=(str(piece.slot), piece.title, *piece.reasons[1:2]))

    return SheetRow(query=tuple(map(tile, look.given)), hits=tuple(map(tile, look.pieces)))
