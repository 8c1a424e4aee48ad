"""Routes for those who run the service: whether it lives, whether it is ready, and its figures."""

from __future__ import annotations

import time

from fastapi import APIRouter, Response

from sartor.service.context import Service, needs
from sartor.service.monitoring import CONTENT_TYPE
from sartor.service.schemas import HealthOut
from sartor.service.security import Scope

router = APIRouter(tags=["health"])


@router.get("/health/live")
async def live() -> HealthOut:
    """Answers as long as the process does."""
    return HealthOut(status="ok")


@router.get(
    "/health/ready",
    response_model_exclude_none=True,
    responses={503: {"description": "The model is still loading", "model": HealthOut}},
)
async def ready(response: Response, service: Service) -> HealthOut:
    """Answers ok when the model and the index are loaded, by all workers; also while the store is away."""
    if service.ready and (service.group is None or service.group.is_ready):
        since = service.shop.stale_since
        return HealthOut(status="ok", stale_s=None if since is None else max(0, round(time.time() - since)))
    response.status_code = 503
    return HealthOut(status="starting")


@router.get("/metrics", response_class=Response, dependencies=[needs(Scope.ADMIN)])
async def metrics(service: Service) -> Response:
    """Figures for Prometheus, over all workers."""
    text = await service.executor.run(lambda: service.metrics.text(service.shop))
    return Response(text, headers={"Content-Type": CONTENT_TYPE})
