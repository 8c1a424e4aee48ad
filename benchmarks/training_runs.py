"""Short runs of sartor-v1's first stage: do they come to the log's first figures, and what is each part worth."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from benchmarks.data import PEOPLES_PHOTOS, PHOTOS_224, PHOTOS_SMALL, SHARED_DATA, Data, data_file
from benchmarks.report import Figure, Report, Target
from sartor.evaluation.metrics import agreement
from sartor.evaluation.ranking import nearest
from sartor.training.dataset import read_dataset, targets_of, values_of
from sartor.training.loop import embed_keys
from sartor.training.network import EMBEDDING
from sartor.training.recipe import Recipe
from sartor.training.stages import Course, learn_in_stages
from sartor.training.start import find_start, make_networks

if TYPE_CHECKING:
    from sartor.training.dataset import Dataset
    from sartor.training.loop import TrainingProgress

RECIPE = Path(__file__).parents[1] / "recipes" / "sartor-v1-stage1.toml"
WEIGHTS = "mobilenet_v2_imagenet_notop.weights.h5"
FIRST_FIGURES = {
    "articleType": 0.692,
    "gender": 0.800,
    "color": 0.385,
    "all at once": 0.228,
    "same product": 0.948,
}
_NEAR_ENOUGH = 0.02  # steps on several processor cores add up in another order each time
_CACHE_PX = 160
_K = 5

ABLATIONS: dict[str, dict[str, Any]] = {
    "all parts": {},
    "no instance term": {"objective": {"instance_weight": 0.0}},
    "with the agreement term": {"objective": {"agreement_weight": 1.0}},
    "last feature map only": {"network": {"multi_level": False}},
    "no label smoothing": {"objective": {"label_smoothing": 0.0}},
    "no backgrounds": {"augmentation": {"background": 0.0}},
    "no geometry": {"augmentation": {"flip": 0.0, "rotation_deg": 0.0, "min_crop": 1.0, "perspective": 0.0}},
    "no light or white balance": {"augmentation": {"lighting": 0.0, "white_balance": 0.0}},
    "no blur, JPEG, low resolution": {"augmentation": {"blur": 0.0, "jpeg": 0.0, "low_resolution": 0.0}},
    "no erasing": {"augmentation": {"erase": 0.0}},
    "products as they come": {"sampling": {"balance": 0.0, "emphasis": ()}},
    "no averaged weights": {"schedule": {"averaging": 0.0}},
}

Work = Annotated[Path | None, typer.Option(metavar="DIR", help="Keeps the photos for next time.")]


class _Enough(Exception):  # not an error: the run has shown what it should
    """The first validation is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every run has: the recipe, its products, where they are kept, and the weights of its start."""

    recipe: Recipe
    dataset: Dataset
    weights: Path


def training_first_figures(*, data: Data = SHARED_DATA, work: Work = None) -> Report:
    """The recipe of sartor-v1's first stage up to its first validation, beside the log's figures."""
    with TemporaryDirectory() as temporary:
        bench = _bench(data, work or Path(temporary), Recipe.read(RECIPE))
        figures = _first_validation(bench, Path(temporary))
    return Report(
        name="training_first_figures",
        options={"recipe": RECIPE.name, "steps": bench.recipe.schedule.validate_every},
        warm_up="none, nothing is timed",
        figures={name: Figure.of([figures[name]], "share") for name in FIRST_FIGURES},
        ratios={},
        targets=[
            Target(what=name, value=figures[name], at_least=value - _NEAR_ENOUGH, at_most=value + _NEAR_ENOUGH)
            for name, value in FIRST_FIGURES.items()
        ],
    )


def training_ablation(
    *,
    data: Data = SHARED_DATA,
    work: Work = None,
    steps: Annotated[int, typer.Option(min=1, help="Of each run.")] = 200,
    views: Annotated[int, typer.Option(min=8, help="Photos in a step.")] = 64,
    side_px: Annotated[int, typer.Option(min=32, help="Side of the photos.")] = 64,
) -> Report:
    """Runs of the recipe that each leave a part out, short and small, on products that they have not seen."""
    recipe = _shortened(Recipe.read(RECIPE), steps=steps, views=views, side_px=side_px)
    with TemporaryDirectory() as temporary:
        bench = _bench(data, work or Path(temporary), recipe)
        rows = {
            name: _whole_run(bench, change, Path(temporary) / str(n))
            for n, (name, change) in enumerate(ABLATIONS.items())
        }
    return Report(
        name="training_ablation",
        options={"steps": steps, "views": views, "side_px": side_px},
        warm_up="none, nothing is timed",
        figures={
            f"{name}: {what}": Figure.of([value], "share")
            for name, row in rows.items()
            for what, value in row.items()
        },
        ratios={},
        notes=tuple(
            f"{name}: " + ", ".join(f"{what} {v:.3f}" for what, v in row.items()) for name, row in rows.items()
        ),
    )


def _bench(data: Path, work: Path, recipe: Recipe) -> Bench:
    sources = [data_file(data, name) for name in (PHOTOS_224, PHOTOS_SMALL, PEOPLES_PHOTOS)]
    dataset = read_dataset(sources, work, recipe.split, side_px=_CACHE_PX)
    return Bench(recipe=recipe, dataset=dataset, weights=data_file(data, WEIGHTS))


def _shortened(recipe: Recipe, *, steps: int, views: int, side_px: int) -> Recipe:
    return recipe.changed(
        network=recipe.network.model_copy(update={"side_px": side_px}),
        sampling=recipe.sampling.model_copy(update={"views": views}),
        schedule=recipe.schedule.model_copy(update={"steps": steps, "validate_every": steps, "averaging": 0.98}),
    )


def _first_validation(bench: Bench, directory: Path) -> dict[str, float]:
    seen: dict[str, float] = {}

    def watch(progress: TrainingProgress) -> None:
        if progress.figures:
            seen.update(progress.figures)
            raise _Enough

    with suppress(_Enough):
        _learn(bench, bench.recipe, directory, watch)
    return seen


def _whole_run(bench: Bench, change: dict[str, Any], directory: Path) -> dict[str, float]:
    parts = {name: getattr(bench.recipe, name).model_copy(update=values) for name, values in change.items()}
    recipe = bench.recipe.changed(**parts)
    directory.mkdir()
    seen: dict[str, float] = {}
    model = _learn(bench, recipe, directory, lambda progress: seen.update(progress.figures))
    row = {name: value for name, value in seen.items() if name != "retrieval"} | {
        "people's photos": _among_people(model, bench.dataset, recipe)
    }
    typer.echo(f"{change or 'all parts'}: " + ", ".join(f"{what} {v:.3f}" for what, v in row.items()), err=True)
    return row


def _learn(bench: Bench, recipe: Recipe, directory: Path, watch: Any) -> Any:
    targets = targets_of(bench.dataset.training, recipe)
    networks = make_networks(find_start(recipe.base, weights=bench.weights, folders={}), recipe, targets)
    course = Course(recipe=recipe, dataset=bench.dataset, targets=targets, directory=directory, resume=False)
    learn_in_stages(course, networks, on_progress=watch)
    return networks.learner


def _among_people(model: Any, dataset: Dataset, recipe: Recipe) -> float:
    """Agreement in the label of the nearest of people's photos, for photos of senders that were held out."""
    items = [item for item in dataset.items if item.attributes.get("sender_id")]
    labels = values_of(items, "label", recipe.maps)
    keys = [item.photos[0] for item in items]
    found = embed_keys(model, keys, dataset.photos, side_px=recipe.network.side_px, outputs=(EMBEDDING,))[
        EMBEDDING
    ]
    asked = np.flatnonzero([item.held_out for item in items])
    near = nearest(found[asked], found, k=_K, own=asked)
    return float(np.nanmean(agreement(near, labels[asked], labels)))
