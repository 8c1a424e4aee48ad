"""The colors that a shop sells: names as catalogs have them, and the shades that go by each name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
