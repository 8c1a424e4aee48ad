"""What operators see: figures for Prometheus, and a log whose lines have ``key=value`` fields and a request id."""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.datastructures import Headers, MutableHeaders

from sartor.service.forwarding import is_head
from sartor.service.schemas import REVISION, STALE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from prometheus_client import Metric
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sartor.events.model import EventType
    from sartor.service.group import WorkerGroup
    from sartor.shop import Shop

__all__ = [
    "CONTENT_TYPE",
    "LOG_FORMAT",
    "REQUEST_ID",
    "Metrics",
    "RequestIdFilter",
    "RequestObserver",
    "configure_logging",
]

logger = logging.getLogger(__name__)

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s request=%(request_id)s %(message)s"
REQUEST_ID = "X-Request-ID"
_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_BUCKETS_S = (0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5.0, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_request_id: ContextVar[str] = ContextVar("request_id", default="-")


class Metrics:
    """The figures of one service; two services in one process have separate ones.

    With a group of workers, each keeps its own in a file, and the one that is asked adds them up. Prometheus'
    client does so if ``PROMETHEUS_MULTIPROC_DIR`` is set before it is imported.
    """

    def __init__(self, group: WorkerGroup | None = None) -> None:
        self._group = group
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "sartor_requests", "Requests by route and status", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "sartor_request_seconds",
            "Time to answer, by route",
            ["method", "route"],
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._events = Counter(
            "sartor_events",
            "Events by type and outcome: taken, whether new or there before, or rejected",
            ["type", "outcome"],
            registry=registry,
        )
        self._duplicates = Counter(
            "sartor_duplicate_events", "Events that were taken and there before", registry=registry
        )
        self._in_flight = Gauge(
            "sartor_busy_requests", "Requests that run or wait", registry=registry, multiprocess_mode="livesum"
        )

    def observe(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def take_events(self, counts: Mapping[EventType, int], *, duplicates: int) -> None:
        """Count events that were taken, by type, and how many of them were there before."""
        for type_, count in counts.items():
            self._events.labels(type_.value, "taken").inc(count)
        self._duplicates.inc(duplicates)

    def reject_event(self, type_: EventType | None) -> None:
        """Count a rejected event; None if it has no known type."""
        self._events.labels("none" if type_ is None else type_.value, "rejected").inc()

    def show_busy(self, requests: int) -> None:
        """Note how many requests run or wait in this process now."""
        self._in_flight.set(requests)

    def text(self, shop: Shop) -> bytes:
        """All figures, of all workers, in the text format of Prometheus.

        Args:
            shop: The workspace, for the size of its catalog and its model.
        """
        registry, pids = self._registry, {os.getpid()}
        if self._group is not None:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, str(self._group.metrics))  # type: ignore[no-untyped-call]
            pids |= self._group.members
        now = CollectorRegistry()
        now.register(_Now(shop, sorted(pids)))
        return generate_latest(registry) + generate_latest(now)


class _Now(Collector):
    """Figures that any worker can tell for all: of the catalog, and how much memory each process takes."""

    def __init__(self, shop: Shop, pids: Iterable[int]) -> None:
        self._shop, self._pids = shop, pids

    def collect(self) -> Iterable[Metric]:
        counts, model = self._shop.counts(), self._shop.model
        yield GaugeMetricFamily("sartor_products", "Products in the catalog", counts.products)
        yield GaugeMetricFamily("sartor_photos", "Photos in the catalog", counts.photos)
        models = GaugeMetricFamily("sartor_model", "1 for the model that embeds", labels=["id", "sha256"])
        models.add_metric([model.id, model.sha256], 1)
        yield models
        memory = GaugeMetricFamily(
            "sartor_worker_resident_bytes", "Memory that a worker takes, by its process id", labels=["pid"]
        )
        for pid in self._pids:
            if (size_bytes := resident_bytes(pid)) is not None:
                memory.add_metric([str(pid)], size_bytes)
        yield memory


def resident_bytes(pid: int) -> int | None:
    """Memory of a process that is in use now; None if that cannot be told, as for other processes on macOS."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return _peak_bytes() if pid == os.getpid() else None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _peak_bytes() -> int | None:
    """The most memory that this process ever took, where the system tells nothing better."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # macOS counts bytes, others KiB


class RequestObserver:
    """ASGI middleware that gives each request an id, and counts and logs how it was answered."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and observe the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500
        request_id = _begin_request(Headers(scope=scope).get(REQUEST_ID))

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                state = scope.get("state", {})
                if (revision := state.get("revision")) is not None:
                    headers[REVISION] = str(revision)
                if (since := state.get("stale_since")) is not None:
                    headers[STALE] = str(max(0, round(time.time() - since)))
            await send(message)

        try:
            await self._app(scope, receive, observed)
        finally:
            # Not the path itself: there are endless ones, and they name people.
            route = getattr(scope.get("route"), "path", "none")
            asked = "HEAD" if is_head(scope) else scope["method"]
            method = asked if asked in _METHODS else "other"
            seconds = time.perf_counter() - start
            self._metrics.observe(method=method, route=route, status=status, seconds=seconds)
            logger.info(
                "request: method=%s route=%s status=%d ms=%.1f client=%s via=%s",
                method,
                route,
                status,
                1000 * seconds,
                (scope.get("client") or ("-",))[0],
                ",".join(scope.get("state", {}).get("proxies", ())) or "-",
            )


def _begin_request(sent: str | None) -> str:
    """The id of the request that begins in this task: the one that the client sent, or a new one.

    An id that is no short word is replaced, so that it cannot forge a line of the log.
    """
    request_id = sent if sent and _ID.fullmatch(sent) else uuid4().hex
    _request_id.set(request_id)
    return request_id


class RequestIdFilter(logging.Filter):
    """Gives each log record the attribute ``request_id``, ``-`` outside of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the id; no record is left out."""
        record.request_id = _request_id.get()
        return True


def configure_logging(level: int = logging.WARNING) -> None:
    """Log to stderr as ``LOG_FORMAT``, unless the program has set up logging itself."""
    root = logging.getLogger()
    if root.handlers:
        return
    handler = logging.StreamHandler()
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    root.addHandler(handler)
    root.setLevel(level)
