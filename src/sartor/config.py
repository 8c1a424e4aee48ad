"""Every setting, with its default, its help, its option and its variable of the environment.

Only the command line and the service read the environment. ``docs/reference/settings.md`` and ``environment.md``
are generated from these tables; bounds that nobody sets are in ``limits.py``.
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from sartor.choices import CatalogChoice, Precision, RuntimeChoice
from sartor.errors import BadSettings, UnusableSetting, redacted
from sartor.types import Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"

ENV_PREFIX = "SARTOR_"
_CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")  # a container's: https://docs.kernel.org/admin-guide/cgroup-v2.html
_MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")
SETTINGS_FILE = "sartor.toml"  # in the workspace; for what neither the program nor the environment says

# Variables that are read beside those of ``Settings``.
API_KEY_VARIABLE = "SARTOR_API_KEY"
STUDIO_API_VARIABLE = "SARTOR_STUDIO_API"
RATE_STORE_VARIABLE = "SARTOR_RATE_STORE"
BASE_URL_VARIABLE = "SARTOR_BASE_URL"
TRUSTED_PROXY_VARIABLE = "SARTOR_TRUSTED_PROXY"
OTHER_VARIABLES = {
    API_KEY_VARIABLE: "API key that `sartor studio --api` sends to the service.",
    RATE_STORE_VARIABLE: "Redis server that counts requests for several hosts, for `sartor serve`.",
    BASE_URL_VARIABLE: "Address at which shoppers reach `sartor serve`, such as `https://shop.example/sartor/`.",
    TRUSTED_PROXY_VARIABLE: "Proxies whose `X-Forwarded-*` headers `sartor serve` believes, parted by spaces.",
    STUDIO_API_VARIABLE: "Address of the service that the studio asks; `sartor studio --api` sets it.",
    "AWS_ACCESS_KEY_ID": "Key of buckets, for `SARTOR_MEDIA` and sources; their client reads it, and the next.",
    "AWS_SECRET_ACCESS_KEY": "Secret of that key.",
    "AWS_SESSION_TOKEN": "Token of a temporary key.",
    "AWS_ENDPOINT_URL": "Server of a bucket whose address names none.",
    "AWS_REGION": "Region of a bucket whose address names none.",
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


class _Checked(BaseModel):
    """Settings of one kind."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def checked(cls, **values: Any) -> Self:
        """The settings with these values.

        Raises:
            UnusableSetting: A value cannot be used; the error names the setting and its option.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            field = cls.model_fields.get(name)
            extra = field.json_schema_extra if field else None
            option = extra.get("option") if isinstance(extra, dict) else None
            reason = first["msg"].removeprefix("Value error, ")
            raise UnusableSetting(name, option=str(option or ""), value=first["input"], reason=reason) from error


class Settings(_Checked):
    """How a workspace is opened.

    An address in place of the directory, as in ``home="mongodb://localhost/shop"``, is that of the store; what is
    derived from it is then kept in the default directory.
    """

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
        "default the store's: `media.sqlite3`, or GridFS.",
    )
    catalog: CatalogChoice = _row(
        CatalogChoice.LOCAL,
        "Where the catalog of a MongoDB store is read: `local`, from a replica of each process, or `shared`, from "
        "MongoDB and OpenSearch, so that a process keeps nothing of it.",
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
    shrink_share: float = _row(
        0.2,
        "Part of a source's products, 0 to 1, that `sartor index` may delete, or take attributes or photos from, "
        "unless `--allow-shrink` says that it is meant.",
        ge=0,
        le=1,
    )
    shrink_products: int = _row(
        10,
        "Number of products that have to be concerned as well, or all of them where a source has fewer.",
        ge=1,
    )
    include_unavailable: bool = _flag(
        "Whether recommendations have products that are out of stock, unless a request says otherwise.",
        "--include-unavailable",
        default=False,
    )
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
    file, read = settings.home / SETTINGS_FILE, _read_file(settings.home)
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


def _read_file(home: Path) -> dict[str, Any]:
    """What the settings file of a workspace says; nothing without one."""
    file = home / SETTINGS_FILE
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise BadSettings(file, reason=str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingOrigin:
    """A setting that is not at its default.

    Attributes:
        name: Its name.
        value: Its value, without a password.
        origin: The option, the variable or the file that says so.
        instead_of: What ``sartor.toml`` says, where that does not hold; empty else.
    """

    name: str
    value: str
    origin: str
    instead_of: str = ""


def setting_origins(settings: Settings, *, options: Iterable[str] = ()) -> tuple[SettingOrigin, ...]:
    """Where the settings of a command come from.

    Args:
        settings: The settings, with those of the file.
        options: Names of those that an option gave.
    """
    read, found = _read_file(settings.home), []
    for name in Settings.model_fields:
        variable = f"{ENV_PREFIX}{name.upper()}"
        in_file = redacted(str(read[name])) if name in read else ""
        value = redacted(str(getattr(settings, name)))
        if name in options:
            field = Settings.model_fields[name].json_schema_extra
            origin = str(field.get("option")) if isinstance(field, dict) else name
        elif os.environ.get(variable):
            origin = variable
        elif name in read:
            origin, in_file = SETTINGS_FILE, ""
        else:
            continue
        found.append(SettingOrigin(name=name, value=value, origin=origin, instead_of=in_file))
    return tuple(found)


def misspelled_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that are no setting and look like one, and the one that each looks like.

    Other variables with our prefix may be meant for something else: Kubernetes, for one, makes them of services.
    """
    known = {name.upper() for name in Settings.model_fields}
    known |= {name.removeprefix(ENV_PREFIX) for name in OTHER_VARIABLES}
    strange = [name.removeprefix(ENV_PREFIX) for name in environment if name.startswith(ENV_PREFIX)]
    close = {name: get_close_matches(name, known, n=1, cutoff=0.8) for name in strange if name not in known}
    return {f"{ENV_PREFIX}{name}": f"{ENV_PREFIX}{names[0]}" for name, names in sorted(close.items()) if names}


