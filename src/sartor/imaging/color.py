"""Colors: OKLab, names, and the palette of the product on a photo.

A palette leaves out the background, if the photo's edge has one color, and a person's skin. Without such a
background, as in a snapshot, a mask of the product counts, or else the middle most.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageColor

from sartor.errors import UnknownColor
from sartor.types import Palette

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]
    Flags = npt.NDArray[np.bool_]

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
_CURVE_FROM = 0.04045  # of sRGB; it is linear below

# The words that shops use, with the colors that each stands for: those of CSS, and cloth as photos show it. There,
# black cloth is dark gray, and denim a grayish blue.
SHOWN_NAMES = {
    "black": ("black", "#1c1c1c", "#2a2a2a", "#363636"),
    "gray": ("gray", "dimgray", "darkgray", "slategray", "darkslategray"),
    "silver": ("silver", "lightgray", "gainsboro"),
    "white": ("white", "whitesmoke", "snow", "#eeeeee", "#e4e4e4", "#dadada"),
    "beige": ("beige", "linen", "antiquewhite", "bisque", "wheat", "#bba98a"),
    "tan": ("tan", "burlywood"),
    "khaki": ("darkkhaki",),
    "brown": ("saddlebrown", "sienna", "chocolate", "#553322", "#75675c", "#5c4a3d"),
    "maroon": ("maroon", "darkred"),
    "red": ("red", "crimson", "firebrick"),
    "coral": ("coral", "tomato"),
    "salmon": ("salmon", "darksalmon"),
    "orange": ("orange", "darkorange"),
    "gold": ("gold", "goldenrod"),
    "yellow": ("yellow", "lemonchiffon"),
    "olive": ("olive", "darkolivegreen", "olivedrab"),
    "green": ("green", "forestgreen", "seagreen", "darkgreen", "limegreen", "palegreen", "#99cc99", "#778877"),
    "lime": ("lime", "greenyellow"),
    "teal": ("teal", "darkcyan"),
    "turquoise": ("turquoise", "aquamarine", "cyan"),
    "skyblue": ("skyblue", "lightblue", "deepskyblue"),
    "blue": (
        "blue", "mediumblue", "royalblue", "steelblue", "cornflowerblue", "dodgerblue",
        "#556688", "#6688aa", "#8fa8c2", "#40546e",
    ),
    "navy": ("navy", "midnightblue", "#2b3446", "#224455"),
    "indigo": ("indigo",),
    "purple": ("purple", "darkviolet", "mediumpurple", "#553355", "#775588", "#bb99bb"),
    "lavender": ("lavender", "thistle", "plum"),
    "magenta": ("magenta", "mediumvioletred"),
    "pink": ("pink", "hotpink", "deeppink", "lightpink"),
}  # fmt: skip

COLORS = 8
_SIDE_PX = 64
_BACKGROUND = 0.045  # OKLab distance within which a pixel is of the background's color
_EDGE_SHARE = 0.5  # of the edge's pixels that have one color, where there is a background
_MIN_PRODUCT = 0.04  # share of the pixels; a mask that leaves less has removed the product too
_MIN_WHITE, _MAX_TINT = 0.93, 0.02  # OKLab lightness and chroma of a studio's white
_BRIGHTEST, _MAX_GAIN = 0.98, 1.2  # quantile of the lightness that is white, and how much lighter a photo gets
_TINY = 1e-6
_MIN_KEPT = 0.5  # of the mask; a background that takes more has the color of the product
_MAX_SKIN = 0.35  # of the product's pixels; above it, the product itself has that color
_CB, _CR = (77, 127), (133, 173)
_MIDDLE = 0.3  # standard deviation of the middle's weight, in sides of the photo
_GRID_BITS = 4  # of each channel, for its bin
_BINS = 160  # of a photo, those with most pixels
_COARSE_BITS = 8 - _GRID_BITS
_APART = 0.045  # OKLab distance within which colors are one of a palette
_MIN_COLOR = 0.03  # share of the product; less is a seam between colors, mixed by the reduction
_LIGHTNESS = 0.2, 0.97  # of black and white cloth on a photo


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
    return color_names(lab[None])[0]


def color_names(lab: Floats) -> list[str]:
    """The word for each of some OKLab colors ``(n, 3)``, as ``color_name`` finds it."""
    names, colors = _shown()
    nearest = ((colors - lab[:, None]) ** 2).sum(axis=2).argmin(axis=1)
    return [names[row] for row in nearest]


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


def palette_of_color(rgb: tuple[int, int, int]) -> Palette:
    """The palette of one sRGB color, as cloth of it looks on a photo."""
    lab = oklab(np.array([rgb], np.uint8))
    lab[:, 0] = lab[:, 0].clip(*_LIGHTNESS)
    return Palette(lab, np.ones(1, np.float32))


class ReducedPhoto:
    """An RGB photo in the size in which colors are counted, up to 64 pixels wide and high.

    What is computed of its colors is computed once, for all that asks for it.
    """

    def __init__(self, image: Image.Image) -> None:
        self.image = reduced_for_colors(image)

    @cached_property
    def rgb(self) -> npt.NDArray[np.uint8]:
        """Its pixels, ``(h, w, 3)``."""
        return np.asarray(self.image)

    @cached_property
    def lab(self) -> Floats:
        """The same in OKLab."""
        return oklab(self.rgb)

    @cached_property
    def behind(self) -> Flags:
        """The pixels of its background, ``(h, w)``; see ``background``."""
        return background(self.lab)


def reduced(photo: Image.Image | ReducedPhoto) -> ReducedPhoto:
    """A photo as its colors are counted; one that is reduced stays."""
    return photo if isinstance(photo, ReducedPhoto) else ReducedPhoto(photo)


def palette_of(photo: Image.Image | ReducedPhoto, mask: Floats | None = None) -> Palette:
    """The colors of the product on an RGB photo.

    Args:
        photo: The photo.
        mask: How probably each pixel of ``reduced_for_colors`` shows the product, ``(h, w)``; None to go by the
            background, or by the middle without one. A mask that leaves next to nothing does not count.
    """
    photo = reduced(photo)
    rgb, lab = photo.rgb, photo.lab
    weights = _weights(photo) if mask is None else _masked_weights(photo, mask)
    skin = skin_of(photo.image)
    if weights[skin].sum() <= _MAX_SKIN * weights.sum():
        weights = weights * ~skin
    chosen = weights > 0
    return _summary(rgb[chosen], lab[chosen], weights[chosen])


def reduced_for_colors(image: Image.Image) -> Image.Image:
    """An RGB photo in the size in which colors are counted, up to 64 pixels wide and high."""
    if max(image.size) <= _SIDE_PX:
        return image
    scale = _SIDE_PX / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BOX, reducing_gap=2.0)


def is_on_white(photo: Image.Image | ReducedPhoto) -> bool:
    """Whether an RGB photo shows its product before a studio's white, which needs no mask."""
    photo = reduced(photo)
    lab = photo.lab
    edge = np.concatenate([lab[0], lab[-1], lab[:, 0], lab[:, -1]])
    lightness, green_red, blue_yellow = np.median(edge, axis=0)
    if lightness < _MIN_WHITE or np.hypot(green_red, blue_yellow) > _MAX_TINT:
        return False
    behind = photo.behind
    return bool(behind.any() and behind.mean() <= 1 - _MIN_PRODUCT)


