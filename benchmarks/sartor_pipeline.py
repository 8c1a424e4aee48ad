"""Sartor at the tutorial's work. It runs in a process of its own, whose first call opens the workspace."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

import sartor

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from sartor.shop import Shop

HITS = 5


def start(home: Path, folder: Path) -> float:
    """Open a workspace and index a folder, by which the network is compiled; returns the seconds."""
    started_s = time.perf_counter()
    _shop(home).index(folder)
    return time.perf_counter() - started_s


def index(home: Path, folder: Path) -> float:
    """Index a folder of photos that are new to the workspace; returns the seconds.

    Raises:
        RuntimeError: Some of them were not new, or were rejected, so that the time would be too short.
    """
    started_s = time.perf_counter()
    report = _shop(home).index(folder)
    seconds = time.perf_counter() - started_s
    if report.added != report.photos or report.rejected:
        msg = f"{report.added} of {report.photos} photos were indexed anew, {len(report.rejected)} rejected"
        raise RuntimeError(msg)
    return seconds


def query(home: Path, photo: Path) -> float:
    """Find the products most similar to a photo; returns the seconds."""
    started_s = time.perf_counter()
    hits = _shop(home).similar(photo, k=HITS)
    seconds = time.perf_counter() - started_s
    if len(hits) != HITS:
        msg = f"{len(hits)} hits in place of {HITS}"
        raise RuntimeError(msg)
    return seconds


def embed(home: Path, photo: Path) -> npt.NDArray[np.float32]:
    """Embed one photo; returns ``(d,)`` float32 of unit norm."""
    from PIL import Image

    from sartor.config import Settings
    from sartor.shop.library import choose_model, open_encoder, open_models

    settings = Settings(home=home)
    models = open_models(settings)
    card = choose_model(settings, models)
    with open_encoder(settings, models, card) as encoder, Image.open(photo) as image:
        return np.asarray(encoder.embed([image.convert("RGB")])[0])


def close(home: Path) -> None:
    """Close a workspace."""
    _shop(home).close()


@cache
def _shop(home: Path) -> Shop:
    return sartor.open(home)
