"""A bar with counts and speed, for what takes long."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sartor.pipelines.report import OnProgress, Progress


@contextmanager
def progress_shown(what: str) -> Iterator[OnProgress]:
    """A bar that is there for as long as it lasts."""
    start_s = time.perf_counter()
    bar = st.progress(0.0, text=f"{what} …")

    def show(step: Progress) -> None:
        elapsed_s = time.perf_counter() - start_s
        share = min(1.0, step.products / step.total) if step.total else 0.0
        total = f" of {step.total:,}" if step.total else ""
        bar.progress(
            share,
            text=f"{what}: {step.products:,}{total} products, {step.photos / max(elapsed_s, 1e-3):,.0f} photos/s",
        )

    try:
        yield show
    finally:
        bar.empty()
