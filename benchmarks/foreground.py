"""The mask of the product on photos that people took: against outlines and colors told by hand, and its time."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - Typer reads it
from typing import TYPE_CHECKING, Annotated
from zipfile import ZipFile

import numpy as np
import typer
from PIL import Image, ImageDraw

from benchmarks.data import PEOPLES_PHOTOS, SHARED_DATA, Data, Outline, data_file, peoples_photos
from benchmarks.report import Figure, Report, Target
from sartor.config import Settings
from sartor.encoders.foreground import Foreground
from sartor.encoders.registry import DEFAULT_MODEL
from sartor.evaluation.sheets import SheetRow, Tile, write_sheet
from sartor.imaging import decode
from sartor.imaging.color import background as flat_background
from sartor.imaging.color import in_full_light, is_on_white, oklab, palette_of, reduced_for_colors
from sartor.imaging.foreground import product_mask
from sartor.recommend.features import color_family, color_words
from sartor.shop.library import open_encoder, open_models

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from sartor.encoders.encoder import Encoder
    from sartor.types import Palette

    Flags = npt.NDArray[np.bool_]

_MANY = "multicolor"
_ELLIPSE = 0.8  # of both sides: of the ellipses in the middle, one that agrees best with such outlines
_SHOWN = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldPhoto:
    """A photo, and what a person says of it.

    Attributes:
        name: Its id.
        image: The photo, as a query is decoded.
        colors: Families of its colors, the main one first; empty if it was not told, or has many.
        outlines: Polygons around the product, in shares of both sides; empty if none were drawn.
    """

    name: str
    image: Image.Image
    colors: tuple[str, ...]
    outlines: tuple[Outline, ...]


def foreground(
    *,
    data: Data = SHARED_DATA,
    photos: Annotated[int, typer.Option(help="How many photos at most.")] = 1_000,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Writes masks to look at, .html or .png.")
    ] = None,
) -> Report:
    """The product's mask on people's photos against outlines by hand, its colors against those seen."""
    models = open_models(Settings())
    card = models.card(DEFAULT_MODEL)
    head = Foreground.read(models.folders()[card.id], card)
    if head is None:
        message = f"{card.id} has no foreground head"
        raise typer.BadParameter(message)
    with open_encoder(Settings(), models, card) as encoder:
        measured = [_measured(photo, encoder, head) for photo in _told(data, photos, max(card.size_px))]
        times = _times([each.photo.image for each in measured[:40]], encoder, head)
    if sheet is not None:
        write_sheet(sheet, [_row(each) for each in measured if each.photo.outlines][:_SHOWN])
    return _report(measured, times, photos)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    photo: ToldPhoto
    mask: Flags
    overlaps: Mapping[str, float]  # intersection over union by method; empty without outlines
    before: Palette
    after: Palette


def _told(data: Path, limit: int, fit_px: int) -> Iterator[ToldPhoto]:
    with ZipFile(data_file(data, PEOPLES_PHOTOS)) as archive:
        for label in peoples_photos()[:limit]:
            named = (label.color, label.second)
            encoded = archive.read(f"images/{label.id}.jpg")
            yield ToldPhoto(
                name=label.id,
                image=decode(encoded, name=label.id, fit_px=fit_px).image,
                colors=tuple(color for color in named if color) if _MANY not in named else (),
                outlines=label.outlines,
            )


def _measured(photo: ToldPhoto, encoder: Encoder, head: Foreground) -> _Measured:
    image = photo.image
    small = reduced_for_colors(image)
    _, maps = encoder.embed_with_maps([encoder.prepare(image)])
    coarse = head.of([map_[0] for map_ in maps])
    mask = product_mask(image, coarse)
    overlaps = {}
    if photo.outlines:
        true = _drawn(photo.outlines, small.size)
        resized = np.asarray(Image.fromarray(coarse).resize(small.size, Image.Resampling.BILINEAR))
        overlaps = {
            "an ellipse in the middle": _overlap(_ellipse(small.size), true),
            "all but a background of one color": _overlap(~flat_background(oklab(np.asarray(small))), true),
            "the head alone": _overlap(resized > 0.5, true),  # noqa: PLR2004 - more likely than not
            "the head and the colors": _overlap(mask > 0.5, true),  # noqa: PLR2004
        }
    return _Measured(
        photo=photo,
        mask=mask > 0.5,  # noqa: PLR2004
        overlaps=overlaps,
        before=palette_of(image),
        after=palette_of(image) if is_on_white(image) else in_full_light(palette_of(image, mask), image),
    )


def _drawn(outlines: Sequence[Outline], size: tuple[int, int]) -> Flags:
    """The area within outlines, ``(h, w)``."""
    image = Image.new("L", (size[0] * 4, size[1] * 4))
    for outline in outlines:
        ImageDraw.Draw(image).polygon([(x * image.width, y * image.height) for x, y in outline], fill=255)
    return np.asarray(image.resize(size, Image.Resampling.BOX)) > 127  # noqa: PLR2004


def _ellipse(size: tuple[int, int]) -> Flags:
    y, x = ((np.arange(side) + 0.5) / side * 2 - 1 for side in (size[1], size[0]))
    return np.asarray(y[:, None] ** 2 + x**2 <= _ELLIPSE**2)


def _overlap(one: Flags, other: Flags) -> float:
    """Intersection over union."""
    return float((one & other).sum() / max((one | other).sum(), 1))


def _is_right(palette: Palette, colors: Sequence[str]) -> bool:
    """Whether the first word for a palette is a color that was told."""
    return color_family(color_words(palette)[0]) in colors


def _wrong_share(palette: Palette, colors: Sequence[str]) -> float:
    """Share of the words for a palette that nobody told."""
    words = color_words(palette)
    return sum(color_family(word) not in colors for word in words) / len(words)


def _times(images: Sequence[Image.Image], encoder: Encoder, head: Foreground) -> dict[str, list[float]]:
    """Milliseconds by step, for each photo."""
    times: dict[str, list[float]] = {"embedding and palette": [], "the same with a mask": [], "the mask alone": []}
    encoder.embed(images[:1])
    for image in images:
        start = time.perf_counter()
        encoder.embed([image])
        palette_of(image)
        middle = time.perf_counter()
        _, maps = encoder.embed_with_maps([encoder.prepare(image)])
        before = time.perf_counter()
        mask = product_mask(image, head.of([map_[0] for map_ in maps]))
        after = time.perf_counter()
        in_full_light(palette_of(image, mask), image)
        end = time.perf_counter()
        for name, seconds in zip(times, (middle - start, end - middle, after - before), strict=True):
            times[name].append(1000 * seconds)
    return times


def _report(measured: Sequence[_Measured], times: Mapping[str, Sequence[float]], photos: int) -> Report:
    outlined = [each for each in measured if each.overlaps]
    colored = [each for each in measured if each.photo.colors]
    figures = {name: Figure.of(samples, "ms") for name, samples in times.items()}
    methods = list(outlined[0].overlaps) if outlined else []
    for method in methods:
        figures[f"overlap: {method}"] = Figure.of([each.overlaps[method] for each in outlined], "IoU")
    shares = {
        "main color right, by the middle": _mean(_is_right(each.before, each.photo.colors) for each in colored),
        "main color right, by the mask": _mean(_is_right(each.after, each.photo.colors) for each in colored),
        "wrong color words, by the middle": _mean(_wrong_share(e.before, e.photo.colors) for e in colored),
        "wrong color words, by the mask": _mean(_wrong_share(e.after, e.photo.colors) for e in colored),
        **{f"mean overlap: {method}": _mean(each.overlaps[method] for each in outlined) for method in methods},
    }
    wrong = [each.photo.name for each in colored if not _is_right(each.after, each.photo.colors)]
    return Report(
        name="foreground",
        options={"photos": photos},
        warm_up="one photo",
        figures=figures,
        ratios=shares,
        targets=[
            Target(
                what="main colors that are right, by the mask less by the middle",
                value=shares["main color right, by the mask"] - shares["main color right, by the middle"],
                at_least=0,
            ),
        ],
        notes=(
            f"{len(outlined)} photos with outlines, {len(colored)} with colors; of senders that taught nothing",
            f"The main color is wrong on: {', '.join(name[:8] for name in wrong) or 'none'}",
        ),
    )


def _mean(values: Iterator[float] | Iterator[bool]) -> float:
    return float(np.mean([float(value) for value in values] or [np.nan]))


def _row(each: _Measured) -> SheetRow:
    image, mask = each.photo.image, each.mask
    gray = Image.new("RGB", image.size, (128, 128, 128))
    sharp = Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)).resize(image.size)
    tiles = [
        _tile(image, (each.photo.name[:8], ", ".join(each.photo.colors))),
        _tile(
            Image.composite(image, gray, sharp),
            (f"IoU {each.overlaps['the head and the colors']:.2f}", f"was {', '.join(color_words(each.before))}",
             f"is {', '.join(color_words(each.after))}"),
        ),
    ]  # fmt: skip
    return SheetRow(query=tuple(tiles[:1]), hits=tuple(tiles[1:]))


def _tile(image: Image.Image, caption: tuple[str, ...]) -> Tile:
    file = io.BytesIO()
    image.save(file, "PNG")
    return Tile.of_photo(file.getvalue(), caption=caption)