class ServiceSettings(_Checked):
    """How ``sartor serve`` answers."""

    host: str = _row("127.0.0.1", "Address to listen on; one that others reach needs an API key.", "--host")
    port: int = _row(8000, "Port; 0 takes a free one.", "--port", ge=0, le=65535)
    base_url: str | None = _row(
        None,
        "Address at which clients reach the service behind a proxy, such as `https://shop.example/sartor/`; by "
        "default what they ask for.",
        "--base-url",
    )
    trusted_proxies: tuple[str, ...] = _row(
        ("loopback", "unix"),
        "Proxies whose `X-Forwarded-*` headers are believed: addresses, networks such as `10.0.0.0/8`, and the "
        "words `loopback`, `private`, `unix` and `none`.",
        "--trusted-proxy",
    )
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
    max_request_bytes: int = _row(64 << 20, "Bytes of a request's body.", "--max-request-mb", ge=1 << 10)
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

    @field_validator("cors_origins")
    @classmethod
    def _as_browsers_write_them(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(origin_of, origins)))

    @field_validator("base_url")
    @classmethod
    def _base_is_an_address(cls, url: str | None) -> str | None:
        return base_of(url) if url else None

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_networks(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        networks_of(texts)
        return texts

    @field_validator("host")
    @classmethod
    def _host_is_a_name(cls, host: str) -> str:
        text = host.strip()
        bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        if not _HOST.fullmatch(bare):
            message = "give a name or an address, such as 127.0.0.1, without a scheme, a port or a path"
            raise ValueError(message)
        return bare


_HOST = re.compile(r"[A-Za-z0-9._:%-]{1,255}")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NETWORK_WORDS = {
    "loopback": ("127.0.0.0/8", "::1/128"),
    "private": (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    ),
    "unix": (),
    "none": (),
}
_OWN_PAGES = frozenset(("product", "results", "search", "uploads", "opinion", "remember", "favorites", "privacy"))
_OWN_PATHS = _OWN_PAGES | {"v1", "health", "metrics", "openapi.json", "static", "sartor-similar.js"}  # first words


def origin_of(text: str) -> str:
    """An origin as browsers send it: scheme, host, and a port that is not the scheme's own.

    Raises:
        ValueError: It is no origin, or more than one.
    """
    if text.strip() == "*":
        return "*"
    try:
        parts = urlsplit(text.strip())
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        message = f"{text!r} is no origin: {error}"
        raise ValueError(message) from error
    if parts.scheme not in _DEFAULT_PORTS or not host:
        message = f"{text!r} is no origin; write scheme and host, such as https://shop.example"
        raise ValueError(message)
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None or "*" in host:
        message = f"{text!r} is no origin; it has a scheme, a host and a port alone, such as https://shop.example"
        raise ValueError(message)
    try:
        name = host if ":" in host else host.encode("idna").decode()
    except UnicodeError as error:
        message = f"{text!r} is no origin: {error}"
        raise ValueError(message) from error
    shown = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{shown}" + (f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else "")


def base_of(text: str) -> str:
    """An address that a service is reached at, without a slash at its end.

    Raises:
        ValueError: It is none, or its path is one of the service's own.
    """
    parts = urlsplit(text.strip())
    path = parts.path.rstrip("/")
    origin = origin_of(parts._replace(path="", query="", fragment="").geturl() if parts.netloc else text)
    if parts.query or parts.fragment:
        message = f"{text!r} has a query or a fragment; write scheme, host and path, such as https://shop.example/sartor/"
        raise ValueError(message)
    if path and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", path, re.ASCII):
        message = f"the path of {text!r} has more than letters, digits and . _ ~ -"
        raise ValueError(message)
    if path.split("/")[1:2] and path.split("/")[1] in _OWN_PATHS | {".", ".."}:
        message = f"the path of {text!r} begins as one of the service's own; choose another, such as /sartor/"
        raise ValueError(message)
    return origin + path


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """The networks of addresses, networks and words.

    Raises:
        ValueError: A text is neither.
    """
    networks: list[Network] = []
    for text in texts:
        for each in _NETWORK_WORDS.get(text.lower(), (text,)):
            try:
                networks.append(ipaddress.ip_network(each, strict=False))
            except ValueError as error:
                message = (
                    f"{text!r} is no address and no network; write such as 10.0.0.5, 10.0.0.0/8 or fd00::/8, or "
                    f"one of {', '.join(_NETWORK_WORDS)}"
                )
                raise ValueError(message) from error
    return tuple(networks)
