"""``python -m benchmarks``: the short set, or one benchmark by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from benchmarks.data import SHARED_DATA, Data
from benchmarks.encoder_quality import encoder_quality
from benchmarks.ingest_scale import ingest_scale
from benchmarks.looks import looks
from benchmarks.recommendation_latency import filtered_recall, recommendation_latency
from benchmarks.recommendations import recommendations
from benchmarks.report import Report, publish
from benchmarks.retrieval_agreement import retrieval_agreement
from benchmarks.service_load import service_load
from benchmarks.startup import startup
from benchmarks.training_runs import training_ablation, training_first_figures
from benchmarks.tutorial_pipeline import tutorial_pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

RESULTS = Path(__file__).parent / "results"


def _publish(report: Report | None, **_: object) -> None:
    if report is not None:
        publish(report, RESULTS)


app = typer.Typer(
    help="Measure Sartor beside its peers; without a NAME, the short set, in under 10 minutes.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    result_callback=_publish,
)
app.command("startup")(startup)
app.command("tutorial_pipeline")(tutorial_pipeline)
app.command("ingest_scale")(ingest_scale)
app.command("retrieval_agreement")(retrieval_agreement)
app.command("encoder_quality")(encoder_quality)
app.command("recommendations")(recommendations)
app.command("recommendation_latency")(recommendation_latency)
app.command("filtered_recall")(filtered_recall)
app.command("looks")(looks)
app.command("service_load")(service_load)
app.command("training_first_figures")(training_first_figures)
app.command("training_ablation")(training_ablation)


@app.callback(invoke_without_command=True)
def _short_set_without_a_name(context: typer.Context, *, data: Data = SHARED_DATA) -> None:
    if context.invoked_subcommand is None:
        for report in _short_set(data):
            publish(report, RESULTS)


def _short_set(data: Path) -> Iterator[Report]:
    yield startup()
    yield tutorial_pipeline(data=data, rounds=3, our_photos=256, catalog=2000)
    yield ingest_scale(data=data, sizes=[500, 1500])
    yield retrieval_agreement(data=data, limit=1500)


if __name__ == "__main__":
    app(prog_name="python -m benchmarks")
