"""The HTML pages of an evaluation and of a catalog's health: one file each, with plots and photos in it."""

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

from sartor.evaluation.report.view import chance, health_view, number, percent, signed, thousands, view_of
from sartor.evaluation.sheets import SheetRow, Tile, rows_html

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sartor.evaluation.report.view import View
    from sartor.evaluation.results import CatalogHealth, Evaluation

_TEMPLATES = "templates"
_PHOTO_PX = 200  # twice the size of a photo on the page


def write_report(path: Path, evaluation: Evaluation) -> None:
    """Write the report of an evaluation; the file holds either all of it, or what it held before."""
    write_whole(path, html_report(evaluation))


def write_health_report(path: Path, health: CatalogHealth) -> None:
    """Write the report of a catalog's health; the file holds either all of it, or what it held before."""
    write_whole(path, html_health_report(health))


def html_report(evaluation: Evaluation) -> str:
    """The page of an evaluation; what was not measured is left out."""
    return _render(view_of(evaluation))


def html_health_report(health: CatalogHealth) -> str:
    """The page of a catalog's health."""
    return _render(health_view(health))


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it holds either the whole text, or what it held before."""
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


def environment() -> Environment:
    """The templates of reports; they escape every text."""
    templates = Environment(
        loader=PackageLoader("sartor.evaluation.report", _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "number": number,
        "signed": signed,
        "chance": chance,
        "percent": percent,
        "thousands": thousands,
        "sheet": _sheet,
    }
    return templates


def template_file(name: str) -> str:
    """The text of a file beside the templates."""
    return (files("sartor.evaluation.report") / _TEMPLATES / name).read_text(encoding="utf-8")


def marked(draw: Callable[..., str]) -> Callable[..., Markup]:
    """The function, with its result marked as HTML that is escaped already."""
    return lambda *values, **named: Markup(draw(*values, **named))  # noqa: S704 - it escapes its texts


def _render(view: View) -> str:
    script = template_file("sort.js")
    templates = environment()
    if view.evaluation is not None:
        templates.globals |= _plots()
    return templates.get_template("page.html").render(
        view=view,
        style=Markup(template_file("report.css")),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
    )


def _plots() -> dict[str, Callable[..., Markup]]:
    """The plots, by name; a page without them does not need matplotlib."""
    from sartor.evaluation.report import plots

    drawn = (
        plots.interval_plot,
        plots.category_plot,
        plots.confusion_plot,
        plots.reliability_plot,
        plots.robustness_plot,
        plots.map_plot,
    )
    return {draw.__name__: marked(draw) for draw in drawn}


def _sheet(rows: Sequence[SheetRow]) -> Markup:
    small = [SheetRow(query=_small(row.query), hits=_small(row.hits)) for row in rows]
    return Markup(rows_html(small))  # noqa: S704 - it escapes its texts


def _small(tiles: Sequence[Tile]) -> tuple[Tile, ...]:
    return tuple(replace(tile, image=ImageOps.contain(tile.image, (_PHOTO_PX, _PHOTO_PX))) for tile in tiles)
