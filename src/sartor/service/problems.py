"""Errors as problem details (RFC 9457): each kind has a stable type, and none shows a stack trace."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from sartor.errors import (
    EmptyCatalog,
    ModelError,
    PersonNotFound,
    PhotoRejected,
    ProductNotFound,
    QueryError,
    SartorError,
    SourceError,
    VisitorTaken,
    WorkspaceError,
    WorkspaceReadOnly,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:sartor:problem:{}"
_STATUS_OF: tuple[tuple[type[SartorError], int], ...] = (
    (ProductNotFound, 404),
    (PersonNotFound, 404),
    (EmptyCatalog, 409),
    (VisitorTaken, 409),
    (WorkspaceReadOnly, 409),
    (PhotoRejected, 422),
    (QueryError, 422),
    (SourceError, 422),
    (ModelError, 409),
    (WorkspaceError, 503),
)
_TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    408: "Request timeout",
    409: "Conflict",
    413: "Content too large",
    415: "Unsupported media type",
    422: "Unprocessable content",
    429: "Too many requests",
    500: "Internal error",
    503: "Service unavailable",
    504: "Took too long",
}
_ERRORS_SHOWN = 20


class Problem(Exception):
    """An error that is answered with problem details.

    Attributes:
        kind: Last part of its type, such as ``too-many-requests``; stable.
        detail: One line for a person.
        headers: Further headers of the answer.
        more: Further members of the JSON.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail
        self.headers, self.more = dict(headers or {}), more


class Overloaded(Problem):
    """The queue is full."""

    def __init__(self) -> None:
        super().__init__(503, "overloaded", "too many requests wait already; try again soon", headers=_retry(1))


class Starting(Problem):
    """The model and the index are not loaded yet."""

    def __init__(self) -> None:
        super().__init__(503, "starting", "the model is still loading; try again soon", headers=_retry(1))


class NotFollowed(Problem):
    """This process has not followed to the revision that a read asks for."""

    def __init__(self, *, revision: int, asked: int) -> None:
        super().__init__(
            503,
            "not-followed",
            f"this process has followed the catalog to revision {revision}, not yet to {asked}; try again soon",
            headers=_retry(1),
        )


class TookTooLong(Problem):
    """A request took longer than it may."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(
            503, "took-too-long", f"this was not done within {timeout_s:g} s; try again later", headers=_retry(5)
        )


class TooManyRequests(Problem):
    """A client asks more often than it may."""

    def __init__(self, *, limit: str, retry_s: int) -> None:
        super().__init__(
            429, "too-many-requests", f"more than {limit}; try again in {retry_s} s", headers=_retry(retry_s)
        )


class TooLarge(Problem):
    """A request is larger than it may be."""

    def __init__(self, *, limit_bytes: int) -> None:
        super().__init__(413, "content-too-large", f"a request may have at most {limit_bytes >> 20} MiB")


class TooManyPhotos(Problem):
    """A request has more photos than it may."""

    def __init__(self, *, limit: int) -> None:
        super().__init__(413, "too-many-photos", f"a request may have at most {limit} photos")


class TooSlow(Problem):
    """The body of a request did not arrive in time."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(408, "request-timeout", f"the request did not arrive within {timeout_s:g} s")


class NoKey(Problem):
    """A route needs an API key, and the request has none or an unknown one."""

    def __init__(self, *, scope: str, reason: str) -> None:
        detail = f"{reason}; send one with the scope {scope} as: Authorization: Bearer KEY"
        super().__init__(401, "unauthorized", detail, headers={"WWW-Authenticate": 'Bearer realm="sartor"'})


class WrongScope(Problem):
    """The scope of an API key is too low."""

    def __init__(self, *, scope: str, has: str) -> None:
        super().__init__(403, "forbidden", f"this needs an API key with the scope {scope}, this one has {has}")


class OtherSite(Problem):
    """A page of another site lets a browser write."""

    def __init__(self) -> None:
        detail = "a page of another site may not write here; allow its origin with --cors, or make an API key"
        super().__init__(403, "other-site", detail)


class NotFound(Problem):
    """There is nothing under this address."""

    def __init__(self, what: str) -> None:
        super().__init__(404, "not-found", what)


class BadRequest(Problem):
    """A request cannot be read."""

    def __init__(self, detail: str, *, status: int = 400, kind: str = "bad-request") -> None:
        super().__init__(status, kind, detail)


def problem_of(error: Exception) -> Problem:
    """The problem that an error is answered with; an unexpected error is logged."""
    match error:
        case Problem():
            return error
        case SartorError():
            status = next((status for class_, status in _STATUS_OF if isinstance(error, class_)), 500)
            kind = re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()  # BadEvent is bad-event
            retry = _retry(5) if status == 503 else None  # noqa: PLR2004 - a status
            return Problem(status, kind, str(error), headers=retry)
        case RequestValidationError():
            return _invalid(error)
        case HTTPException():
            kind = _TITLES.get(error.status_code, "error").lower().replace(" ", "-")
            detail = str(error.detail or "there is nothing here")
            return Problem(error.status_code, kind, detail, headers=dict(error.headers or {}))
    logger.error("unexpected error: type=%s", type(error).__name__, exc_info=error)
    return Problem(500, "internal-error", "something went wrong here; the log of the service says what")


def answer(problem: Problem) -> JSONResponse:
    """The response to a problem."""
    content = {
        "type": _TYPE.format(problem.kind),
        "title": _TITLES.get(problem.status, "Error"),
        "status": problem.status,
        "detail": problem.detail,
        **problem.more,
    }
    return JSONResponse(content, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def answer_problems(app: FastAPI) -> None:
    """Make an app answer all errors with problem details."""

    async def handle(_request: Request, error: Exception) -> JSONResponse:
        return answer(problem_of(error))

    for kind in (Problem, SartorError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, handle)


def _invalid(error: RequestValidationError) -> Problem:
    errors = [
        {"at": "/".join(map(str, part["loc"])), "reason": str(part["msg"])}
        for part in error.errors()[:_ERRORS_SHOWN]
    ]
    first = errors[0] if errors else {"at": "the request", "reason": "it is not valid"}
    return Problem(422, "invalid-request", f"{first['at']}: {first['reason']}", errors=errors)


def _retry(seconds: int) -> dict[str, str]:
    return {"Retry-After": str(max(1, seconds))}
