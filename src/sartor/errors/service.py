"""The service, and how it is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.errors.base import SartorError

if TYPE_CHECKING:
    from collections.abc import Sequence


class ServiceError(SartorError):
    """The service cannot start."""


class NeedsKey(ServiceError):
    """An address that others reach needs an API key."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} can be reached from other machines, and the workspace has no API key; make one first with: "
            "sartor keys create --scope admin"
        )


class AddressTaken(ServiceError):
    """A service or a studio cannot listen where it shall; ``options`` choose another place."""

    def __init__(self, host: str, port: int, *, reason: str, options: str = "--host or --port") -> None:
        super().__init__(f"cannot listen on {host} port {port} ({reason}); choose another with {options}")


class KeyNotFound(ServiceError):
    """No API key has this id."""

    def __init__(self, key_id: str, *, known: Sequence[str]) -> None:
        super().__init__(f"there is no API key {key_id!r}; there are: {', '.join(known) or 'none'}")


class ServiceUnreachable(ServiceError):
    """A service that is asked over HTTP does not answer."""

    def __init__(self, address: str, *, reason: str) -> None:
        super().__init__(f"no Sartor answers at {address} ({reason}); start one with: sartor serve")


class ServiceRefused(ServiceError):
    """A service that is asked over HTTP answers with a problem."""

    def __init__(self, address: str, *, detail: str) -> None:
        super().__init__(f"{address} says: {detail}")
