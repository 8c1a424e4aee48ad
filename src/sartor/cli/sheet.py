"""The option for a contact sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_SUFFIXES = (".html", ".png")

Sheet = Annotated[
    Path | None, typer.Option("--sheet", metavar="FILE", help="Write a contact sheet, .html or .png.")
]


def require_sheet_name(sheet: Path | None) -> None:
    """Refuse a file of another kind, before anything is done."""
    if sheet is not None and sheet.suffix.lower() not in _SUFFIXES:
        message = f"a sheet is an .html or .png file, not {sheet.name}"
        raise typer.BadParameter(message)
