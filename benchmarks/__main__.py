"""``python -m benchmarks``: the short set, or one benchmark by name.

A benchmark by name is saved as ``results/NAME.json``. The short set measures less, so its results go to
``results/short/`` and replace none of those; the page of tables shows them only where there is no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from benchmarks.answer_speed import answer_speed
from benchmarks.answers import answers
from benchmarks.beside_service import beside_service
from benchmarks.build_ingest import build_ingest
from benchmarks.data import SHARED_DATA, Data
from benchmarks.decoding import decoding
from benchmarks.encoder_quality import encoder_quality
from benchmarks.event_load import event_load
from benchmarks.feed_scale import feed_scale
from benchmarks.for_you import for_you
from benchmarks.foreground import foreground
from benchmarks.growth import growth
from benchmarks.host_rounds import host_load, host_rounds
from benchmarks.index_engines import index_engines
from benchmarks.ingest_scale import ingest_scale
from benchmarks.kill_rounds import kill_rounds
from benchmarks.looks import looks
from benchmarks.performance_page import RESULTS, SHORT, shown, write_pages
from benchmarks.ray_ingest import ray_ingest
from benchmarks.recommendation_latency import filtered_recall, recommendation_latency
from benchmarks.recommendations import recommendations
from benchmarks.report import Report, publish
from benchmarks.retrieval_agreement import retrieval_agreement
from benchmarks.runtimes import runtimes
from benchmarks.same_answers import same_answers
from benchmarks.scale import scale
from benchmarks.service_load import service_load
from benchmarks.startup import startup
from benchmarks.training_runs import training_ablation, training_first_figures
from benchmarks.tutorial_pipeline import tutorial_pipeline
from benchmarks.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _publish(report: Report | None, **_: object) -> None:
    if report is not None:
        publish(report, RESULTS)
        if report.name in shown():
            write_pages()


app = typer.Typer(
    help="Measure Sartor beside its peers; without a NAME, the short set, in under 10 minutes.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    result_callback=_publish,
)
app.command("startup")(startup)
app.command("event_load")(event_load)
app.command("for_you")(for_you)
app.command("foreground")(foreground)
app.command("tutorial_pipeline")(tutorial_pipeline)
app.command("ingest_scale")(ingest_scale)
app.command("feed_scale")(feed_scale)
app.command("build_ingest")(build_ingest)
app.command("ray_ingest")(ray_ingest)
app.command("retrieval_agreement")(retrieval_agreement)
app.command("encoder_quality")(encoder_quality)
app.command("recommendations")(recommendations)
app.command("answers")(answers)
app.command("recommendation_latency")(recommendation_latency)
app.command("filtered_recall")(filtered_recall)
app.command("index_engines")(index_engines)
app.command("growth")(growth)
app.command("scale")(scale)
app.command("runtimes")(runtimes)
app.command("decoding")(decoding)
app.command("kill_rounds")(kill_rounds)
app.command("host_rounds")(host_rounds)
app.command("host_load")(host_load)
app.command("looks")(looks)
app.command("service_load")(service_load)
app.command("answer_speed")(answer_speed)
app.command("beside_service")(beside_service)
app.command("same_answers")(same_answers)
app.command("training_first_figures")(training_first_figures)
app.command("training_ablation")(training_ablation)
app.command("words")(words)


@app.command("page")
def _page() -> None:
    """Write the tables of the pages under docs/explanation from the results; measures nothing."""
    write_pages()


@app.callback(invoke_without_command=True)
def _short_set_without_a_name(context: typer.Context, *, data: Data = SHARED_DATA) -> None:
    if context.invoked_subcommand is None:
        for report in _short_set(data):
            publish(report, RESULTS / SHORT)
        write_pages()


def _short_set(data: Path) -> Iterator[Report]:
    """Smaller than the benchmarks are by themselves, so its results stand apart from theirs."""
    yield startup()
    yield tutorial_pipeline(data=data, rounds=2, photos=16, our_photos=128, queries=12, catalog=2000)
    yield decoding(data=data, photos=200, rounds=3)
    yield runtimes(data=data, networks=["sartor-v1", "mobilenet_v2"], photos=128, singles=30)
    yield index_engines(sizes=[10_000], queries=100, every=4)
    yield growth(sizes=[1000, 4000], queries=100)
    yield ingest_scale(data=data, sizes=[500])


if __name__ == "__main__":
    app(prog_name="python -m benchmarks")
