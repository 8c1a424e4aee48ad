"""The service's log: lines with ``key=value`` fields, each with the id of the request that it belongs to."""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from uuid import uuid4

HEADER = "X-Request-ID"
FORMAT = "%(asctime)s %(levelname)s %(name)s request=%(request_id)s %(message)s"
_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_request_id: ContextVar[str] = ContextVar("request_id", default="-")


def begin_request(sent: str | None) -> str:
    """Note the id of the request that begins in this task, and return it.

    Args:
        sent: The id that the client sent. If it is no short word it is replaced, so that it cannot forge a line.
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
    """Log to stderr as above, unless the program has set up logging itself."""
    root = logging.getLogger()
    if root.handlers:
        return
    handler = logging.StreamHandler()
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(logging.Formatter(FORMAT))
    root.addHandler(handler)
    root.setLevel(level)
