"""Looks for random products: none may repeat a slot or mix genders; how long they take; a sheet to look at."""

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
from sartor.recommend.outfit.rules import genders_agree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sartor.recommend.outfit.outfit import Outfit, WornProduct
    from sartor.shop import Shop

_SEED = 0


def looks(
    *,
    data: Data = SHARED_DATA,
    products: Annotated[int, typer.Option(help="How many random products get a look.")] = 200,
    home: Annotated[Path | None, typer.Option(metavar="DIR", help="Keeps the catalog for next time.")] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Writes the first 20 looks, .html or .png.")
    ] = None,
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
            Target(what="looks without a repeated slot", value=_share(made, _each_slot_once), at_least=1),
            Target(what="looks without a clash of genders", value=_share(made, _for_one_person), at_least=1),
        ],
        notes=(
            f"Pieces beside the given one: {_counted(len(look.pieces) for look in made)}",
            f"Empty slots: {_counted(slot for look in made for slot in look.empty)}",
            f"The least suitable looks are for: {', '.join(_worst(made))}",
        ),
    )


def _share(looks: Sequence[Outfit], holds: Callable[[Outfit], bool]) -> float:
    return sum(map(holds, looks)) / len(looks)


def _each_slot_once(look: Outfit) -> bool:
    slots = [piece.slot for piece in (*look.given, *look.pieces)]
    return len(set(slots)) == len(slots)


def _for_one_person(look: Outfit) -> bool:
    told = [piece.attributes.get("gender") for piece in (*look.given, *look.pieces)]
    genders = [str(gender) for gender in told if gender]
    return all(genders_agree(one, other) for one in genders for other in genders)


def _counted(values: Iterable[object]) -> str:
    return ", ".join(f"{value} ({count})" for value, count in Counter(values).most_common()) or "none"


def _worst(looks: Sequence[Outfit]) -> list[str]:
    return [look.given[0].product_id for look in sorted(looks, key=lambda look: look.score)[:3]]


def _row(shop: Shop, look: Outfit) -> SheetRow:
    def tile(piece: WornProduct) -> Tile:
        return Tile.of_photo(
            shop.thumbnail(piece.photo).read_bytes(), caption=(str(piece.slot), piece.title, *piece.reasons[1:2])
        )

    return SheetRow(query=tuple(map(tile, look.given)), hits=tuple(map(tile, look.pieces)))
