"""Jackets of every kind, denim jackets among them, and blazers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, closed, moved, opened, ribbon, rounded, sided, symmetric
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.garments.body import (
    Torso,
    body_folds,
    body_outline,
    cuff_band,
    hem_band,
    lay_back,
    lay_band,
    lay_sleeves,
    neckline,
    sleeve_outline,
)
from tools.demo_catalog.garments.trims import lay_button, lay_zip
from tools.demo_catalog.palette import is_dark
from tools.demo_catalog.shading import Fold, Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.curves import Points
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design


def draw_jacket(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A jacket of one of the styles bomber, trucker, puffer, biker and parka."""
    torso = _torso(design)
    is_puffer = design.style == "puffer"
    look = Surface(puff=18, relief=0.5, crumple=0.3 if is_puffer else 1.1)
    has_ribs = design.style == "bomber"
    if has_ribs:
        for side in (-1, 1):
            lay_band(canvas, sided(cuff_band(torso, depth=24, wide=6), side), cloth.darker(0.15), angle=side * 6)
    quilts = _sleeve_quilts(torso) if is_puffer else ()
    for side in (-1, 1):
        folds = tuple(Fold(sided(fold.line, side), fold.width, fold.depth) for fold in quilts)
        if folds:
            quilted = Surface(puff=18, relief=0.52, crumple=0.3, folds=folds, angle=side * 9)
            canvas.piece(sided(sleeve_outline(torso, "Long", wide=12), side), cloth, quilted)
    if not is_puffer:
        lay_sleeves(canvas, torso, cloth, "Long", wide=10, surface=look)
    lay_back(canvas, torso, cloth.plain(mixed(cloth.main, (60, 54, 50), 0.5)))
    front = neckline(torso, "V-Neck" if design.style == "biker" else "Crew Neck")
    folds = _body_quilts(torso) if is_puffer else body_folds(torso, canvas.rng, strength=1.1)
    surface = Surface(puff=18, relief=0.5, crumple=0.3 if is_puffer else 1.0, shadow=0.16, folds=folds)
    canvas.piece(body_outline(torso, front), cloth, surface)
    if is_puffer:
        for y in _quilt_rows(torso):
            canvas.seam(opened([(CENTER - 140, y), (CENTER, y + 5), (CENTER + 140, y)]), depth=0.2, width=1)
    {"bomber": _finish_bomber, "trucker": finish_trucker, "puffer": _finish_puffer, "biker": _finish_biker}[
        design.style
    ](canvas, torso, cloth)


def _torso(design: Design) -> Torso:
    hem_y = {"trucker": 452.0, "bomber": 456.0, "biker": 450.0}.get(design.style, 492.0)
    if design.gender in ("Women", "Girls"):
        return Torso(
            neck=48,
            neck_y=104,
            shoulder=118,
            shoulder_y=134,
            chest=112,
            waist=104,
            waist_y=350,
            hem=110,
            hem_y=hem_y - 10,
        )
    return Torso(neck=50, neck_y=104, shoulder=133, shoulder_y=136, chest=127, waist=122, hem=122, hem_y=hem_y)


def _quilt_rows(torso: Torso) -> list[float]:
    rows = 8
    return [torso.shoulder_y + 26 + (torso.hem_y - torso.shoulder_y - 22) * row / rows for row in range(rows)]


def _body_quilts(torso: Torso) -> tuple[Fold, ...]:
    lines = [opened([(CENTER - 190, y), (CENTER, y + 5), (CENTER + 190, y)]) for y in _quilt_rows(torso)]
    return tuple(Fold(line, 17, -1.0) for line in lines)


def _sleeve_quilts(torso: Torso) -> tuple[Fold, ...]:
    s, sy = CENTER + torso.shoulder, torso.shoulder_y
    rows = [sy + 36 + 43 * row for row in range(8)]
    return tuple(
        Fold(opened([(s - 30, y + 6), (s + 20 + 4 * row, y - 4), (s + 92, y - 14)]), 17, -1.0)
        for row, y in enumerate(rows)
    )


