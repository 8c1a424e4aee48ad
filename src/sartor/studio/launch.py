"""Starts the studio: Streamlit as a child process that only this machine can reach, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import ProxyHandler, build_opener

from sartor.errors import AddressTaken
from sartor.limits import MAX_STUDIO_UPLOAD_MB

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

SCRIPT = Path(__file__).with_name("sartor_studio.py")
_HOST = "127.0.0.1"
_POLL_S = 0.1
_STOPPING_S = 10
_SERIF = '"Iowan Old Style", "Palatino Nova", Palatino, "URW Palladio L", P052, Georgia, "Liberation Serif", serif'
_SANS = (
    '-apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif'
)
_SHARED_THEME = {
    "font": _SANS,
    "headingFont": _SERIF,
    "headingFontWeights": "[400, 400, 500, 500, 500, 500]",
    "headingFontSizes": '["2.5rem", "1.75rem", "1.375rem", "1.125rem", "1rem", "1rem"]',
    "baseRadius": "8px",
    "buttonRadius": "full",
    "showWidgetBorder": "true",
    "paddingTop": "1.25rem",
}
_LIGHT_THEME = {
    "primaryColor": "#2440b5",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f3f4f6",
    "textColor": "#15171b",
    "borderColor": "#c9ccd1",
    "linkColor": "#2440b5",
}
_DARK_THEME = {
    "primaryColor": "#aebcff",
    "backgroundColor": "#131416",
    "secondaryBackgroundColor": "#22252a",
    "textColor": "#f1f1ee",
    "borderColor": "#4a4e56",
    "linkColor": "#aebcff",
}


def run(port: int, environment: Mapping[str, str], *, on_address: Callable[[str], None]) -> int:
    """Run the studio until Ctrl-C or SIGTERM.

    Args:
        port: Port to listen on; 0 takes a free one.
        environment: Variables that its pages read, beside the environment of this process.
        on_address: Called with the address once the studio answers.

    Returns:
        0, or the exit code of Streamlit if it ended by itself.

    Raises:
        AddressTaken: Another program listens there.
    """
    port = _free(port)
    child = subprocess.Popen(command(port), env={**os.environ, **environment})  # noqa: S603 - our own command

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        if _answers(child, port):
            on_address(f"http://{_HOST}:{port}")
        return child.wait()
    except KeyboardInterrupt:
        _end(child)
        return 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def command(port: int) -> list[str]:
    """The command line of the child."""
    flags = {
        "server.address": _HOST,
        "server.port": port,
        "server.headless": "true",  # we open the browser, and nobody is asked for an e-mail address
        "server.allowedHosts": _HOST,  # no page can reach it by another name for this machine
        "server.fileWatcherType": "none",
        "server.maxUploadSize": MAX_STUDIO_UPLOAD_MB,
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": _HOST,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "type",
        "client.showErrorLinks": "false",
        "logger.hideWelcomeMessage": "true",
        "logger.level": "warning",
        "logger.enableRich": "false",
    }
    options = [f"--{name}={value}" for name, value in flags.items()]
    return [sys.executable, "-m", "streamlit", "run", str(SCRIPT), *options, *_theme_flags()]


def _theme_flags() -> list[str]:
    groups = {"theme": _SHARED_THEME, "theme.light": _LIGHT_THEME, "theme.dark": _DARK_THEME}
    return [f"--{group}.{name}={value}" for group, values in groups.items() for name, value in values.items()]


def _free(port: int) -> int:
    try:
        with socket.create_server((_HOST, port)) as probe:
            return int(probe.getsockname()[1])
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise AddressTaken(_HOST, port, reason=reason, options="--port") from error


def _answers(child: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the studio answers; False if it ended instead."""
    opener = build_opener(ProxyHandler({}))
    while child.poll() is None:
        try:
            with opener.open(f"http://{_HOST}:{port}/_stcore/health", timeout=1):
                return True
        except OSError:
            time.sleep(_POLL_S)
    return False


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the studio, also if Ctrl-C has not reached it."""
    child.terminate()
    try:
        child.wait(_STOPPING_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
