"""The report of ``sartor evaluate``: one HTML file that needs no other, with plots and photos in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.evaluation.report.page import render, write_whole
from sartor.evaluation.report.view import health_view, view_of

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.evaluation.results import CatalogHealth, Evaluation

__all__ = ["html_health_report", "html_report", "write_health_report", "write_report"]


def write_report(path: Path, evaluation: Evaluation) -> None:
    """Write the report of an evaluation so that the file holds all of it, or what it held before."""
    write_whole(path, html_report(evaluation))


def write_health_report(path: Path, health: CatalogHealth) -> None:
    """Write the report of a catalog's health so that the file holds all of it, or what it held before."""
    write_whole(path, html_health_report(health))


def html_report(evaluation: Evaluation) -> str:
    """The page of an evaluation; what was not measured is left out."""
    return render(view_of(evaluation))


def html_health_report(health: CatalogHealth) -> str:
    """The page of a catalog's health."""
    return render(health_view(health))