def _finish_bomber(canvas: Canvas, torso: Torso, cloth: Cloth) -> None:
    lay_band(canvas, hem_band(torso, 28), cloth.darker(0.15))
    top = torso.neck_y
    collar = symmetric(
        [
            (0, top - 4),
            (34, top - 9),
            (torso.neck - 5, top - 20, 1),
            (torso.neck + 7, top + 2),
            (40, top + 40),
            (0, top + 52),
        ]
    )
    hole = symmetric([(0, top + 14), (30, top + 8), (torso.neck - 10, top - 8, 1), (28, top + 24), (0, top + 34)])
    canvas.piece(
        collar,
        cloth.darker(0.15).plain(fabric="rib"),
        Surface(puff=6, relief=0.5, crumple=0, shadow=0.24),
        holes=[hole],
    )
    lay_zip(canvas, opened([(CENTER, top + 40), (CENTER, torso.hem_y + 32)]))
    for side in (-1, 1):
        pocket = ribbon(opened([(CENTER + 92, torso.hem_y - 112), (CENTER + 66, torso.hem_y - 42)]), 11)
        canvas.piece(sided(pocket, side), cloth, Surface(puff=3, relief=0.5, crumple=0, shadow=0.24))


def _finish_puffer(canvas: Canvas, torso: Torso, cloth: Cloth) -> None:
    top = torso.neck_y
    collar = symmetric(
        [
            (0, top - 8),
            (34, top - 14),
            (torso.neck, top - 34, 1),
            (torso.neck + 9, top - 6),
            (torso.neck + 6, top + 18, 1),
            (36, top + 44),
            (0, top + 52),
        ]
    )
    folds = (Fold(opened([(CENTER - 70, top - 2), (CENTER, top + 26), (CENTER + 70, top - 2)]), 14, -1.0),)
    canvas.piece(collar, cloth, Surface(puff=12, relief=0.56, crumple=0.2, shadow=0.3, folds=folds))
    lay_zip(canvas, opened([(CENTER, top - 6), (CENTER, torso.hem_y + 4)]), width=6)
    for side in (-1, 1):
        pocket = opened([(CENTER + 88, torso.hem_y - 120), (CENTER + 70, torso.hem_y - 52)])
        canvas.shade(canvas.line(sided(pocket, side), 5), 0.4, soft=1)
        canvas.seam(sided(pocket, side), depth=0.5, width=2)


def _finish_biker(canvas: Canvas, torso: Torso, cloth: Cloth) -> None:
    top, hem = torso.neck_y, torso.hem_y
    steel = (196, 198, 203)
    lay_zip(canvas, opened([(CENTER + 34, top + 96), (CENTER + 22, 330), (CENTER + 8, hem + 4)]), width=6)
    for side in (-1, 1):
        lapel = closed(
            [
                (CENTER + torso.neck - 4, top - 14, 1),
                (CENTER + torso.neck + 12, top + 4),
                (CENTER + torso.neck + 14, top + 26, 1),
                (CENTER + 70, top + 92, 1),
                (CENTER + 16, top + 118, 1),
                (CENTER + torso.neck * 0.62, top + 36),
            ]
        )
        canvas.piece(sided(lapel, side), cloth, Surface(puff=7, relief=0.5, rim=0.16, crumple=0.3, shadow=0.34))
        lay_button(canvas, CENTER + side * 58, top + 84, 2.8, cloth.plain(steel, fabric="metal"))
        pocket = opened([(CENTER + 94, 352), (CENTER + 58, 398)])
        lay_zip(canvas, sided(pocket, side), width=4.4)
        shoulder = opened([(CENTER + torso.neck + 18, top + 34), (CENTER + torso.chest - 2, top + 78)])
        canvas.seam(sided(shoulder, side), depth=0.5 if is_dark(cloth.main, below=0.2) else 0.3)
    belt = ribbon(opened([(CENTER - torso.hem, hem - 12), (CENTER, hem - 6), (CENTER + torso.hem, hem - 12)]), 20)
    canvas.piece(belt, cloth, Surface(puff=5, relief=0.5, crumple=0.2, shadow=0.24))
    canvas.piece(
        rounded(CENTER - 44, hem - 22, CENTER - 16, hem + 6, radius=4),
        cloth.plain(steel, fabric="metal"),
        Surface(puff=2, relief=0.7, crumple=0, shadow=0.3),
        holes=[rounded(CENTER - 39, hem - 17, CENTER - 21, hem + 1, radius=2)],
    )


_BRASS = (184, 148, 92)