def in_full_light(palette: Palette, photo: Image.Image | ReducedPhoto) -> Palette:
    """A palette as a person would name it, who allows for the light: as if the photo's brightest part were white.

    It is for names. The colors themselves are nearer to those of the catalog as they are.

    Source: E. Land and J. McCann, "Lightness and Retinex Theory" (1971): the brightest patch is taken for white.
    """
    lightness = reduced(photo).lab[..., 0]
    brightest = max(float(np.quantile(lightness, _BRIGHTEST)), _TINY)
    gain = np.float32(np.clip(_LIGHTNESS[1] / brightest, 1, _MAX_GAIN))
    return Palette(palette.colors * gain, palette.shares)


def _masked_weights(photo: ReducedPhoto, mask: Floats) -> Floats:
    """The weight of each pixel by a mask, ``(h, w)``."""
    sure = np.where(mask > 0.5, mask, 0).astype(np.float32)  # noqa: PLR2004 - more likely than not
    if (sure > 0).mean() < _MIN_PRODUCT:
        return _weights(photo)
    before = sure * ~photo.behind
    return before if before.sum() >= _MIN_KEPT * sure.sum() else sure


def _weights(photo: ReducedPhoto) -> Floats:
    """The weight of each pixel, ``(h, w)``: 0 or 1 before a background, else highest in the middle."""
    behind = photo.behind
    if behind.any() and behind.mean() <= 1 - _MIN_PRODUCT:
        return np.asarray(~behind, np.float32)
    height, width = behind.shape
    y = (np.arange(height) + 0.5) / height - 0.5
    x = (np.arange(width) + 0.5) / width - 0.5
    return np.asarray(np.exp(-(y[:, None] ** 2 + x[None, :] ** 2) / (2 * _MIDDLE**2)), np.float32)


