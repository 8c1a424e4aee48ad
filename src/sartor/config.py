"""Settings of a workspace, as plain values; only the command line and the service read the environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict
from pydantic_settings import BaseSettings, SettingsConfigDict

from sartor.encoders.choices import Precision, RuntimeChoice
from sartor.types import Metric

DEFAULT_HOME = Path("sartor-data")


class Settings(BaseModel):
    """How a workspace is opened.

    Attributes:
        home: Directory of the workspace; made when missing.
        model: Id of the model to use; None is the workspace's default.
        metric: How distance is measured.
        device: ``auto``, or a device of the runtime: ``cpu``, ``gpu``, ``npu``, ``cuda``, ``coreml``.
        precision: Arithmetic of the inference.
        runtime: Which runtime.
        allow_urls: Fetch photos that are given as URLs, from public addresses only.
    """

    model_config = ConfigDict(frozen=True)

    home: Path = DEFAULT_HOME
    model: str | None = None
    metric: Metric = Metric.COSINE
    device: str = "auto"
    precision: Precision = Precision.AUTO
    runtime: RuntimeChoice = RuntimeChoice.AUTO
    allow_urls: bool = False


class EnvironmentSettings(Settings, BaseSettings):
    """The same, with ``SARTOR_HOME``, ``SARTOR_MODEL``, … for what is not given."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="SARTOR_")