def finish_trucker(canvas: Canvas, torso: Torso, cloth: Cloth) -> None:
    """Sew everything on a trucker jacket's front."""
    thread = (206, 154, 92) if cloth.fabric == "denim" else mixed(cloth.main, (30, 30, 32), 0.45)
    top, hem = torso.neck_y, torso.hem_y
    band = hem_band(torso, 22)
    canvas.piece(band, cloth, Surface(puff=5, relief=0.4, crumple=0.2, shadow=0.16))
    placket = rounded(CENTER - 13, top + 36, CENTER + 13, hem + 22, radius=2)
    canvas.piece(placket, cloth, Surface(puff=4, relief=0.36, rim=0.1, crumple=0.2, shadow=0.16))
    for x in (-10, 10):
        canvas.stitch(opened([(CENTER + x, top + 40), (CENTER + x, hem + 18)]), thread, width=1)
    for side in (-1, 1):
        yoke = opened([(CENTER + 13, top + 118), (CENTER + torso.chest - 6, top + 112)])
        canvas.seam(sided(yoke, side), depth=0.26)
        canvas.stitch(sided(moved(yoke, 0, 4), side), thread, width=1)
        flap = closed(
            [
                (CENTER + 30, top + 112, 1),
                (CENTER + 92, top + 110, 1),
                (CENTER + 91, top + 128, 1),
                (CENTER + 61, top + 142, 1),
                (CENTER + 31, top + 130, 1),
            ]
        )
        canvas.piece(sided(flap, side), cloth, Surface(puff=4, relief=0.4, rim=0.14, crumple=0.2, shadow=0.28))
        for start, end in ((40.0, 34.0), (86.0, 58.0)):
            dart = opened([(CENTER + start, top + 140), (CENTER + end, hem - 4)])
            canvas.seam(sided(dart, side), depth=0.22)
            canvas.stitch(sided(moved(dart, 3.4, 0), side), thread, width=1)
        lay_button(canvas, CENTER + side * 61, top + 132, 4, cloth.plain(_BRASS, fabric="metal"))
        s = CENTER + torso.shoulder
        cuff = closed(
            [
                (s + 73, torso.shoulder_y + 334, 1),
                (s + 46, torso.shoulder_y + 340),
                (s + 17, torso.shoulder_y + 337, 1),
                (s + 20, torso.shoulder_y + 364, 1),
                (s + 46, torso.shoulder_y + 367),
                (s + 73, torso.shoulder_y + 360, 1),
            ]
        )
        canvas.piece(sided(cuff, side), cloth, Surface(puff=5, relief=0.4, crumple=0.2, shadow=0.16))
        canvas.stitch(
            sided(opened([(s + 20, torso.shoulder_y + 342), (s + 71, torso.shoulder_y + 340)]), side),
            thread,
            width=1,
        )
    canvas.stitch(
        opened([(CENTER - torso.hem + 3, hem + 3), (CENTER, hem + 9), (CENTER + torso.hem - 3, hem + 3)]),
        thread,
        width=1,
    )
    for number in range(6):
        lay_button(
            canvas, CENTER, top + 62 + number * (hem - top - 50) / 5, 4.4, cloth.plain(_BRASS, fabric="metal")
        )
    _lay_point_collar(canvas, torso, cloth, thread)


def _lay_point_collar(canvas: Canvas, torso: Torso, cloth: Cloth, thread: tuple[int, int, int]) -> None:
    neck, top = torso.neck, torso.neck_y
    stand = symmetric(
        [
            (0, top - 7),
            (neck * 0.55, top - 11),
            (neck - 5, top - 16, 1),
            (neck, top + 3, 1),
            (neck * 0.6, top + 10),
            (0, top + 14),
        ]
    )
    canvas.piece(stand, cloth.darker(0.16), Surface(puff=5, relief=0.4, rim=0.1, crumple=0))
    for side in (-1, 1):
        leaf = closed(
            [
                (CENTER + neck - 6, top - 16, 1),
                (CENTER + neck + 9, top - 2),
                (CENTER + neck + 14, top + 24),
                (CENTER + 52, top + 82, 1),
                (CENTER + 4, top + 40, 1),
                (CENTER + neck * 0.66, top + 22),
            ]
        )
        canvas.piece(
            sided(leaf, side),
            cloth,
            Surface(puff=6, relief=0.46, rim=0.14, crumple=0.3, shadow=0.28, angle=side * 38),
        )
        edge = opened([(CENTER + 12, top + 44), (CENTER + 51, top + 76), (CENTER + neck + 10, top + 24)])
        canvas.stitch(sided(edge, side), thread, width=1)


