"""What the numbers of a photo mean as colors, and the way from there to sRGB.

A photo says it by an ICC profile, by the code points of video (CICP: PNG's ``cICP``, the ``nclx`` of AVIF and
HEIC), or by a gamma and chromaticities (PNG). The last two are made into an ICC profile, so that one library,
LittleCMS, does all conversions but one: the light of HDR photos is compressed into what a screen of sRGB shows.
"""

from __future__ import annotations

import io
import math
import struct
from functools import cache, lru_cache
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageFilter

from sartor.limits import MAX_PROFILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt
    from PIL import ImageCms

    Floats = npt.NDArray[np.float64]

_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}  # of ICC profiles, by Pillow's mode
_SAME = 1  # levels by which sRGB profiles differ from each other
_BINS = 49  # of the table for HDR photos, along each side
_SDR_NITS = 203.0  # of white, as paper is, in HDR; source: ITU-R BT.2408
_HDR_NITS = 1_000.0  # that a photo's light goes up to, where it does not say
_BEND = 1.65  # the light towards which the curve of what is brighter than white begins


class Cicp(NamedTuple):
    """Code points of ITU-T H.273: the colors of red, green and blue, and the curve from light to numbers."""

    primaries: int
    transfer: int


class Gamma(NamedTuple):
    """A curve, light = number ** exponent, and the chromaticities of white, red, green and blue."""

    exponent: float
    chromaticities: tuple[float, ...]


Meaning = bytes | Cicp | Gamma | None  # None is sRGB; bytes are an ICC profile

