"""Every setting, with its default, its help, its option and its variable of the environment.

Only the command line and the service read the environment. ``docs/reference/settings.md`` and ``environment.md``
are generated from these tables; bounds that nobody sets are in ``limits.py``.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from sartor.choices import Precision, RuntimeChoice
from sartor.errors import BadSettings
from sartor.types import Metric

ENV_PREFIX = "SARTOR_"
_CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")  # a container's: https://docs.kernel.org/admin-guide/cgroup-v2.html
_MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")
SETTINGS_FILE = "sartor.toml"  # in the workspace; for what neither the program nor the environment says

# Variables that are read beside those of ``Settings``.
API_KEY_VARIABLE = "SARTOR_API_KEY"
STUDIO_API_VARIABLE = "SARTOR_STUDIO_API"
RATE_STORE_VARIABLE = "SARTOR_RATE_STORE"
OTHER_VARIABLES = {
    API_KEY_VARIABLE: "API key that `sartor studio --api` sends to the service.",
    RATE_STORE_VARIABLE: "Redis server that counts requests for several hosts, for `sartor serve`.",
    STUDIO_API_VARIABLE: "Address of the service that the studio asks; `sartor studio --api` sets it.",
    "AWS_ACCESS_KEY_ID": "Key of the bucket in `SARTOR_MEDIA`, read by its client, as are the next ones.",
    "AWS_SECRET_ACCESS_KEY": "Secret of that key.",
    "AWS_SESSION_TOKEN": "Token of a temporary key.",
    "AWS_ENDPOINT_URL": "Server of the bucket, where the address names none.",
    "AWS_REGION": "Region of the bucket, where the address names none.",
    "AWS_CA_BUNDLE": "File of the certificates that sign the server's, where that is a CA of its own.",
    "SARTOR_KERAS_BACKEND": "Back end of Keras, for training and export: `tensorflow` unless it is set.",
}


def _row(default: Any, help_: str, option: str = "", **bounds: Any) -> Any:
    """A setting: its default, what it is, and the option of the command line that sets it."""
    return Field(default, description=help_, json_schema_extra={"option": option}, **bounds)


def _flag(help_: str, option: str, *, default: bool) -> Any:
    return _row(default, help_, option)


def cores() -> int:
    """Number of processor cores that this process may use; a container's limit is rounded up."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = _CPU_LIMIT.read_text(encoding="ascii").split()
        return min(count, -(-int(quota) // int(period)))
    except (OSError, ValueError):  # not Linux, or without a limit
        return count


def memory_bytes() -> int:
    """Memory of this machine, or what this process's container may use."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(memory, int(_MEMORY_LIMIT.read_text(encoding="ascii")))
    except (OSError, ValueError):  # not Linux, or without a limit
        return memory


class Settings(BaseModel):
    """How a workspace is opened.

    An address in place of the directory, as in ``home="mongodb://localhost/shop"``, is that of the store; what is
    derived from it is then kept in the default directory.
    """

    model_config = ConfigDict(frozen=True)

    home: Path = _row(Path("sartor-data"), "Directory of the workspace; it is made if it is missing.", "--home")
    store: str | None = _row(
        None,
        "Address of the database that holds the catalog and the events, such as `mongodb://localhost/shop`; by "
        "default SQLite files in the directory.",
        "--home",
    )
    index: str | None = _row(None, "Address of a vector index for all processes; by default each has its own.")
    media: str | None = _row(
        None,
        "Where the thumbnails are: a bucket, as in `s3://BUCKET/PREFIX`, or a directory that all hosts share; by "
        "default the store's: `media`, or GridFS.",
    )
    cache: Path | None = _row(
        None,
        "Directory for what is derived from a read-only workspace; by default `sartor` in the user's cache "
        "directory, or one of temporary files.",
    )
    indexer: bool = _flag(
        "Whether this process also writes the index that all share, when it is its turn; `sartor serve` does.",
        "--indexer",
        default=False,
    )
    model: str | None = _row(None, "Id of the model to embed with; by default the workspace's.", "--model")
    metric: Metric = _row(Metric.COSINE, "How distance is measured: `cosine` or `euclidean`.", "--metric")
    device: str = _row(
        "auto", "Where the network runs: `auto`, `cpu`, `gpu`, `npu`, `cuda` or `coreml`.", "--device"
    )
    precision: Precision = _row(
        Precision.AUTO,
        "Arithmetic of the network: `f32`, `bf16`, or `auto`, which is bf16 where it is fast (AMX).",
        "--precision",
    )
    runtime: RuntimeChoice = _row(
        RuntimeChoice.AUTO,
        "What runs the network: `openvino`, `onnxruntime`, or `auto`, which is OpenVINO if it has the device.",
    )
    threads: int = _row(0, "Threads that the network uses on a processor; 0 is one for each core.", ge=0)
    allow_urls: bool = _flag(
        "Whether photos given as URLs are fetched, from public addresses only.", "--allow-urls", default=False
    )

    @model_validator(mode="before")
    @classmethod
    def _home_may_be_an_address(cls, given: Any) -> Any:
        if isinstance(given, dict) and is_address(home := given.get("home")):
            given = {name: value for name, value in given.items() if name != "home"}
            given["store"] = home
        return given


def is_address(text: object) -> bool:
    """Whether a text is the address of a server and not a path."""
    return isinstance(text, str) and "://" in text


class EnvironmentSettings(Settings, BaseSettings):
    """The same, with ``SARTOR_HOME``, ``SARTOR_MODEL``, … for what is not given."""

    model_config = SettingsConfigDict(frozen=True, env_prefix=ENV_PREFIX, env_ignore_empty=True)


S = TypeVar("S", bound=Settings)


def with_file(settings: S) -> S:
    """The settings with those of ``sartor.toml`` in the workspace for what was not given.

    Example of a file:
        store = "mongodb://localhost/shop"
        media = "/mnt/media"

    Raises:
        BadSettings: The file cannot be read, or holds something that is no setting.
    """
    file = settings.home / SETTINGS_FILE
    try:
        read = tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return settings
    except (OSError, ValueError) as error:
        raise BadSettings(file, reason=str(error)) from error
    names = set(Settings.model_fields) - {"home"}
    if strange := sorted(set(read) - names):
        raise BadSettings(file, reason=f"{strange[0]!r} is no setting; there are: {', '.join(sorted(names))}")
    new = {name: value for name, value in read.items() if name not in settings.model_fields_set}
    try:
        Settings.model_validate(new)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadSettings(file, reason=f"{first['loc'][0]} = {first['input']!r}: {first['msg']}") from error
    valid = Settings.model_validate(new)
    return settings.model_copy(update={name: getattr(valid, name) for name in new})


class ServiceSettings(BaseModel):
    """How ``sartor serve`` answers."""

    model_config = ConfigDict(frozen=True)

    host: str = _row("127.0.0.1", "Address to listen on; one that others reach needs an API key.", "--host")
    port: int = _row(8000, "Port; 0 takes a free one.", "--port", ge=0, le=65535)
    cors_origins: tuple[str, ...] = _row(
        (), "Origins of pages that may read answers, such as `https://shop.example`; `*` is all.", "--cors"
    )
    read_needs_key: bool = _flag(
        "Whether reading needs an API key as well, once there are keys.", "--read-needs-key", default=False
    )
    storefront: bool = _flag("Whether the pages are served beside the API.", "--storefront", default=True)
    rate_per_minute: int = _row(
        1200, "Requests a minute of one key or address; 0 does not limit them.", "--rate-limit", ge=0
    )
    rate_store: str | None = _row(
        None,
        "Address of a Redis server that counts requests for several hosts, such as `redis://localhost:6379/0`; "
        "by default each host counts its own.",
        "--rate-store",
    )
    max_request_bytes: int = _row(32 << 20, "Bytes of a request's body.", "--max-request-mb", ge=1 << 10)
    max_photos: int = _row(16, "Photos in a request.", ge=1)
    workers: int = Field(
        default_factory=cores,
        description="Processes that answer; each has the network and a copy of the index in its memory.",
        json_schema_extra={"option": "--workers"},
        ge=1,
    )
    share_index: bool | None = _row(
        None,
        "Whether the workers ask one process for the index; by default they do where their copies would take more "
        "than a quarter of the memory.",
        "--share-index",
    )
    concurrency: int = Field(
        default_factory=lambda: cores() + 1,
        description="Requests that are worked on at once, over all workers; each works on two at the least.",
        ge=1,
    )
    waiting: int = _row(64, "Requests that wait while that many are worked on; further ones get 503.", ge=0)
    timeout_s: float = _row(20.0, "Seconds after which a request is given up.", gt=0)
    receive_timeout_s: float = _row(30.0, "Seconds in which a request has to arrive.", gt=0)
