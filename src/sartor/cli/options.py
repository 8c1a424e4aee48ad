"""Options that several commands share, and the settings that they make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from sartor.encoders.choices import Precision

if TYPE_CHECKING:
    from sartor.config import Settings

Home: TypeAlias = Annotated[
    Path | None, typer.Option("--home", help="Directory of the workspace (SARTOR_HOME; ./sartor-data).")
]
Model: TypeAlias = Annotated[
    str | None, typer.Option("--model", help="Model to embed with (SARTOR_MODEL; the workspace's default).")
]
Device: TypeAlias = Annotated[
    str | None, typer.Option("--device", help="auto, cpu, gpu, npu, cuda or coreml (SARTOR_DEVICE; auto).")
]
PrecisionOption: TypeAlias = Annotated[
    Precision | None,
    typer.Option("--precision", help="Arithmetic (SARTOR_PRECISION; auto: bf16 where it is fast)."),
]
MetricOption: TypeAlias = Annotated[
    Literal["cosine", "euclidean"] | None,
    typer.Option("--metric", help="How distance is measured (SARTOR_METRIC; cosine)."),
]
Limit: TypeAlias = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help="Take only the first N products.")
]
AllowUrls: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--allow-urls", help="Fetch photos given as URLs, from public addresses (SARTOR_ALLOW_URLS; off)."
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


def settings(**given: Any) -> Settings:
    """Settings from what was given on the command line, and from the environment for the rest."""
    from pydantic import ValidationError

    from sartor.config import EnvironmentSettings

    try:
        return EnvironmentSettings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = f"SARTOR_{first['loc'][0]}".upper()
        message = f"{name}={first['input']!r} in the environment is not valid: {first['msg']}"
        raise typer.BadParameter(message) from error