_D65, _DCI, _C, _E = (0.3127, 0.3290), (0.314, 0.351), (0.310, 0.316), (1 / 3, 1 / 3)
SRGB = (*_D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
_PAL = (*_D65, 0.640, 0.330, 0.290, 0.600, 0.150, 0.060)
_NTSC = (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070)
_P3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
_CHROMATICITIES = {  # ITU-T H.273, table 2
    1: SRGB,
    4: (*_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: _PAL,
    6: _NTSC,
    7: _NTSC,
    8: (*_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    10: (*_E, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
    11: (*_DCI, *_P3),
    12: (*_D65, *_P3),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
SRGB_CURVE, BT709_CURVES = 13, frozenset({1, 6, 11, 14, 15})
_PQ, _HLG = 16, 18


def _srgb(level: float) -> float:
    return level / 12.92 if level <= 0.04045 else math.pow((level + 0.055) / 1.055, 2.4)  # noqa: PLR2004


def _bt1886(level: float) -> float:
    """The light of a screen for what BT.709's curve was made into: it is no inverse of that curve."""
    return math.pow(level, 2.4)


def _smpte240(level: float) -> float:
    return level / 4 if level < 0.0913 else math.pow((level + 0.1115) / 1.1115, 1 / 0.45)  # noqa: PLR2004


def _pq(level: float) -> float:
    """SMPTE ST 2084, to light relative to white."""
    power = math.pow(level, 1 / 78.84375)
    light = max(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
    return 10_000 / _SDR_NITS * math.pow(light, 1 / 0.1593017578125)


def _hlg(level: float) -> float:
    """ARIB STD-B67, to light of the scene relative to its brightest."""
    if level <= 0.5:  # noqa: PLR2004
        return level**2 / 3
    return (math.exp((level - 0.55991073) / 0.17883277) + 0.28466892) / 12


# ITU-T H.273, table 3; from numbers to light, both from 0 to 1. Like browsers, it leaves out the logarithmic ones.
_CURVES: dict[int, Callable[[float], float]] = {
    **dict.fromkeys(BT709_CURVES, _bt1886),
    4: lambda level: level**2.2,
    5: lambda level: level**2.8,
    7: _smpte240,
    8: lambda level: level,
    SRGB_CURVE: _srgb,
    _PQ: _pq,
    17: lambda level: level**2.6 * 52.37 / 48,
    _HLG: _hlg,
}


def to_srgb(image: Image.Image, meaning: Meaning) -> Image.Image:
    """An image of mode L, RGB or CMYK as RGB, by what its numbers mean.

    A profile that is broken, or of another kind of colors than the image, does not count, as in browsers.
    """
    if isinstance(meaning, Cicp) and meaning.transfer in {_PQ, _HLG}:
        table = _hdr_table(meaning)
        return image.convert("RGB").filter(table) if table else image.convert("RGB")
    profile = profile_of(meaning) if isinstance(meaning, Cicp | Gamma) else meaning
    if profile is None or len(profile) > MAX_PROFILE_BYTES:
        return image.convert("RGB")
    if image.mode == "L" and not _is_of_gray(profile):
        image = image.convert("RGB")
    transform = _transform_to_srgb(profile, image.mode)
    return transform.apply(image) if transform else image.convert("RGB")


def _is_of_gray(profile: bytes) -> bool:
    return profile[16:20] == b"GRAY"


@lru_cache(maxsize=16)
def _transform_to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The conversion from an ICC profile; None if it changes nothing, or cannot be used."""
    from PIL import ImageCms  # a second library that few photos need

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _SPACES[mode]:
            return None
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, ImportError, OSError, ValueError):
        return None
    return None if mode == "RGB" and _changes_nothing(transform) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether a conversion is from sRGB: tried on grays and colors, since names of profiles are often wrong."""
    tried = _tried()
    given, taken = tried.tobytes(), transform.apply(tried).tobytes()
    return all(abs(one - other) <= _SAME for one, other in zip(given, taken, strict=True))


@cache
def _tried() -> Image.Image:
    colors = [*product(range(0, 256, 51), repeat=3), *((level,) * 3 for level in range(256))]
    return Image.frombytes("RGB", (len(colors), 1), bytes(level for color in colors for level in color))


@lru_cache(maxsize=16)
def profile_of(meaning: Cicp | Gamma) -> bytes | None:
    """An ICC profile for code points, or for a gamma and chromaticities; None if they are sRGB or mean nothing.

    Source: ICC.1:2001-04.
    """
    import numpy as np

    if isinstance(meaning, Gamma):
        chromaticities, exponent = meaning.chromaticities, meaning.exponent
        curve: Callable[[float], float] | None = lambda level: level**exponent  # noqa: E731
    else:
        chromaticities, curve = _of_code_points(meaning)
    to_xyz = _to_xyz(chromaticities)
    if curve is None or to_xyz is None:
        return None
    # 256 points, one for each level of a channel, so that nothing is interpolated.
    light = [round(65535 * min(max(curve(level / 255), 0.0), 1.0)) for level in range(256)]
    to_d50 = _adapted(chromaticities[:2]) @ to_xyz
    columns = [np.rint(column * 65536).astype(int).tolist() for column in to_d50.T]
    tags = [struct.pack(">4s4x3i", b"XYZ ", *column) for column in columns]
    tags.append(struct.pack(">4s4xI256H", b"curv", 256, *light))
    begin = 128 + 4 + 12 * 7
    places = [begin, begin + 20, begin + 40, *[begin + 60] * 3]
    names = [b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"]
    sizes = [20, 20, 20, *[len(tags[-1])] * 3]
    white = struct.pack(">4s4x3i", b"XYZ ", *_D50)
    body = b"".join(tags) + white
    table = struct.pack(">I", 7) + b"".join(
        struct.pack(">4sII", *entry)
        for entry in zip([*names, b"wtpt"], [*places, begin + len(body) - 20], [*sizes, 20], strict=True)
    )
    header = struct.pack(">I4xI", begin + len(body), 0x02400000) + b"mntrRGB XYZ " + bytes(12) + b"acsp"
    header = (header + bytes(28) + struct.pack(">3i", *_D50)).ljust(128, b"\0")
    return header + table + body


_D50 = 0xF6D6, 0x10000, 0xD32D  # the white of all profiles, in 1/65536
_BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


def _of_code_points(meaning: Cicp) -> tuple[tuple[float, ...], Callable[[float], float] | None]:
    """Chromaticities and curve; sRGB's for what is not known, as in browsers."""
    return _CHROMATICITIES.get(meaning.primaries, SRGB), _CURVES.get(meaning.transfer, _srgb)


def _to_xyz(chromaticities: tuple[float, ...]) -> Floats | None:
    """The matrix from light of red, green and blue, ``(3, 3)``; None if they span no colors."""
    import numpy as np

    points = np.array(chromaticities, np.float64).reshape(4, 2)
    if points[0, 1] <= 0:
        return None
    xyz = np.concatenate([points, 1 - points.sum(axis=1, keepdims=True)], axis=1).T  # (3, 4)
    colors, white = xyz[:, 1:], xyz[:, 0] / xyz[1, 0]
    try:
        shares = np.linalg.solve(colors, white)
    except np.linalg.LinAlgError:
        return None
    return np.asarray(colors * shares, np.float64)


def _adapted(white: tuple[float, ...]) -> Floats:
    """The matrix from colors under a white to those under D50, ``(3, 3)``, by Bradford's method."""
    import numpy as np

    bradford = np.array(_BRADFORD)
    x, y = white
    here = bradford @ np.array([x / y, 1, (1 - x - y) / y])
    there = bradford @ (np.array(_D50) / 65536)
    return np.asarray(np.linalg.inv(bradford) @ np.diag(there / here) @ bradford, np.float64)


def _compressed(light: Floats, brightest: float) -> Floats:
    """Light relative to white, up to ``brightest``, as light from 0 to 1.

    Up to white it is halved, so that there is room for what is brighter: that follows a Bézier curve, which begins
    with the same slope. Measured, Chromium shows HDR photos so on a screen of sRGB; they differ by 0.005 at most.
    """
    import numpy as np

    share = np.linspace(0, 1, 256)
    before, between, after = (1 - share) ** 2, 2 * share * (1 - share), share**2
    of_light = before + between * _BEND + after * brightest
    shown = before / 2 + between * _BEND / 2 + after
    return np.where(light <= 1, light / 2, np.interp(light, of_light, shown))


@lru_cache(maxsize=4)
def _hdr_table(meaning: Cicp) -> ImageFilter.Color3DLUT | None:
    """The conversion of an HDR photo: its light is compressed by the brightest channel, so that hues stay."""
    import numpy as np

    chromaticities, curve = _of_code_points(meaning)
    to_xyz, to_srgb_ = _to_xyz(chromaticities), _to_xyz(SRGB)
    if to_xyz is None or to_srgb_ is None or curve is None:
        return None
    light = np.array([curve(index / (_BINS - 1)) for index in range(_BINS)])
    blue, green, red = np.meshgrid(light, light, light, indexing="ij")
    rgb = np.stack([red, green, blue], axis=-1).reshape(-1, 3)
    brightest = _HDR_NITS / _SDR_NITS
    if meaning.transfer == _HLG:  # BT.2100: the screen's gamma of 1.2 is on the luminance
        luminance = rgb @ to_xyz[1]
        rgb = brightest * rgb * np.maximum(luminance, 1e-9)[:, None] ** 0.2
    rgb = np.minimum(rgb, brightest)
    peak = np.maximum(rgb.max(axis=1, keepdims=True), 1e-9)
    rgb = rgb * _compressed(peak, brightest) / peak
    rgb = (rgb @ (np.linalg.inv(to_srgb_) @ to_xyz).T).clip(0, 1)
    shown = np.where(rgb <= 0.0031308, rgb * 12.92, 1.055 * rgb ** (1 / 2.4) - 0.055)  # noqa: PLR2004
    return ImageFilter.Color3DLUT(_BINS, shown.astype(np.float32).ravel())
