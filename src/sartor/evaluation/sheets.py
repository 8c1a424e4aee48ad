"""Contact sheets: queries beside their hits, as one HTML page or one PNG, to look at."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont, ImageOps

from sartor.imaging import decode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_TILE_PX = 180
_GAP_PX = 16
_LINE_PX = 18
_CAPTION_LINES = 3
_CAPTION_PX = _CAPTION_LINES * _LINE_PX + 8
_FONT_PX = 13
_WHITE, _INK, _QUERY = "#ffffff", "#222222", "#b3472d"

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sartor: similar products</title>
<style>
:root {{ color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; }}
body {{ margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }}
section {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem; }}
section + section {{ margin-top: 3rem; }}
figure {{ margin: 0; }}
img {{ width: 100%; aspect-ratio: 3 / 4; object-fit: contain; background: #fff; border-radius: 4px; }}
.query img {{ outline: 3px solid #b3472d; }}
figcaption span {{ display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }}
figcaption span:first-child {{ font-weight: 600; }}
</style>
{sections}
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A picture with a few short lines below it; the first one is set in bold."""

    image: Image.Image = field(repr=False)
    caption: tuple[str, ...]

    @classmethod
    def of_photo(cls, data: bytes, *, caption: tuple[str, ...]) -> Tile:
        """A tile of an encoded photo.

        Raises:
            PhotoRejected: The photo cannot be decoded.
        """
        side_px = _TILE_PX * 2  # sharp on a dense screen
        image = decode(data, name=" ".join(caption), fit_px=side_px).image
        return cls(image=ImageOps.contain(image, (side_px, side_px)), caption=caption)


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """A query, of one or several pictures, and its hits."""

    query: tuple[Tile, ...]
    hits: tuple[Tile, ...]


def write_sheet(path: Path, rows: Sequence[SheetRow]) -> None:
    """Write a contact sheet, as HTML or PNG by the suffix of its name.

    Raises:
        ValueError: The suffix is neither.
    """
    match path.suffix.lower():
        case ".html":
            path.write_text(html_sheet(rows), encoding="utf-8")
        case ".png":
            png_sheet(rows).save(path)
        case suffix:
            msg = f"a sheet is an .html or .png file, not {suffix!r}"
            raise ValueError(msg)


def html_sheet(rows: Sequence[SheetRow]) -> str:
    """A page that needs no other file: the pictures are in it."""
    return _PAGE.format(sections=rows_html(rows))


def rows_html(rows: Sequence[SheetRow]) -> str:
    """A ``section`` of figures for each row, without page and style: class ``query`` and class ``hit``."""
    return "\n".join(
        "<section>"
        + "".join(_figure(tile, kind="query") for tile in row.query)
        + "".join(_figure(tile, kind="hit") for tile in row.hits)
        + "</section>"
        for row in rows
    )


def png_sheet(rows: Sequence[SheetRow]) -> Image.Image:
    """A picture with a line for each row: the query framed, its hits after it."""
    columns = max((len(row.query) + len(row.hits) for row in rows), default=1)
    step_x_px, step_y_px = _TILE_PX + _GAP_PX, _TILE_PX + _CAPTION_PX + _GAP_PX
    sheet = Image.new("RGB", (columns * step_x_px + _GAP_PX, max(1, len(rows)) * step_y_px + _GAP_PX), _WHITE)
    draw = ImageDraw.Draw(sheet)
    for row_number, row in enumerate(rows):
        top_px = _GAP_PX + row_number * step_y_px
        for column, tile in enumerate((*row.query, *row.hits)):
            left_px = _GAP_PX + column * step_x_px
            sheet.paste(ImageOps.pad(tile.image, (_TILE_PX, _TILE_PX), color=_WHITE), (left_px, top_px))
            _draw_caption(draw, tile, left_px=left_px, top_px=top_px + _TILE_PX + 4)
            if column < len(row.query):
                frame = (left_px - 4, top_px - 4, left_px + _TILE_PX + 3, top_px + _TILE_PX + 3)
                draw.rectangle(frame, outline=_QUERY, width=3)
    return sheet


def _figure(tile: Tile, *, kind: str) -> str:
    lines = "".join(f"<span>{escape(line)}</span>" for line in tile.caption)
    label = escape(" ".join(tile.caption), quote=True)
    picture = f'<img alt="{label}" src="data:image/jpeg;base64,{_jpeg(tile.image)}">'
    return f'<figure class="{kind}">{picture}<figcaption>{lines}</figcaption></figure>'


def _jpeg(image: Image.Image) -> str:
    stream = BytesIO()
    image.save(stream, "JPEG", quality=85)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _draw_caption(draw: ImageDraw.ImageDraw, tile: Tile, *, left_px: int, top_px: int) -> None:
    font = ImageFont.load_default(_FONT_PX)

    def fits(text: str) -> bool:
        return draw.textlength(text, font=font) <= _TILE_PX

    for number, line in enumerate(tile.caption[:_CAPTION_LINES]):
        shorter = (f"{line[:length]}…" for length in range(len(line) - 1, 0, -1))
        shown = line if fits(line) else next(filter(fits, shorter), "")
        draw.text((left_px, top_px + number * _LINE_PX), shown, fill=_INK, font=font)
