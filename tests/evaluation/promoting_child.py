"""Run by ``test_promote``: promotes a model and prints a line for each step that is committed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from sartor.choices import RuntimeChoice
from sartor.config import Settings
from sartor.wiring import open_shop

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.ingest.photos import Progress


def promote(stdout: TextIO, home: Path, model: str) -> None:
    """Say each product as it is committed."""

    def acknowledge(step: Progress) -> None:
        stdout.write("".join(f"{product_id}\n" for product_id in step.committed))
        stdout.flush()

    with open_shop(Settings(home=home, runtime=RuntimeChoice.ONNXRUNTIME)) as shop:
        shop.promote(model, on_progress=acknowledge)
