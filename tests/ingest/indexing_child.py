"""Run by ``test_pipeline_kill``: indexes a folder and prints the ids of the products as they are acknowledged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TextIO

import sartor.encoders.onnxruntime
import sartor.index.edge  # noqa: F401 - else every process that is forked would import it
from sartor.catalog import open_source
from sartor.choices import RuntimeChoice
from sartor.config import Settings
from sartor.ingest.pipeline import IngestOptions, ingest
from sartor.wiring import open_shop
from tests.ingest.web_server import OPEN

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.ingest.photos import Progress


def index(stdout: TextIO, home: Path, folder: Path) -> None:
    """Say that it begins, and then each product as it is committed."""

    def acknowledge(step: Progress) -> None:
        stdout.write("".join(f"{product_id}\n" for product_id in step.committed))
        stdout.flush()

    # ONNX Runtime starts faster, and this is started often.
    with open_shop(Settings(home=home, runtime=RuntimeChoice.ONNXRUNTIME)) as shop:
        _ = (
            shop._model().encoder.runtime
        )  # loaded before the clock starts, so that the kills meet the ingest itself
        stdout.write("ready\n")
        stdout.flush()
        shop.index(folder, prune=True, allow_shrink=True, on_progress=acknowledge)


def index_urls(stdout: TextIO, home: Path, feed: Path) -> None:
    """Say that it begins, and index a feed of URLs on this host."""
    with open_shop(Settings(home=home, runtime=RuntimeChoice.ONNXRUNTIME)) as shop, open_source(feed) as source:
        context = replace(shop._model().ingest_context(), urls=OPEN)
        stdout.write("ready\n")
        stdout.flush()
        ingest(source, context, IngestOptions(source_id=str(feed)))
