"""Colors as people see them apart: OKLab, and the names that the web has for colors.

Source of the formulas: B. Ottosson, "A perceptual color space for image processing" (2020),
https://bottosson.github.io/posts/oklab/; of sRGB's curve: IEC 61966-2-1.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import ImageColor

from sartor.errors import UnknownColor

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

_TO_LMS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929],
     [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]], np.float32,
)  # fmt: skip
_TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468],
     [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]], np.float32,
)  # fmt: skip
_CURVE_FROM = 0.04045  # of sRGB: below it is a line

# The words that shops use, and which colors of CSS each of them stands for.
SHOWN_NAMES = {
    "black": ("black",),
    "gray": ("gray", "dimgray", "darkgray", "slategray", "darkslategray"),
    "silver": ("silver", "lightgray", "gainsboro"),
    "white": ("white", "whitesmoke", "snow"),
    "beige": ("beige", "linen", "antiquewhite", "bisque", "wheat"),
    "tan": ("tan", "burlywood"),
    "khaki": ("darkkhaki",),
    "brown": ("saddlebrown", "sienna", "chocolate"),
    "maroon": ("maroon", "darkred"),
    "red": ("red", "crimson", "firebrick"),
    "coral": ("coral", "tomato"),
    "salmon": ("salmon", "darksalmon"),
    "orange": ("orange", "darkorange"),
    "gold": ("gold", "goldenrod"),
    "yellow": ("yellow", "lemonchiffon"),
    "olive": ("olive", "darkolivegreen", "olivedrab"),
    "green": ("green", "forestgreen", "seagreen", "darkgreen", "limegreen", "palegreen"),
    "lime": ("lime", "greenyellow"),
    "teal": ("teal", "darkcyan"),
    "turquoise": ("turquoise", "aquamarine", "cyan"),
    "skyblue": ("skyblue", "lightblue", "deepskyblue"),
    "blue": ("blue", "mediumblue", "royalblue", "steelblue", "cornflowerblue", "dodgerblue"),
    "navy": ("navy", "midnightblue"),
    "indigo": ("indigo",),
    "purple": ("purple", "darkviolet", "mediumpurple"),
    "lavender": ("lavender", "thistle", "plum"),
    "magenta": ("magenta", "mediumvioletred"),
    "pink": ("pink", "hotpink", "deeppink", "lightpink"),
}


def oklab(rgb: npt.NDArray[np.uint8]) -> Floats:
    """SRGB in 0..255, ``(…, 3)``, to lightness in [0, 1] and the green-red and blue-yellow axes, in about ±0.4.

    The euclidean distance of two colors is how different they look; 0.02 is just noticeable.
    """
    linear = _linear()[rgb]  # (…, 3)
    return np.asarray(np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T, np.float32)


def named_color(text: str) -> tuple[int, int, int]:
    """The sRGB color of a name of CSS, or of ``#rrggbb``; spaces and case do not count.

    Source of the names: W3C, CSS Color Module Level 4, section 6.1, as Pillow has them.

    Raises:
        UnknownColor: It is neither.
    """
    try:
        red, green, blue = ImageColor.getrgb(text.strip().lower().replace(" ", ""))[:3]
    except ValueError as error:
        raise UnknownColor(text, known=sorted(ImageColor.colormap)) from error
    return red, green, blue


def color_name(lab: Floats) -> str:
    """The word that shops use for the color of CSS that looks most like an OKLab color ``(3,)``."""
    names, colors = _shown()
    return names[int(((colors - lab) ** 2).sum(axis=1).argmin())]


@cache
def _linear() -> Floats:
    share = np.arange(256, dtype=np.float64) / 255
    curve = np.where(share <= _CURVE_FROM, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return curve.astype(np.float32)


@cache
def _shown() -> tuple[tuple[str, ...], Floats]:
    pairs = [(word, name) for word, names in SHOWN_NAMES.items() for name in names]
    colors = oklab(np.array([named_color(name) for _, name in pairs], np.uint8))
    return tuple(word for word, _ in pairs), colors
