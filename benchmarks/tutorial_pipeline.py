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
    """The processes, and what is measured in them: samples by the name of their figure."""

    stage: Stage
    tutorial: OwnProcess
    ours: OwnProcess
    bare: OwnProcess
    samples: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    facts: dict[str, float] = field(default_factory=dict)

    def start(self) -> None:
        """Import, build and compile everything, and embed one photo on both sides."""
        stage, photo = self.stage, self.stage.warm_up[0]
        seconds = self.tutorial.call(tutorial_keras.start, stage.weights, stage.warm_up)
        self.samples["tutorial: start"].append(seconds)
        for name in NETWORKS:
            seconds = self.ours.call(sartor_pipeline.start, stage.homes[name], folder_of(stage.warm_up))
            self.samples[f"sartor {name}: start"].append(seconds)
            self.facts[f"GFLOP of {name}"] = self.bare.call(bare_network.gflop_per_photo, stage.network(name))
            self.bare.call(bare_network.photos_per_second, stage.network(name), photos=1)
        theirs = self.tutorial.call(tutorial_keras.extract_features, stage.weights, photo)
        own = self.ours.call(sartor_pipeline.embed, stage.homes[RESNET50], photo)
        self.facts["cosine"] = float(theirs @ own)

    def index(self, number: int, *, photos: int) -> None:
        """Let each pipeline index the photos of a round, one after the other."""
        stage, all_photos = self.stage, self.stage.rounds[number]
        first, folder = all_photos[:photos], folder_of(all_photos)
        seconds, each_s = self.tutorial.call(tutorial_keras.index, stage.weights, first, folder)
        self.samples["tutorial"].append(len(first) / seconds)
        self.samples["tutorial: one photo"] += each_s
        seconds = self.tutorial.call(tutorial_keras.index_in_batches, stage.weights, first)
        self.samples["tutorial in batches of 32"].append(len(first) / seconds)
        for name in NETWORKS:
            seconds = self.ours.call(sartor_pipeline.index, stage.homes[name], folder)
            self.samples[f"sartor {name}"].append(len(all_photos) / seconds)
            rate = self.bare.call(bare_network.photos_per_second, stage.network(name), photos=_BARE_PHOTOS[name])
            self.samples[f"bare {name}"].append(rate)
        self.samples["float32 matrix product"].append(self.bare.call(bare_network.matrix_gflop_per_second))

    def query(self, *, products: int) -> None:
        """Let each pipeline answer each query, one after the other; the first few do not count."""
        stage = self.stage
        for photo in [*stage.warm_up[:_WARM_UP_QUERIES], *stage.queries]:
            seconds = self.tutorial.call(tutorial_keras.query, stage.weights, photo, products)
            self.samples["tutorial: query"].append(seconds)
            for name in NETWORKS:
                seconds = self.ours.call(sartor_pipeline.query, stage.catalogs[name], photo)
                self.samples[f"sartor {name}: query"].append(seconds)
        for name, samples in self.samples.items():
            if name.endswith(": query"):
                del samples[:_WARM_UP_QUERIES]

    def close(self) -> None:
        """Close the workspaces."""
        for home in [*self.stage.homes.values(), *self.stage.catalogs.values()]:
            self.ours.call(sartor_pipeline.close, home)


def _report(run: _Run, sizes: Sizes) -> Report:
    figures = {name: Figure.of(samples, _unit(name)) for name, samples in sorted(run.samples.items())}
    ratios = {
        f"{name}: {which} / {peer}": figures[which].median / figures[peer].median
        for name, which, peer in _comparisons()
    }
    targets = []
    for name in NETWORKS:
        faster, share = f"photos/s: sartor {name} / tutorial", f"query: sartor {name}: query / tutorial: query"
        targets += [
            Target(what=faster, value=ratios[faster], at_least=_TIMES_AS_FAST[name]),
            Target(what=share, value=ratios[share], at_most=_QUERY_SHARE),
        ]
    return Report(
        name="tutorial_pipeline",
        options=asdict(sizes),
        warm_up=f"both sides built and compiled their networks and embedded {WARM_UPS} other photos, which is "
        f"'start' and counts nowhere else; {_WARM_UP_QUERIES} queries",
        figures=figures,
        ratios=ratios,
        targets=targets,
        notes=(
            "Ours decodes, embeds, stores, indexes and keeps thumbnails; the tutorial keeps no thumbnails.",
            f"The tutorial embeds the first {sizes.photos} of the {sizes.our_photos} photos of each round.",
            f"Both sides run the same ResNet50 of random weights: cosine {run.facts['cosine']:.6f} for one photo.",
            f"Queries search {sizes.catalog:,} random vectors on both sides, in place of embedded photos.",
            *_bounds(run.facts, figures),
        ),
    )


def _comparisons() -> Iterator[tuple[str, str, str]]:
    """Kind of the ratio, the figure, and the figure that it is divided by."""
    for name in NETWORKS:
        for peer in ("tutorial", "tutorial in batches of 32", f"bare {name}"):
            yield "photos/s", f"sartor {name}", peer
        yield "photos/s", f"bare {name}", "tutorial"
        yield "query", f"sartor {name}: query", "tutorial: query"


def _unit(name: str) -> str:
    if name == "float32 matrix product":
        return "GFLOP/s"
    return "s" if ":" in name else "photos/s"


def _bounds(facts: Mapping[str, float], figures: Mapping[str, Figure]) -> Iterator[str]:
    """What the arithmetic alone allows, in words."""
    for name in NETWORKS:
        times, gflop = _TIMES_AS_FAST[name], facts[f"GFLOP of {name}"]
        needed = times * figures["tutorial"].median
        yield (
            f"{times} times the tutorial is {needed:.0f} photos/s of {name}: {needed * gflop:.0f} GFLOP/s in its "
            f"convolutions alone ({gflop:.2f} GFLOP a photo). Here the bare network reaches "
            f"{figures[f'bare {name}'].median:.0f} photos/s, and NumPy's float32 matrix product "
            f"{figures['float32 matrix product'].median:.0f} GFLOP/s."
        )