def background(lab: Floats) -> Flags:
    """The pixels that the edge's one color reaches from the edge, ``(h, w)``; none if it has several."""
    edge = np.concatenate([lab[0], lab[-1], lab[:, 0], lab[:, -1]])
    near = _distance(lab, np.median(edge, axis=0)) < _BACKGROUND
    if np.concatenate([near[0], near[-1], near[:, 0], near[:, -1]]).mean() < _EDGE_SHARE:
        return np.zeros_like(near)
    reach = np.logical_and.accumulate
    return (
        reach(near, axis=0)
        | reach(near[::-1], axis=0)[::-1]
        | reach(near, axis=1)
        | reach(near[:, ::-1], axis=1)[:, ::-1]
    )


def _distance(lab: Floats, color: Floats) -> Floats:
    return np.asarray(np.sqrt(((lab - color) ** 2).sum(axis=-1)), np.float32)


def skin_of(image: Image.Image) -> Flags:
    """The pixels with the color of skin, ``(h, w)``.

    Source of the bounds: D. Chai and K. Ngan, "Face segmentation using skin-color map" (1999).
    """
    ycbcr = np.asarray(image.convert("YCbCr"))
    cb, cr = ycbcr[..., 1], ycbcr[..., 2]
    return np.asarray((cb >= _CB[0]) & (cb <= _CB[1]) & (cr >= _CR[0]) & (cr <= _CR[1]))


def _summary(rgb: npt.NDArray[np.uint8], lab: Floats, weights: Floats) -> Palette:
    """The palette of pixels ``(n, 3)`` with weights ``(n,)``.

    The color with most of the product near it is taken with all that is near, then again among the rest. Then each
    pixel's color is assigned to the nearest of them, and these move to their mean, as in one step of k-means.
    """
    bins, shares = _binned(rgb, lab, weights)
    near = _squared_distances(bins, bins) < _APART**2  # (b, b)
    left = shares.copy()
    peaks: list[int] = []
    while not peaks or (len(peaks) < COLORS and left.sum() >= _MIN_COLOR * shares.sum()):
        peaks.append(int((near @ left * (left > 0)).argmax()))
        left[near[peaks[-1]]] = 0
    apart = _squared_distances(bins[peaks], bins)  # (c, b)
    assigned = (apart.argmin(axis=0) == np.arange(len(peaks))[:, None]) * shares  # (c, b)
    covered = assigned.sum(axis=1)
    kept = np.argsort(-covered, kind="stable")[: int((covered >= _MIN_COLOR * covered.sum()).sum())]
    colors = (assigned @ bins)[kept] / covered[kept, None]
    return Palette(np.asarray(colors, np.float32), np.asarray(covered[kept] / covered[kept].sum(), np.float32))


def _binned(rgb: npt.NDArray[np.uint8], lab: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Mean colors ``(b, 3)`` and weights ``(b,)`` of the heaviest bins of a coarse grid."""
    coarse = (rgb >> _COARSE_BITS).astype(np.int64)
    bins, counts = numbered((coarse[:, 0] << _GRID_BITS | coarse[:, 1]) << _GRID_BITS | coarse[:, 2])
    shares = np.bincount(bins, weights, minlength=len(counts))
    sums = [np.bincount(bins, weights * lab[:, axis], minlength=len(counts)) for axis in range(3)]
    heaviest = np.argsort(-shares, kind="stable")[:_BINS]
    means = np.stack(sums, axis=1) / shares[:, None]
    return np.asarray(means[heaviest], np.float32), np.asarray(shares[heaviest], np.float32)


def numbered(cells: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Number the cells of a grid that are filled, from 0 in their order.

    Args:
        cells: The cell of each pixel, ``(n,)``, from 0 to some thousands.

    Returns:
        The number of each pixel's cell, ``(n,)``, and how many pixels each number has.
    """
    counts = np.bincount(cells)
    filled = counts > 0
    return (np.cumsum(filled) - 1)[cells], counts[filled]


def _squared_distances(some: Floats, others: Floats) -> Floats:
    """``(n, 3)`` and ``(m, 3)`` to ``(n, m)``."""
    squares = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)
    return np.asarray(squares - 2 * some @ others.T, np.float32)
