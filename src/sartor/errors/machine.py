"""What is missing on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.errors.base import SartorError

if TYPE_CHECKING:
    from collections.abc import Sequence


class MissingExtra(SartorError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, *, extra: str) -> None:
        super().__init__(f"this needs the package {package}; install it with: pip install 'sartor[{extra}]'")


class DeviceUnavailable(SartorError):
    """The chosen device cannot be used with what is installed."""

    def __init__(self, device: str, *, available: Sequence[str]) -> None:
        super().__init__(f"there is no device {device!r} here; there are: {', '.join(available)}")
