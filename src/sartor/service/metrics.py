"""What Prometheus reads: requests, latencies, the queue, events, the size of the catalog, the model."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sartor.events.model import EventType
    from sartor.service.context import BoundedExecutor
    from sartor.shop import Shop

CONTENT_TYPE = CONTENT_TYPE_LATEST
_BUCKETS_S = (0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5.0, 10.0)


class Metrics:
    """The figures of one service; two services in one process do not mix theirs."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "sartor_requests",
            "Requests by route and status",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "sartor_request_seconds",
            "Time to answer, by route",
            ["method", "route"],
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self._events = Counter(
            "sartor_events",
            "Events by type and outcome: taken, whether new or there before, or rejected",
            ["type", "outcome"],
            registry=self._registry,
        )
        self._duplicates = Counter(
            "sartor_duplicate_events", "Events that were taken and there before", registry=self._registry
        )
        self._waiting = Gauge("sartor_busy_requests", "Requests that run or wait", registry=self._registry)
        self._products = Gauge("sartor_products", "Products in the catalog", registry=self._registry)
        self._photos = Gauge("sartor_photos", "Photos in the catalog", registry=self._registry)
        self._model = Gauge(
            "sartor_model", "1 for the model that embeds", ["id", "sha256"], registry=self._registry
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
        """Count an event that was rejected; its type may be none."""
        self._events.labels("none" if type_ is None else type_.value, "rejected").inc()

    def text(self, shop: Shop, desk: BoundedExecutor) -> bytes:
        """All figures, in the text format of Prometheus."""
        counts = shop.counts()
        self._waiting.set(desk.busy)
        self._products.set(counts.products)
        self._photos.set(counts.photos)
        self._model.clear()
        self._model.labels(shop.model.id, shop.model.sha256).set(1)
        return generate_latest(self._registry)


class Measured:
    """ASGI middleware that counts requests by the route that answered them."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note how it was answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "none")  # not the path itself: there are endless ones
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.observe(method=method, route=route, status=status, seconds=time.perf_counter() - start)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
