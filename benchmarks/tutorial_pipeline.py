"""The tutorials' pipeline and Sartor on the same photos in one run: photos per second, and time of a query.

The pipelines take turns, each in a process of its own, so that what else the machine does meets all of them.
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks import bare_network, sartor_pipeline, tutorial_keras
from benchmarks.data import MOBILENET_V2, PHOTOS_224, SHARED_DATA, Data, data_file
from benchmarks.report import Figure, Report
from benchmarks.tutorial_stage import NETWORKS, RESNET50, Sizes, Stage, prepare
from benchmarks.tutorial_verdict import Measured, bounds, ratios, targets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_UNITS = {"rate": "photos/s", "query": "s", "one photo": "s", "start": "s"}


def tutorial_pipeline(  # noqa: PLR0913 - they are the command's options
    *,
    data: Data = SHARED_DATA,
    rounds: Annotated[int, typer.Option(min=1, help="How often the pipelines take turns.")] = 4,
    photos: Annotated[int, typer.Option(min=32, help="Photos of the tutorial in a round.")] = 32,
    our_photos: Annotated[int, typer.Option(min=32, help="Photos of ours in a round, the tutorial's first.")] = 512,
    queries: Annotated[int, typer.Option(min=1, help="Query photos, none of them in the catalog.")] = 24,
    catalog: Annotated[int, typer.Option(min=6, help="Random vectors that the queries search in.")] = 10_697,
) -> Report:
    """The tutorials' Keras ResNet50 and scikit-learn beside Sartor with ResNet50 and MobileNetV2."""
    sizes = Sizes(rounds=rounds, photos=photos, our_photos=our_photos, queries=queries, catalog=catalog)
    archive, network = data_file(data, PHOTOS_224), data_file(data, MOBILENET_V2)
    with TemporaryDirectory() as directory:
        with _process() as process:
            stage = process.submit(prepare, Path(directory), archive, network, sizes).result()
        measured = _measure(stage, sizes)
    return Report(
        name="tutorial_pipeline",
        options=
    )
