"""Which colors go with a product's own: of its pattern, its trim, its metal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tools.demo_catalog.palette import COGNAC, GOLD, ROSE_GOLD, STEEL, WHITE, is_dark

if TYPE_CHECKING:
    from tools.demo_catalog.palette import Shade
    from tools.demo_catalog.product import Design

    Rgb = tuple[int, int, int]

_DARK: tuple[Rgb, ...] = ((32, 42, 76), (38, 38, 41), (102, 34, 46), (42, 86, 62), (88, 60, 45))
_LIGHT: tuple[Rgb, ...] = (WHITE, (240, 230, 208), (246, 236, 224))
_LIVELY: tuple[Rgb, ...] = (
    (208, 156, 44),
    (200, 84, 62),
    (86, 140, 104),
    (86, 130, 186),
    (226, 140, 156),
    (110, 170, 172),
)
_DIALS: tuple[Rgb, ...] = ((246, 245, 243), (32, 42, 76), (34, 34, 37), (238, 228, 206), (30, 74, 60))
_LENSES: tuple[Rgb, ...] = ((52, 52, 58), (100, 72, 52), (60, 84, 66), (46, 78, 116))
_METALS = {"Silver": STEEL, "Gold": GOLD}
_LIGHT_GROUND = 0.56
_APART = 120  # sum of what channels differ by


def accents_of(design: Design, shade: Shade) -> tuple[Rgb, Rgb]:
    """The two further colors of a product, the same whenever it is asked."""
    rng = np.random.default_rng([design.seed, *shade.rgb])
    kind = design.article_type
    if kind == "Watches":
        own = _METALS.get(shade.color)
        case = own or (STEEL, GOLD, ROSE_GOLD)[design.seed % 3]
        return _chosen(_DIALS, rng), case
    if kind == "Sunglasses":
        return _chosen(_LENSES, rng), GOLD
    if kind == "Belts":
        return WHITE, STEEL if design.seed % 2 else GOLD
    if kind == "Backpacks":
        return WHITE, (74, 52, 40) if is_dark(shade.rgb) and design.seed % 2 else COGNAC
    return _of_cloth(design, shade, rng)


def _of_cloth(design: Design, shade: Shade, rng: np.random.Generator) -> tuple[Rgb, Rgb]:
    is_light = not is_dark(shade.rgb, below=_LIGHT_GROUND)
    contrast = _chosen(_DARK if is_light else _LIGHT, rng)
    shoes = design.article_type == "Casual Shoes"
    if shoes or design.motif in ("flowers", "leaves", "brush marks"):
        return _flowery(rng, is_light=is_light, contrast=contrast, shoes=shoes)
    if design.motif in ("tartan", "glen check", "argyle"):
        return (_chosen(_DARK, rng) if is_light else WHITE), (24, 26, 36) if design.motif == "tartan" else contrast
    return contrast, _apart(_LIVELY, shade.rgb, rng)


def _flowery(rng: np.random.Generator, *, is_light: bool, contrast: Rgb, shoes: bool) -> tuple[Rgb, Rgb]:
    lively = _chosen(_LIVELY, rng)
    if shoes:
        return (contrast if is_light and rng.integers(2) else WHITE), lively
    return (lively, (74, 116, 84)) if is_light else (contrast, lively)


def _chosen(colors: tuple[Rgb, ...], rng: np.random.Generator) -> Rgb:
    return colors[int(rng.integers(len(colors)))]


def _apart(colors: tuple[Rgb, ...], rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """One of the colors that differ from a given one."""
    far = [color for color in colors if sum(abs(a - b) for a, b in zip(color, rgb, strict=True)) > _APART]
    return far[int(rng.integers(len(far)))] if far else colors[0]
