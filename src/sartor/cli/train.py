"""``sartor train``: fine-tune an encoder on a catalog."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sartor.cli.options import Home, Json, Model, echo, print_json, print_table, settings, stoppable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sartor.training.loop import TrainingProgress
    from sartor.training.recipe import Recipe
    from sartor.training.text import TextProgress
    from sartor.training.train import Trained

_TOLD_EVERY = 20  # steps


def train(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE...", help="Sources of products with attributes, as sartor index reads them."
        ),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", metavar="DIR", help="Directory for the model and its report.")
    ],
    recipe: Annotated[
        Path | None,
        typer.Option("--recipe", metavar="FILE.toml", help="Recipe of the training; the options below change it."),
    ] = None,
    labels: Annotated[
        str | None, typer.Option("--labels", metavar="A,B", help="Attributes to learn (chosen by coverage).")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="NAME", help="A network of `sartor models export`, or a trained model."),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option("--weights", metavar="FILE", help="Keras weights of the base network.")
    ] = None,
    model_id: Annotated[str | None, typer.Option("--id", help="Id of the model.")] = None,
    epochs: Annotated[
        float | None, typer.Option("--epochs", min=0.01, help="Maximum number of passes over the photos.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of all that is random.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue a stopped training.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Fine-tune an encoder on the photos and attributes of SOURCEs, and report whether it helped.

    Add the model with: sartor models add DIR, and make it the default with: sartor models promote ID
    """
    from sartor.shop.library import train_model
    from sartor.training.recipe import TrainingOptions

    options = TrainingOptions(
        sources=sources,
        output=output,
        recipe=_recipe(recipe, labels=labels, base=base, id=model_id, epochs=epochs, seed=seed),
        weights=weights,
        resume=resume,
    )
    message = "the same command with --resume continues from the last checkpoint"
    with stoppable(message), _progress_lines() as (on_photos, on_progress):
        trained = train_model(settings(home=home), options, on_photos=on_photos, on_progress=on_progress)
    _print_json(trained) if as_json else _print(trained)


def train_text(
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar="DIR", help="Directory for it, instead of the workspace: nothing is used."
        ),
    ] = None,
    epochs: Annotated[float | None, typer.Option("--epochs", min=0.01, help="Passes over the products.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Seed of all that is random.")] = None,
    home: Home = None,
    model: Model = None,
    as_json: Json = False,
) -> None:
    """Teach a model words: a text tower from the titles and attributes of the workspace's products.

    It is used from then on by `sartor search`; the model itself stays as it is. A tenth of the products is held
    out, on which it is measured.
    """
    from sartor.wiring import open_shop

    def on_progress(progress: TextProgress) -> None:
        is_last = progress.step == progress.steps
        if sys.stderr.isatty() and (is_last or progress.step % _TOLD_EVERY == 0):
            sys.stderr.write(
                f"\r\033[Kstep {progress.step:,} of {progress.steps:,}, loss {progress.loss:.3f}"
                + ("\n" if is_last else "")
            )

    with open_shop(settings(home=home, model=model)) as shop:
        trained = shop.train_text(output=output, epochs=epochs, seed=seed, on_progress=on_progress)
    record, directory = trained.record, trained.directory
    if as_json:
        print_json({"directory": str(directory), "record": record.model_dump(mode="json")})
        return
    print_table(
        "Held-out products",
        ("figure", "mean", "95 %", "queries"),
        (
            (name, f"{found.mean:.3f}", f"{found.low:.3f} to {found.high:.3f}", f"{found.count:,}")
            for name, found in record.figures.items()
        ),
    )
    echo(f"the text tower is in {directory}: {record.words:,} words, learned from {record.products:,} products")


def _recipe(file: Path | None, *, labels: str | None, epochs: float | None, **changes: str | int | None) -> Recipe:
    from pydantic import ValidationError

    from sartor.training.recipe import Label, Recipe

    recipe = Recipe.read(file) if file else Recipe()
    parts: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    if labels is not None:
        parts["labels"] = tuple(Label(name=name.strip()) for name in labels.split(",") if name.strip())
        parts["judge_by"] = ()
    if epochs is not None:
        parts["schedule"] = recipe.schedule.model_copy(update={"epochs": epochs, "steps": None})
    try:
        return recipe.changed(**parts)
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"]) from error


@contextmanager
def _progress_lines() -> Iterator[tuple[Callable[[int], None], Callable[[TrainingProgress], None]]]:
    """Progress on stderr: on a terminal one line that is rewritten, else a line per validation."""
    is_terminal = sys.stderr.isatty()
    validations: list[dict[str, float]] = []

    def on_photos(count: int) -> None:
        if is_terminal:
            sys.stderr.write(f"\r\033[Kreading photos: {count:,}")

    def on_progress(progress: TrainingProgress) -> None:
        is_new = bool(progress.figures) and progress.figures not in validations
        if is_new:
            validations.append(progress.figures)
        if is_terminal:
            sys.stderr.write("\r\033[K" + _line(progress) + ("\n" if is_new else ""))
        elif is_new:
            sys.stderr.write(_line(progress) + "\n")
        sys.stderr.flush()

    yield on_photos, on_progress
    if is_terminal:
        sys.stderr.write("\r\033[K")


def _line(progress: TrainingProgress) -> str:
    figures = ", ".join(f"{name} {value:.3f}" for name, value in progress.figures.items())
    minutes = f"{progress.left_s / 60:.0f} min left" if progress.left_s >= 60 else f"{progress.left_s:.0f} s left"  # noqa: PLR2004
    return f"step {progress.step:,} of {progress.steps:,}, loss {progress.loss:.3f}, {minutes}  {figures}"


def _print(trained: Trained) -> None:
    echo(trained.verdict)
    record = trained.card.training
    if record is not None:
        print_table(
            "Held-out products",
            ("figure", "before", "after", "95 %"),
            (
                (
                    name,
                    f"{record.base_figures[name].mean:.3f}" if name in record.base_figures else "",
                    f"{measured.mean:.3f}",
                    f"{measured.low:.3f} to {measured.high:.3f}",
                )
                for name, measured in record.figures.items()
            ),
        )
    for name in trained.unlearned:
        echo(f"not learned: {name}, of which fewer than two values are known")
    print_table("Rejected photos", ("photo", "reason"), trained.rejected.items())
    echo(f"{trained.card.id} is in {trained.directory}; see report.html there")
    echo(f"add it with: sartor models add {trained.directory}")


def _print_json(trained: Trained) -> None:
    card = trained.card.model_dump(mode="json")
    print_json(
        {
            "directory": str(trained.directory),
            "verdict": trained.verdict,
            "unlearned": list(trained.unlearned),
            "card": card,
        }
    )
