"""Run by ``test_kill``: indexes a folder and prints the ids of the products as they are acknowledged."""

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


# ONNX Runtime starts faster, and this is started often.
with open_shop(Settings(home=Path(sys.argv[1]), runtime=RuntimeChoice.ONNXRUNTIME)) as shop:
    _ = shop._model().encoder.runtime  # loaded before the clock starts, so that the kills meet the ingest itself
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    shop.index(sys.argv[2], prune=True, on_progress=acknowledge)
