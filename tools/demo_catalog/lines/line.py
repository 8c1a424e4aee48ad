"""What a line of products is, and what many lines share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Products of one form.

    Attributes:
        article_type: As in Kaggle's "Fashion Product Images".
        noun: What a title calls it.
        style: The form, as its drawing knows it.
        genders: For whom; one is taken for each design.
        cloths: Fabric and what the shop calls the material.
        colors: Names of the palette; ``Denim`` stands for all washes.
        price: From and to, in whole US dollars.
        motifs: Patterns; an empty name is plain cloth. One that is named twice comes up twice as often.
        sleeves: Sleeve lengths.
        lengths: Lengths.
        necks: Necklines.
        usages: What it is worn for.
        seasons: When it is worn.
    """

    article_type: str
    noun: str
    style: str
    genders: tuple[str, ...]
    cloths: tuple[tuple[str, str], ...]
    colors: tuple[str, ...]
    price: tuple[int, int]
    motifs: tuple[str, ...] = ("",)
    sleeves: tuple[str, ...] = ("",)
    lengths: tuple[str, ...] = ("",)
    necks: tuple[str, ...] = ("",)
    usages: tuple[str, ...] = ("Casual",)
    seasons: tuple[str, ...] = ("Summer", "Fall", "Spring", "Winter")


MEN = ("Men",)
WOMEN = ("Women",)
UNISEX = ("Unisex",)
BOTH = ("Men", "Women")
ALL = ("Men", "Men", "Men", "Women", "Women", "Women", "Boys", "Girls")
BRIGHT = (
    "Black", "White", "Grey", "Navy Blue", "Blue", "Red", "Green", "Olive", "Mustard", "Pink", "Teal", "Maroon",
    "Purple", "Orange", "Yellow", "Peach", "Lavender", "Turquoise Blue", "Sea Green", "Beige", "Rust",
)  # fmt: skip
MUTED = (
    "Black", "Charcoal", "Grey", "Navy Blue", "Beige", "Cream", "Olive", "Burgundy", "Brown", "Rust", "Mustard",
    "Green", "Teal", "Off White", "Pink",
)  # fmt: skip
DRESSY = (
    "Black", "Navy Blue", "Red", "Burgundy", "Green", "Teal", "Pink", "Peach", "Lavender", "Purple", "Magenta",
    "Cream", "Mustard", "Blue", "Rust", "Beige", "Maroon",
)  # fmt: skip
SHIRTING = (
    "White",
    "Blue",
    "Navy Blue",
    "Pink",
    "Grey",
    "Off White",
    "Lavender",
    "Sea Green",
    "Black",
    "Olive",
    "Beige",
)
TAILORED = ("Black", "Navy Blue", "Charcoal", "Grey", "Beige", "Khaki", "Olive", "Brown", "Cream", "Burgundy")
HIDES = ("Black", "Brown", "Tan", "Maroon", "Navy Blue", "Beige", "Olive")
BAGS = (
    "Black",
    "Tan",
    "Brown",
    "Beige",
    "Maroon",
    "Red",
    "Navy Blue",
    "Olive",
    "Cream",
    "Pink",
    "Mustard",
    "Green",
    "Grey",
)
COOL = ("Fall", "Winter")
WARM = ("Summer", "Spring")
STRIPES = ("breton", "wide stripes", "trio stripes")
LEATHER = (("leather", "Leather"),)
