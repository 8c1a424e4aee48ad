"""What the tutorials' pipeline and Sartor are set up with before their time counts: photos, networks, catalogs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.data import unpack
from benchmarks.workspaces import add_mobilenet_v2, add_random_resnet50, fill

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

RESNET50, MOBILENET_V2 = "resnet50-max", "mobilenet_v2"
NETWORKS = (RESNET50, MOBILENET_V2)
WARM_UPS = 64  # photos


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured.

    Attributes:
        rounds: How often the pipelines take turns.
        photos: Photos of the tutorial in a round.
        our_photos: Photos of ours in a round, the tutorial's first.
        queries: Query photos.
        catalog: Products that the queries search in.
    """

    rounds: int
    photos: int
    our_photos: int
    queries: int
    catalog: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What is set up.

    Attributes:
        weights: Random weights of ResNet50, which the tutorial's and ours share.
        homes: By network, a workspace to index into.
        catalogs: By network, a workspace to search in.
        warm_up: Photos that do not count.
        rounds: The photos of each round, in a folder of its own.
        queries: Photos that are in no catalog.
    """

    weights: Path
    homes: Mapping[str, Path]
    catalogs: Mapping[str, Path]
    warm_up: Sequence[Path]
    rounds: Sequence[Sequence[Path]]
    queries: Sequence[Path]

    def network(self, name: str) -> Path:
        """The ONNX file of a network."""
        return self.homes[name] / "models" / name / "model.onnx"


def folder_of(photos: Sequence[Path]) -> Path:
    """The folder that photos were unpacked to."""
    return photos[0].parents[1]


def prepare(directory: Path, archive: Path, mobilenet_v2: Path, sizes: Sizes) -> Stage:
    """Set the stage in a directory. Imports TensorFlow: call it in a process of its own."""
    weights = directory / "resnet50.weights.h5"
    homes = {name: directory / name for name in NETWORKS}
    add_random_resnet50(homes[RESNET50], weights)
    add_mobilenet_v2(homes[MOBILENET_V2], mobilenet_v2)
    counts = [WARM_UPS, sizes.queries, *[sizes.our_photos] * sizes.rounds]
    warm_up, queries, *rounds = (
        unpack(archive, directory / f"photos-{number}", start=sum(counts[:number]), count=count)
        for number, count in enumerate(counts)
    )
    return Stage(
        weights=weights,
        homes=homes,
        catalogs={name: _catalog(home, products=sizes.catalog) for name, home in homes.items()},
        warm_up=warm_up,
        rounds=rounds,
        queries=queries,
    )


def _catalog(home: Path, *, products: int) -> Path:
    catalog = home.with_name(f"{home.name}-catalog")
    shutil.copytree(home, catalog)
    fill(catalog, products)
    return catalog
