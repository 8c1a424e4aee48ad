"""Settings of a workspace, as plain values; only the command line and the service read the environment."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from sartor.encoders.card import Precision, RuntimeChoice
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


class ServiceSettings(BaseModel):
    """How the service answers.

    Attributes:
        host: Address that it listens on.
        port: Port; 0 takes a free one.
        cors_origins: Origins of pages that may read answers, such as ``https://shop.example``; ``*`` is all.
        read_needs_key: Whether reading needs an API key too, once there are keys.
        storefront: Whether the pages are served beside the API.
        rate_per_minute: Requests of one key or address; 0 does not limit them.
        max_request_bytes: Of a request's body.
        max_photos: Of a request.
        workers: Requests that are worked on at once; more than one for each core and one beside them only take
            turns.
        waiting: Requests that may wait for that.
        timeout_s: After so long a request is given up.
        receive_timeout_s: In so long a request has to arrive.
    """

    model_config = ConfigDict(frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    cors_origins: tuple[str, ...] = ()
    read_needs_key: bool = False
    storefront: bool = True
    rate_per_minute: int = Field(default=1200, ge=0)
    max_request_bytes: int = Field(default=32 << 20, ge=1 << 10)
    max_photos: int = Field(default=16, ge=1)
    workers: int = Field(default_factory=lambda: (os.cpu_count() or 1) + 1, ge=1)
    waiting: int = Field(default=64, ge=0)
    timeout_s: float = Field(default=20.0, gt=0)
    receive_timeout_s: float = Field(default=30.0, gt=0)
