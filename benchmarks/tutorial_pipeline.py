"""The tutorials' pipeline and Sartor on the same photos in one run: photos per second, and time of a query.

They take turns, each in a process of its own, so that what else the machine does meets all of them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks import bare_network, sartor_pipeline, tutorial_keras
from benchmarks.data import MOBILENET_V2_FILE, PHOTOS_224, SHARED_DATA, Data, data_file
from benchmarks.own_process import OwnProcess
from benchmarks.report import Figure, Report, Target
from benchmarks.tutorial_stage import MOBILENET_V2, NETWORKS, RESNET50, WARM_UPS, Sizes, Stage, folder_of, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TIMES_AS_FAST = {RESNET50: 20, MOBILENET_V2: 50}
_QUERY_SHARE = 0.1
_WARM_UP_QUERIES = 3
_UNITS = {
    "start": "s",
    "index": "photos/s",
    "one photo": "s",
    "query": "s",
    "network alone": "photos/s",
    "arithmetic": "GFLOP a photo",
    "same embedding": "cosine",
}
_BARE_PHOTOS = {RESNET50: 64, MOBILENET_V2: 256}  # about as many seconds of each


def tutorial_pipeline(  # noqa: PLR0913 - the options of a command
    *,
    data: Data = SHARED_DATA,
    rounds: Annotated[int, typer.Option(min=1, help="How often the pipelines take turns.")] = 4,
    photos: Annotated[int, typer.Option(min=1, help="Photos of the tutorial in a round.")] = 32,
    our_photos: Annotated[int, typer.Option(min=1, help="Photos of ours in a round, the tutorial's first.")] = 512,
    queries: Annotated[int, typer.Option(min=1, help="Query photos, which no catalog has.")] = 24,
    catalog: Annotated[int, typer.Option(min=6, help="Random vectors that queries search in.")] = 10_697,
) -> Report:
    """The tutorials' Keras ResNet50 and scikit-learn beside Sartor with ResNet50 and MobileNetV2."""
    sizes = Sizes(rounds=rounds, photos=photos, our_photos=our_photos, queries=queries, catalog=catalog)
    archive, mobilenet_v2 = data_file(data, PHOTOS_224), data_file(data, MOBILENET_V2_FILE)
    with TemporaryDirectory() as directory:
        with OwnProcess() as process:
            stage = process.call(prepare, Path(directory), archive, mobilenet_v2, sizes)
        with OwnProcess() as tutorial, OwnProcess() as ours, OwnProcess() as bare:
            run = _Run(stage=stage, tutorial=tutorial, ours=ours, bare=bare)
            run.start()
            for number in range(rounds):
                run.index(number, photos=photos)
            run.query(products=catalog)
            run.close()
    return _report(run, sizes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """The processes, and what is measured in them: samples by the name of their figure, ``KIND: WHO``."""

    stage: Stage
    tutorial: OwnProcess
    ours: OwnProcess
    bare: OwnProcess
    samples: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def start(self) -> None:
        """Import, build and compile everything, and embed one photo on both sides."""
        stage, photo = self.stage, self.stage.warm_up[0]
        seconds = self.tutorial.call(tutorial_keras.start, stage.weights, stage.warm_up)
        self.samples["start: tutorial"].append(seconds)
        for name in NETWORKS:
            seconds = self.ours.call(sartor_pipeline.start, stage.homes[name], folder_of(stage.warm_up))
            self.samples[f"start: sartor {name}"].append(seconds)
            gflop = self.bare.call(bare_network.gflop_per_photo, stage.network(name))
            self.samples[f"arithmetic: {name}"].append(gflop)
            self.bare.call(bare_network.photos_per_second, stage.network(name), photos=1)
        theirs = self.tutorial.call(tutorial_keras.extract_features, stage.weights, photo)
        own = self.ours.call(sartor_pipeline.embed, stage.homes[RESNET50], photo)
        self.samples[f"same embedding: {RESNET50}"].append(float(theirs @ own))

    def index(self, number: int, *, photos: int) -> None:
        """Let each pipeline index the photos of a round, one after the other."""
        stage, all_photos = self.stage, self.stage.rounds[number]
        first, folder = all_photos[:photos], folder_of(all_photos)
        seconds, each_s = self.tutorial.call(tutorial_keras.index, stage.weights, first, folder)
        self.samples["index: tutorial"].append(len(first) / seconds)
        self.samples["one photo: tutorial"] += each_s
        seconds = self.tutorial.call(tutorial_keras.index_in_batches, stage.weights, first)
        self.samples["index: tutorial in batches of 32"].append(len(first) / seconds)
        for name in NETWORKS:
            seconds = self.ours.call(sartor_pipeline.index, stage.homes[name], folder)
            self.samples[f"index: sartor {name}"].append(len(all_photos) / seconds)
            rate = self.bare.call(bare_network.photos_per_second, stage.network(name), photos=_BARE_PHOTOS[name])
            self.samples[f"network alone: {name}"].append(rate)

    def query(self, *, products: int) -> None:
        """Let each pipeline answer each query, one after the other; the first few do not count."""
        stage, samples = self.stage, defaultdict(list)
        for photo in [*stage.warm_up[:_WARM_UP_QUERIES], *stage.queries]:
            seconds = self.tutorial.call(tutorial_keras.query, stage.weights, photo, products)
            samples["query: tutorial"].append(seconds)
            for name in NETWORKS:
                seconds = self.ours.call(sartor_pipeline.query, stage.catalogs[name], photo)
                samples[f"query: sartor {name}"].append(seconds)
        self.samples.update({name: each_s[_WARM_UP_QUERIES:] for name, each_s in samples.items()})

    def close(self) -> None:
        """Close the workspaces."""
        for home in [*self.stage.homes.values(), *self.stage.catalogs.values()]:
            self.ours.call(sartor_pipeline.close, home)


def _report(run: _Run, sizes: Sizes) -> Report:
    figures = {
        name: Figure.of(samples, _UNITS[name.partition(":")[0]]) for name, samples in sorted(run.samples.items())
    }
    ratios = {
        f"{name} / {peer}": figures[name].median / figures[peer].median
        for network in NETWORKS
        for name, peer in _comparisons(network)
    }
    return Report(
        name="tutorial_pipeline",
        options=asdict(sizes),
        warm_up=f"both sides built and compiled their networks and embedded {WARM_UPS} other photos, which is "
        f"'start' and counts nowhere else; {_WARM_UP_QUERIES} queries",
        figures=figures,
        ratios=ratios,
        targets=[target for network in NETWORKS for target in _targets(network, ratios)],
        notes=(
            "Ours decodes, embeds, stores, indexes and keeps thumbnails; the tutorial keeps no thumbnails.",
            f"The tutorial embeds the first {sizes.photos} of the {sizes.our_photos} photos of each round.",
            f"Both sides run one ResNet50 of random weights; 'same embedding: {RESNET50}' is how close they come.",
            f"Queries search {sizes.catalog:,} random vectors on both sides, in place of embedded photos.",
            *(_bound(network, figures) for network in NETWORKS),
        ),
    )


def _comparisons(network: str) -> Iterator[tuple[str, str]]:
    """Pairs of figures, the second to divide the first by."""
    ours = f"index: sartor {network}"
    for peer in ("index: tutorial", "index: tutorial in batches of 32", f"network alone: {network}"):
        yield ours, peer
    yield f"network alone: {network}", "index: tutorial"
    yield f"query: sartor {network}", "query: tutorial"


def _targets(network: str, ratios: Mapping[str, float]) -> Iterator[Target]:
    faster = f"index: sartor {network} / index: tutorial"
    yield Target(what=faster, value=ratios[faster], at_least=_TIMES_AS_FAST[network])
    share = f"query: sartor {network} / query: tutorial"
    yield Target(what=share, value=ratios[share], at_most=_QUERY_SHARE)


def _bound(network: str, figures: Mapping[str, Figure]) -> str:
    """What the arithmetic alone allows, in words."""
    times, gflop = _TIMES_AS_FAST[network], figures[f"arithmetic: {network}"].median
    needed = times * figures["index: tutorial"].median
    alone = figures[f"network alone: {network}"].median
    return (
        f"{times} times the tutorial is {needed:.0f} photos/s of {network}, {needed * gflop:.0f} GFLOP/s in its "
        f"convolutions. The network alone, without photos, reaches {alone:.0f} photos/s here, "
        f"{alone * gflop:.0f} GFLOP/s: no pipeline around it can be faster."
    )
