"""Jackets: bomber, trucker, quilted, biker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, closed, opened, ribbon, rounded, sided, symmetric
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.garments.closures import lay_button, lay_zip
from tools.demo_catalog.garments.sleeves import cuff_band, lay_sleeves, sleeve_outline
from tools.demo_catalog.garments.torso import (
    Torso,
    body_folds,
    body_outline,
    hem_band,
    lay_back,
    lay_band,
    neckline,
)
from tools.demo_catalog.garments.truckers import finish_trucker
from tools.demo_catalog.palette import is_dark
from tools.demo_catalog.shading import Fold, Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
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
