"""Families of colors: which of a catalog's color words are called by the same basic word.

Source of the basic words: B. Berlin and P. Kay, "Basic Color Terms" (1969), with beige, which shops tell apart.
"""

from __future__ import annotations

import re

_WORDS = {
    "black": "black, charcoal, jet, ebony",
    "gray": "gray, grey, silver, steel, melange, gunmetal, metallic, slate",
    "white": "white, ivory, snow, pearl",
    "beige": "beige, cream, khaki, tan, sand, nude, skin, taupe, camel, ecru",
    "brown": "brown, coffee, chocolate, copper, bronze, cognac, walnut",
    "red": "red, maroon, burgundy, rust, wine, crimson, scarlet",
    "orange": "orange, peach, coral, salmon, apricot",
    "yellow": "yellow, gold, golden, mustard, lemon",
    "green": "green, olive, lime, mint, emerald, teal",
    "blue": "blue, navy, turquoise, cyan, indigo, aqua, denim, skyblue",
    "purple": "purple, lavender, violet, mauve, plum, lilac",
    "pink": "pink, rose, magenta, fuchsia, blush",
}
_FAMILY = {word: family for family, words in _WORDS.items() for word in words.split(", ")}


def color_family(name: str) -> str:
    """The family of a color's name, by its last word that has one: ``Navy Blue`` is blue, ``Grey Melange`` gray.

    A name without such a word is a family of its own.
    """
    words = re.findall(r"[a-z]+", name.lower())
    return next((_FAMILY[word] for word in reversed(words) if word in _FAMILY), name.strip().lower())
