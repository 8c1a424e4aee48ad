"""Looks for random products: their colors, occasions and seasons, how long they take, and a sheet to look at.

What is counted is counted from the ids of the pieces. So looks that another build made can be judged as well.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from itertools import combinations
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
from sartor.recommend.features import color_family
from sartor.recommend.outfit.candidates import CandidateFinder
from sartor.recommend.outfit.garments import COLOR, SEASON, USAGE, text_of
from sartor.recommend.outfit.harmony import A_COLOR, Relation, counts_of, relation_of
from sartor.recommend.outfit.looks import shades_of
from sartor.recommend.outfit.rules import Slot, common_worn, genders_agree, seasons_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sartor.recommend.outfit.candidates import Candidate
    from sartor.recommend.outfit.harmony import Shades
    from sartor.recommend.outfit.outfit import Outfit
    from sartor.shop import Shop

_SEED = 0
_SHEET = 40
_SEEN = {Slot.TOP, Slot.BOTTOM, Slot.ONE_PIECE, Slot.OUTERWEAR, Slot.SHOES, Slot.BAG}  # the larger pieces
_SEASONAL = _SEEN - {Slot.BAG}
_FEW = 0.5  # accents up to which a look is of neutrals only
_ONE, _TWO = 1.4, 2.4  # accents up to which a look has one, or two


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A look that a build made, by ids of products, with the reasons of its pieces."""

    given: str
    pieces: tuple[str, ...]
    reasons: tuple[tuple[str, ...], ...]
    score: float
    empty: tuple[str, ...]
    ms: float

    @classmethod
    def of(cls, look: Outfit, *, ms: float) -> Made:
        """A look that took some time."""
        return cls(
            given=look.given[0].product_id,
            pieces=tuple(piece.product_id for piece in look.pieces),
            reasons=tuple(piece.reasons for piece in look.pieces),
            score=look.score,
            empty=tuple(map(str, look.empty)),
            ms=ms,
        )


def looks(  # noqa: PLR0913 - each is an option of its own
    *,
    data: Data = SHARED_DATA,
    products: Annotated[int, typer.Option(help="How many random products get a look.")] = 200,
    home: Annotated[Path | None, typer.Option(metavar="DIR", help="Keeps the catalog for next time.")] = None,
    judge: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judges the looks that another build saved.")
    ] = None,
    save: Annotated[Path | None, typer.Option(metavar="FILE", help="Saves the looks as JSON.")] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Writes the first 40 looks, .html or .png.")
    ] = None,
) -> Report:
    """Looks for random products of the 224 set, by the bundled model."""
    with TemporaryDirectory() as temporary, sartor.open(home or Path(temporary)) as shop:
        shop.index(data_file(data, PHOTOS_224))
        made = _made(shop, products) if judge is None else _read(judge)
        if save is not None:
            save.write_text(json.dumps([_as_json(look) for look in made]), encoding="utf-8")
        if sheet is not None:
            write_sheet(sheet, [_row(shop, look) for look in made[:_SHEET]])
        model = shop._model()  # noqa: SLF001 - the pieces of a look are not public
        finder = CandidateFinder.of(model.index, model.garments, shop.attribute_names())
        worn = [finder.read((look.given, *look.pieces)) for look in made]
    full = [pieces for pieces in worn if len(pieces) > 2]  # noqa: PLR2004 - with two there is little to choose
    kinds = Counter(_colors_of(pieces) for pieces in full)
    return Report(
        name="looks",
        options={"products": len(made)},
        warm_up="none",
        figures={
            "a look": Figure.of([look.ms for look in made], "ms"),
            "suitability": Figure.of([look.score for look in made], "share"),
            "pieces": Figure.of([len(look.pieces) for look in made], "pieces"),
            "all of one color family": _figure(full, lambda pieces: len(_families(pieces)) == 1),
            "clothes, shoes and bag of one color family": _figure(
                full, lambda pieces: len(_families(pieces, _SEEN)) <= 1
            ),
            "color families": _mean([len(_families(pieces)) for pieces in full], "families"),
            "distinct colors": _mean([counts_of(_shades(pieces))[1] for pieces in full], "colors"),
            **{kind: Figure(median=kinds[kind] / len(full), p95=0, n=len(full), unit="share") for kind in _KINDS},
            "a clash of formality": _figure(full, _clashes),
            "a clash of weather": _figure(full, _clashes_in_weather),
            "same usage as the given": _agreement(full, lambda one, other: _same(one, other, USAGE)),
            "same half of the year as the given": _agreement(
                full, lambda one, other: other.piece.slot not in _SEASONAL or _same_half(one, other)
            ),
        },
        targets=[
            Target(what="looks without a repeated slot", value=_share(worn, _each_slot_once), at_least=1),
            Target(what="looks without a clash of genders", value=_share(worn, _for_one_person), at_least=1),
            Target(what="looks without a clash of formality", value=1 - _share(worn, _clashes), at_least=1),
        ],
        notes=(
            f"Pieces beside the given one: {_counted(len(look.pieces) for look in made)}",
            f"Empty slots: {_counted(slot for look in made for slot in look.empty)}",
            f"The least suitable looks are for: {', '.join(_worst(made))}",
        ),
    )


