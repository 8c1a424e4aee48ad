"""Run by ``test_promote``: promotes a model and prints a line for each step that is committed."""

from __future__ import annotations

import sys
from pathlib import Path

from sartor.config import Settings
from sartor.encoders.card import RuntimeChoice
from sartor.ingest.photos import Progress
from sartor.wiring import open_shop


def acknowledge(step: Progress) -> None:
    """One line for each committed product, out at once."""
    sys.stdout.write("".join(f"{product_id}\n" for product_id in step.committed))
    sys.stdout.flush()


with open_shop(Settings(home=Path(sys.argv[1]), runtime=RuntimeChoice.ONNXRUNTIME)) as shop:
    shop.promote(sys.argv[2], on_progress=acknowledge)
