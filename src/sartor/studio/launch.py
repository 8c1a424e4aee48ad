"""Starting the studio: Streamlit as a child process, on this machine's own address, until Ctrl-C."""

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
from sartor.studio.tiles import theme_flags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

SCRIPT = Path(__file__).with_name("sartor_studio.py")
HOST = "127.0.0.1"

_POLL_S = 0.1
_STOPPING_S = 10


def run(port: int, environment: Mapping[str, str], *, on_address: Callable[[str], None]) -> int:
    """Run the studio until Ctrl-C or SIGTERM.

    Args:
        port: Port to listen on; 0 takes a free one.
        environment: What its pages read beside the environment of this process.
        on_address: Told where it listens, when it answers.

    Returns:
        0, or the exit code of Streamlit where that ended by itself.

    Raises:
        AddressTaken: Another program listens there.
    """
    port = _free(port)
    child = subprocess.Popen(command(port), env={**os.environ, **environment})  # noqa: S603 - ourselves

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        if _answers(child, port):
            on_address(f"http://{HOST}:{port}")
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
        "server.address": HOST,
        "server.port": port,
        "server.headless": "true",  # the browser is opened by us, and nobody is asked for an e-mail address
        "server.allowedHosts": HOST,  # no other page can reach it by a name of its own for this machine
        "server.fileWatcherType": "none",
        "server.maxUploadSize": MAX_STUDIO_UPLOAD_MB,
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": HOST,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "type",
        "client.showErrorLinks": "false",
        "logger.hideWelcomeMessage": "true",
        "logger.level": "warning",
        "logger.enableRich": "false",
    }
    options = [f"--{name}={value}" for name, value in flags.items()]
    return [sys.executable, "-m", "streamlit", "run", str(SCRIPT), *options, *theme_flags()]


def _free(port: int) -> int:
    try:
        with socket.create_server((HOST, port)) as probe:
            return int(probe.getsockname()[1])
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise AddressTaken(HOST, port, reason=reason, options="--port") from error


def _answers(child: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until it answers; returns False when it ended instead."""
    opener = build_opener(ProxyHandler({}))
    while child.poll() is None:
        try:
            with opener.open(f"http://{HOST}:{port}/_stcore/health", timeout=1):
                return True
        except OSError:
            time.sleep(_POLL_S)
    return False


def _end(child: subprocess.Popen[bytes]) -> None:
    """End it, also where a Ctrl-C has not reached it."""
    child.terminate()
    try:
        child.wait(_STOPPING_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