def _made(shop: Shop, count: int) -> list[Made]:
    made: list[Made] = []
    for product_id in np.random.default_rng(_SEED).permutation(shop.product_ids()):
        start = time.perf_counter()
        try:
            look = shop.outfit(str(product_id))
        except NotInALook:
            continue
        made.append(Made.of(look, ms=1000 * (time.perf_counter() - start)))
        if len(made) == count:
            break
    return made


def _as_json(look: Made) -> dict[str, object]:
    return {name: getattr(look, name) for name in Made.__slots__}


def _read(path: Path) -> list[Made]:
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [
        Made(**{**row, "pieces": tuple(row["pieces"]), "reasons": tuple(map(tuple, row["reasons"]))})
        for row in rows
    ]


def _shades(pieces: Sequence[Candidate]) -> Shades:
    return shades_of([candidate.piece for candidate in pieces])


def _families(pieces: Sequence[Candidate], slots: set[Slot] | None = None) -> set[str]:
    """The families of the pieces' colors, as the catalog names them."""
    return {
        color_family(text_of(candidate.attributes, COLOR) or candidate.piece.color_name)
        for candidate in pieces
        if slots is None or candidate.piece.slot in slots
    }


_NEUTRALS, _ACCENT, _MANY = "neutrals only", "neutrals and one accent", "three accents or more"
_KINDS = (_NEUTRALS, _ACCENT, "two accents: neighbors", "two accents: complements", "two accents: triad",
          "two accents: apart", "two accents: shades of one hue", _MANY)  # fmt: skip
_TOGETHER = {
    Relation.NEIGHBORS: _KINDS[2],
    Relation.COMPLEMENTS: _KINDS[3],
    Relation.TRIAD: _KINDS[4],
    Relation.APART: _KINDS[5],
}


def _colors_of(pieces: Sequence[Candidate]) -> str:
    """Which rule of harmony the colors of a look follow."""
    shades = _shades(pieces)
    accents, _ = counts_of(shades)
    if accents <= _FEW:
        return _NEUTRALS
    if accents <= _ONE:
        return _ACCENT
    if accents > _TWO:
        return _MANY
    vivid = np.flatnonzero(shades.vivid >= A_COLOR)
    pairs = sorted(combinations(vivid, 2), key=lambda pair: -float(shades.sizes[list(pair)].sum()))
    relations = [relation_of(shades, *map(int, pair)) for pair in pairs]
    return next((_TOGETHER[each] for each in relations if each in _TOGETHER), _KINDS[6])


def _clashes(pieces: Sequence[Candidate]) -> bool:
    """Whether there is no occasion that all pieces are worn for."""
    return not common_worn([candidate.piece.occasions for candidate in pieces])


def _clashes_in_weather(pieces: Sequence[Candidate]) -> bool:
    return not common_worn([candidate.piece.weather for candidate in pieces])


def _same(one: Candidate, other: Candidate, name: str) -> bool:
    return text_of(one.attributes, name) == text_of(other.attributes, name)


def _same_half(one: Candidate, other: Candidate) -> bool:
    return bool(seasons_beside(text_of(one.attributes, SEASON), [text_of(other.attributes, SEASON)]))


def _agreement(looks: Sequence[Sequence[Candidate]], agree: Callable[[Candidate, Candidate], bool]) -> Figure:
    return _mean([agree(pieces[0], other) for pieces in looks for other in pieces[1:]], "share")


def _figure(looks: Sequence[Sequence[Candidate]], holds: Callable[[Sequence[Candidate]], bool]) -> Figure:
    return _mean([holds(pieces) for pieces in looks], "share")


def _mean(samples: Sequence[float], unit: str) -> Figure:
    """A figure whose value is the mean."""
    numbers = np.asarray(samples, np.float64)
    return Figure(median=float(numbers.mean()), p95=float(np.quantile(numbers, 0.95)), n=len(numbers), unit=unit)


def _share(looks: Sequence[Sequence[Candidate]], holds: Callable[[Sequence[Candidate]], bool]) -> float:
    return sum(map(holds, looks)) / len(looks)


def _each_slot_once(pieces: Sequence[Candidate]) -> bool:
    return len({candidate.piece.slot for candidate in pieces}) == len(pieces)


def _for_one_person(pieces: Sequence[Candidate]) -> bool:
    genders = [candidate.person for candidate in pieces if candidate.person]
    return all(genders_agree(one, other) for one, other in combinations(genders, 2))


def _counted(values: Iterable[object]) -> str:
    return ", ".join(f"{value} ({count})" for value, count in Counter(values).most_common()) or "none"


def _worst(looks: Sequence[Made]) -> list[str]:
    return [look.given for look in sorted(looks, key=lambda look: look.score)[:3]]


def _row(shop: Shop, look: Made) -> SheetRow:
    def tile(product_id: str, reasons: tuple[str, ...]) -> Tile:
        product = shop.product(product_id)
        photo = shop.thumbnail(product.photos[0]).read_bytes()
        return Tile.of_photo(photo, caption=(product.product.title, *reasons[:2]))

    hits = [tile(product_id, reasons) for product_id, reasons in zip(look.pieces, look.reasons, strict=True)]
    return SheetRow(query=(tile(look.given, ()),), hits=tuple(hits))
