"""The colors that a shop sells, by the names and shades that catalogs use, and which colors go with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tools.demo_catalog.product import Design

    Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Shade:
    """A color of cloth.

    Attributes:
        color: The name in the catalog's own words, spelled as in Kaggle's "Fashion Product Images".
        name: What a title calls it.
        rgb: In sRGB.
    """

    color: str
    name: str
    rgb: Rgb


_SHADES: dict[str, dict[str, Rgb]] = {
    "Black": {"Black": (38, 38, 41), "Jet": (30, 31, 34), "Ink": (40, 41, 48)},
    "Charcoal": {"Charcoal": (74, 76, 82), "Graphite": (84, 86, 90)},
    "Grey": {"Ash Grey": (160, 162, 165), "Slate Grey": (120, 125, 132), "Dove Grey": (190, 190, 190)},
    "White": {"White": (245, 245, 245), "Chalk": (242, 241, 238)},
    "Off White": {"Ivory": (240, 233, 219), "Ecru": (233, 226, 210)},
    "Cream": {"Cream": (240, 226, 194), "Vanilla": (243, 230, 203)},
    "Beige": {"Sand": (214, 193, 162), "Oat": (221, 204, 178), "Biscuit": (203, 180, 148)},
    "Khaki": {"Khaki": (172, 154, 112), "Safari": (156, 141, 101)},
    "Tan": {"Tan": (196, 146, 96), "Camel": (188, 138, 88), "Cognac": (170, 108, 60)},
    "Brown": {"Chocolate": (88, 60, 45), "Walnut": (112, 78, 56), "Chestnut": (124, 74, 50)},
    "Rust": {"Rust": (172, 82, 46), "Terracotta": (184, 98, 70)},
    "Orange": {"Tangerine": (232, 124, 48), "Burnt Orange": (210, 102, 46)},
    "Peach": {"Peach": (247, 192, 160), "Apricot": (246, 178, 138)},
    "Mustard": {"Mustard": (208, 156, 44), "Ochre": (196, 142, 50)},
    "Yellow": {"Lemon": (247, 218, 92), "Sunflower": (244, 198, 58)},
    "Olive": {"Olive": (102, 104, 62), "Moss": (116, 114, 68)},
    "Green": {"Emerald": (28, 122, 84), "Forest Green": (42, 86, 62), "Fern": (92, 144, 92)},
    "Sea Green": {"Sage": (150, 178, 156), "Mint": (170, 212, 190)},
    "Teal": {"Teal": (22, 110, 114), "Peacock": (26, 126, 128)},
    "Turquoise Blue": {"Turquoise": (72, 182, 194), "Lagoon": (86, 170, 190)},
    "Blue": {"Cobalt": (42, 84, 162), "Cornflower": (96, 138, 198), "Sky Blue": (150, 188, 220)},
    "Navy Blue": {"Navy": (32, 42, 76), "Midnight Blue": (28, 36, 64), "Marine": (38, 52, 92)},
    "Purple": {"Plum": (98, 50, 100), "Violet": (114, 78, 154)},
    "Lavender": {"Lavender": (192, 178, 220), "Lilac": (204, 184, 216)},
    "Pink": {"Blush": (240, 192, 198), "Rose": (224, 126, 150), "Dusty Pink": (216, 160, 164)},
    "Magenta": {"Fuchsia": (192, 40, 114)},
    "Red": {"Scarlet": (204, 36, 42), "Cherry": (176, 26, 44), "Poppy": (216, 54, 48)},
    "Maroon": {"Maroon": (106, 28, 42), "Oxblood": (92, 30, 38)},
    "Burgundy": {"Burgundy": (114, 32, 56), "Bordeaux": (122, 34, 52)},
    "Silver": {"Silver": (196, 198, 202)},
    "Gold": {"Gold": (206, 170, 98)},
}

COLORS: dict[str, tuple[Shade, ...]] = {
    color: tuple(Shade(color, name, rgb) for name, rgb in shades.items()) for color, shades in _SHADES.items()
}


WHITE: Rgb = (246, 245, 243)
BLACK: Rgb = (36, 36, 39)


def is_dark(rgb: Rgb, *, below: float = 0.3) -> bool:
    """Whether a color is less light than a bound."""
    return lightness(rgb) < below


def lightness(rgb: Rgb) -> float:
    """How light a color is, in [0, 1]."""
    return (0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2]) / 255


DENIM: tuple[Shade, ...] = (
    Shade("Blue", "Mid Blue", (78, 108, 156)),
    Shade("Blue", "Light Wash", (138, 166, 200)),
    Shade("Navy Blue", "Dark Indigo", (42, 54, 88)),
    Shade("Black", "Washed Black", (52, 53, 57)),
    Shade("Grey", "Stone Grey", (142, 145, 150)),
    Shade("Off White", "Ecru", (233, 226, 210)),
)
GOLD: Rgb = (206, 170, 98)
STEEL: Rgb = (188, 191, 196)
ROSE_GOLD: Rgb = (206, 158, 136)
COGNAC: Rgb = (164, 104, 60)


def shades_of(name: str) -> tuple[Shade, ...]:
    """The shades that go by a color's name; ``Denim`` stands for all washes."""
    return DENIM if name == "Denim" else COLORS[name]


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
