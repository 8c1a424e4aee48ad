"""What every route works with, and how it gets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request, params

from sartor.service.keys import Gate, Scope
from sartor.service.problems import Starting

if TYPE_CHECKING:
    from sartor.config import ServiceSettings
    from sartor.service.desk import Desk
    from sartor.service.metrics import Metrics
    from sartor.service.uploads import Uploads
    from sartor.shop import Shop


@dataclass(slots=True, kw_only=True)
class Context:
    """The parts of one service.

    Attributes:
        shop: The workspace.
        settings: How the service answers.
        desk: Runs what blocks.
        gate: Checks API keys.
        metrics: Counts.
        uploads: Photos that shoppers uploaded, for a while.
        ready: Whether the model and the index are loaded.
    """

    shop: Shop
    settings: ServiceSettings
    desk: Desk
    gate: Gate
    metrics: Metrics
    uploads: Uploads
    ready: bool = False


def context_of(request: Request) -> Context:
    """The context of the app that a request came to."""
    context = request.app.state.context
    assert isinstance(context, Context)  # noqa: S101 - the app puts it there
    return context


def needs(scope: Scope, *, personal: bool = False) -> params.Depends:
    """A dependency that lets only requests with a key for a scope through.

    Args:
        scope: What the key has to be good for.
        personal: Whether the route is about a person: it needs a key then, also where reading needs none.
    """

    async def check(request: Request) -> None:
        context = context_of(request)
        if not context.ready and scope is not Scope.ADMIN:
            raise Starting
        context.gate.require(scope, request.headers, personal=personal)

    return params.Depends(check)


Engine = Annotated[Context, Depends(context_of)]
