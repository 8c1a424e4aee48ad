"""Whether the service lives, whether it is ready, and what it counts."""

from __future__ import annotations

from fastapi import APIRouter, Response

from sartor.service.context import Engine, needs
from sartor.service.metrics import CONTENT_TYPE
from sartor.service.schemas import HealthOut
from sartor.service.security import Scope

router = APIRouter(tags=["health"])


@router.get("/health/live")
async def live() -> HealthOut:
    """Answers as long as the process does."""
    return HealthOut(status="ok")


@router.get("/health/ready", responses={503: {"description": "The model is still loading", "model": HealthOut}})
async def ready(response: Response, engine: Engine) -> HealthOut:
    """Answers ok when the model and the index are loaded."""
    if engine.ready:
        return HealthOut(status="ok")
    response.status_code = 503
    return HealthOut(status="starting")


@router.get("/metrics", response_class=Response, dependencies=[needs(Scope.ADMIN)])
async def metrics(engine: Engine) -> Response:
    """Figures for Prometheus."""
    text = await engine.desk.run(lambda: engine.metrics.text(engine.shop, engine.desk))
    return Response(text, headers={"Content-Type": CONTENT_TYPE})
