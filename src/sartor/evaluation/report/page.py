"""From what a report shows to a file: templates, what a browser may do with the page, and writing it whole."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from PIL import ImageOps

from sartor.evaluation.report import view as words
from sartor.evaluation.report.sheets import SheetRow, Tile, rows_html

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sartor.evaluation.report.view import View

_TEMPLATES = "templates"
_PHOTO_PX = 200  # twice what a photo of a sheet has on a page


def render(view: View) -> str:
    """The page; every text in it is escaped."""
    script = _part("sort.js")
    environment = _environment()
    if view.evaluation is not None:
        environment.globals |= _plots()
    return environment.get_template("page.html").render(
        view=view,
        style=Markup(_part("report.css")),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
    )


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it holds all of the text, or what it held before."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("sartor.evaluation.report", _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": words.number,
        "signed": words.signed,
        "chance": words.chance,
        "percent": words.percent,
        "thousands": words.thousands,
        "sheet": _sheet,
    }
    return environment


def _plots() -> dict[str, Callable[..., Markup]]:
    """The plots, by name; without them, matplotlib is not needed."""
    from sartor.evaluation.report import plots

    drawn = (
        plots.interval_plot,
        plots.category_plot,
        plots.confusion_plot,
        plots.reliability_plot,
        plots.robustness_plot,
        plots.map_plot,
    )
    return {draw.__name__: _marked(draw) for draw in drawn}


def _marked(draw: Callable[..., str]) -> Callable[..., Markup]:
    return lambda *values, **named: Markup(draw(*values, **named))  # noqa: S704 - it escapes its texts


def _part(name: str) -> str:
    return (files("sartor.evaluation.report") / _TEMPLATES / name).read_text(encoding="utf-8")


def _sheet(rows: Sequence[SheetRow]) -> Markup:
    small = [SheetRow(query=_small(row.query), hits=_small(row.hits)) for row in rows]
    return Markup(rows_html(small))  # noqa: S704 - it escapes its texts


def _small(tiles: Sequence[Tile]) -> tuple[Tile, ...]:
    return tuple(replace(tile, image=ImageOps.contain(tile.image, (_PHOTO_PX, _PHOTO_PX))) for tile in tiles)