def draw_blazer(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A blazer: single- or double-breasted, with notched, peaked or shawl lapels."""
    is_female = design.gender in ("Women", "Girls")
    torso = Torso(
        neck=42,
        neck_y=92,
        shoulder=112 if is_female else 130,
        shoulder_y=128,
        chest=104 if is_female else 121,
        chest_y=236,
        waist=90 if is_female else 110,
        waist_y=360,
        hem=112 if is_female else 125,
        hem_y=516,
    )
    low = 300.0 if design.style != "shawl" else 330.0
    _lay_lining(canvas, torso, cloth, low)
    lay_sleeves(canvas, torso, cloth, "Long", wide=7, surface=Surface(puff=17, relief=0.46, crumple=0.5))
    overlap = 34.0 if design.style == "double" else 9.0
    look = Surface(puff=16, relief=0.46, crumple=0.5, shadow=0.16)
    for side in (1, -1):  # the wearer's left front lies above
        folds = tuple(Fold(sided(line, side), width, depth) for line, width, depth in _fall(torso))
        canvas.piece(
            sided(_front(torso, low, overlap), side),
            cloth,
            Surface(puff=look.puff, relief=look.relief, crumple=look.crumple, shadow=0.2, folds=folds),
        )
    _lay_pockets(canvas, torso, cloth)
    for side in (1, -1):
        _lay_lapel(canvas, torso, cloth, _Lapel(design.style, low), side)
    _lay_buttons(canvas, design.style, low, cloth)
    for side in (-1, 1):
        for number in range(3):
            x = CENTER + side * (torso.shoulder + 31)
            lay_button(canvas, x, torso.shoulder_y + 326 + 10 * number, 2.6, cloth)


def _front(torso: Torso, low: float, overlap: float) -> Points:
    """The right front, from the neck along the lapel's fold to the rounded hem."""
    neck, top = torso.neck, torso.neck_y
    return closed(
        [
            (CENTER + neck, top, 1),
            (CENTER + torso.shoulder - 30, torso.shoulder_y - 11),
            (CENTER + torso.shoulder, torso.shoulder_y, 1),
            (CENTER + torso.shoulder - 9, 182),
            (CENTER + torso.chest, torso.chest_y, 1),
            (CENTER + torso.waist, torso.waist_y),
            (CENTER + torso.hem, torso.hem_y - 6, 1),
            (CENTER + 70, torso.hem_y + 4),
            (CENTER + 30, torso.hem_y + 2),
            (CENTER + 4, torso.hem_y - 30),
            (CENTER - overlap, low + 90),
            (CENTER - overlap, low, 1),
            (CENTER + neck * 0.4, top + 110),
        ]
    )


def _fall(torso: Torso) -> list[tuple[Points, float, float]]:
    return [
        (
            opened(
                [
                    (CENTER + torso.chest - 6, 250),
                    (CENTER + torso.chest - 26, 268),
                    (CENTER + torso.chest - 46, 300),
                ]
            ),
            14,
            -0.24,
        ),
        (opened([(CENTER + 66, 240), (CENTER + 58, 350), (CENTER + 62, 410)]), 26, 0.24),
        (opened([(CENTER + torso.waist - 4, 362), (CENTER + 64, 356), (CENTER + 28, 340)]), 13, -0.22),
        (opened([(CENTER + 92, 430), (CENTER + 96, 480), (CENTER + 100, 530)]), 22, 0.3),
    ]


def _lay_lining(canvas: Canvas, torso: Torso, cloth: Cloth, low: float) -> None:
    inside = symmetric(
        [
            (0, torso.neck_y + 6),
            (torso.neck, torso.neck_y - 4, 1),
            (torso.neck + 20, 150, 1),
            (20, low + 14, 1),
            (0, low + 20),
        ]
    )
    lining = mixed(cloth.main, (92, 88, 92), 0.45)
    canvas.shade(
        canvas.piece(inside, cloth.plain(lining, fabric="satin"), Surface(puff=12, relief=0.3, crumple=1.0)), 0.42
    )
    label = rounded(CENTER - 15, torso.neck_y + 24, CENTER + 15, torso.neck_y + 38, radius=1)
    canvas.lay(canvas.region([label]), (226, 222, 214), opacity=0.75)
    collar = symmetric(
        [
            (0, torso.neck_y - 12),
            (28, torso.neck_y - 14),
            (torso.neck, torso.neck_y - 8, 1),
            (torso.neck + 2, torso.neck_y + 10, 1),
            (24, torso.neck_y + 13),
            (0, torso.neck_y + 14),
        ]
    )
    canvas.piece(collar, cloth.darker(0.14), Surface(puff=6, relief=0.4, crumple=0))


@dataclass(frozen=True, slots=True)
class _Lapel:
    """A form of lapels, and the height of the button that they end at."""

    style: str
    low: float


def _lay_lapel(canvas: Canvas, torso: Torso, cloth: Cloth, lapels: _Lapel, side: int) -> None:
    neck, top, style, low = torso.neck, torso.neck_y, lapels.style, lapels.low
    look = Surface(puff=7, relief=0.42, rim=0.12, crumple=0.15, shadow=0.3, angle=side * 26)
    end = (CENTER - (30.0 if style == "double" else 6.0), low + 3)
    if style == "shawl":
        lapel = closed(
            [
                (CENTER + neck - 8, top - 14, 1),
                (CENTER + neck + 9, top + 2),
                (CENTER + 62, 178),
                (CENTER + 48, 250),
                (*end, 1),
                (CENTER + 18, 220),
                (CENTER + 26, 150),
            ]
        )
        canvas.piece(sided(lapel, side), cloth.plain(mixed(cloth.main, (26, 26, 30), 0.25), fabric="satin"), look)
        return
    tip = (CENTER + 84, 166.0) if style == "double" else (CENTER + 78, 190.0)
    lapel = closed(
        [
            (CENTER + neck - 2, top + 24, 1),
            (CENTER + 54, 158, 1),
            (*tip, 1),
            (CENTER + 62, 232),
            (*end, 1),
            (CENTER + 20, 216),
            (CENTER + 27, 150),
        ]
    )
    canvas.piece(sided(lapel, side), cloth, look)
    collar = closed(
        [
            (CENTER + neck - 8, top - 14, 1),
            (CENTER + neck + 9, top + 2),
            (CENTER + neck + 26, top + 50, 1),
            (CENTER + 53, 164, 1),
            (CENTER + neck - 14, top + 46, 1),
            (CENTER + neck - 12, top + 10),
        ]
    )
    canvas.piece(
        sided(collar, side),
        cloth,
        Surface(puff=6, relief=0.42, rim=0.12, crumple=0.1, shadow=0.22, angle=side * 50),
    )


def _lay_pockets(canvas: Canvas, torso: Torso, cloth: Cloth) -> None:
    for side in (-1, 1):
        flap = closed(
            [
                (CENTER + 36, 412, 1),
                (CENTER + torso.waist - 10, 408, 1),
                (CENTER + torso.waist - 10, 428),
                (CENTER + torso.waist - 18, 431),
                (CENTER + 46, 435),
                (CENTER + 37, 431),
            ]
        )
        canvas.piece(sided(flap, side), cloth, Surface(puff=4, relief=0.36, rim=0.12, crumple=0.1, shadow=0.24))
        canvas.seam(sided(opened([(CENTER + 35, 411), (CENTER + torso.waist - 9, 407)]), side), depth=0.3)
        canvas.seam(
            sided(
                opened(
                    [
                        (CENTER + torso.chest * 0.62, 270),
                        (CENTER + torso.waist * 0.62, 350),
                        (CENTER + torso.waist * 0.66, 404),
                    ]
                ),
                side,
            ),
            depth=0.12,
            width=1,
        )
    welt = closed(
        [
            (CENTER + 58, 236, 1),
            (CENTER + torso.chest - 24, 228, 1),
            (CENTER + torso.chest - 24, 240, 1),
            (CENTER + 58, 248, 1),
        ]
    )
    canvas.piece(welt, cloth, Surface(puff=3, relief=0.4, rim=0.12, crumple=0, shadow=0.2))


def _lay_buttons(canvas: Canvas, style: str, low: float, cloth: Cloth) -> None:
    if style == "double":
        for y in (low + 22, low + 70):
            for x in (-26.0, 26.0):
                lay_button(canvas, CENTER + x, y, 5.2, cloth)
        return
    for y in (low + 14,) if style == "shawl" else (low + 14, low + 72):
        lay_button(canvas, CENTER + 1, y, 5.2, cloth)
