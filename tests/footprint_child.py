"""Runs command lines in a network namespace of their own, and counts what wanted to leave it.

    unshare --net python footprint_child.py PLAN.json REPORT.json

A plan is a list of ``[arguments, page]``; a command with a page serves, is asked for it, and is stopped.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

RUN_S = 240
SERVICE_UNAVAILABLE = 503
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_FLAGS = "16sH14x"  # struct ifreq


def raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
        asked = fcntl.ioctl(anything, _SIOCGIFFLAGS, struct.pack(_FLAGS, b"lo", 0))
        name, flags = struct.unpack(_FLAGS, asked)
        fcntl.ioctl(anything, _SIOCSIFFLAGS, struct.pack(_FLAGS, name, flags | _IFF_UP))


def without_route() -> int:
    """How often the kernel was asked for a way out of here, by whatever library."""
    names, values = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines()[:2]]
    of_4 = int(values[names.index("OutNoRoutes")])
    of_6 = re.search(r"^Ip6OutNoRoutes\s+(\d+)", Path("/proc/net/snmp6").read_text(), re.MULTILINE)
    return of_4 + int(of_6[1] if of_6 else 0)


def knock() -> None:
    with socket.socket() as closed:
        try:
            closed.connect(("192.0.2.1", 80))  # RFC 5737: nobody's
        except OSError:
            return
    raise AssertionError


def run(arguments: list[str], page: str | None) -> tuple[int, str]:
    command = [sys.executable, "-m", "sartor", *arguments]
    if page is None:
        done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=False)
        return done.returncode, done.stdout + done.stderr
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        said = ""
        while (address := re.search(r"http://[\d.]+:\d+", said)) is None:
            line = process.stdout.readline()
            if not line:
                return process.wait(), said
            said += line
        said += _ask(address[0] + page)
        process.send_signal(signal.SIGTERM)
        said += process.stdout.read()
        return process.wait(RUN_S), said


def _ask(url: str) -> str:
    deadline_s = time.monotonic() + RUN_S
    while True:
        try:
            with urlopen(url, timeout=RUN_S) as answer:  # noqa: S310 - our own
                return f"{answer.status} {url}\n"
        except OSError as error:  # it does not listen or is not ready yet
            if isinstance(error, HTTPError) and error.code != SERVICE_UNAVAILABLE:
                return f"{error.code} {url}\n"
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.1)


def main(plan: Path, report: Path) -> None:
    isolated = Path("/proc/self/ns/net").readlink() != Path(f"/proc/{os.getppid()}/ns/net").readlink()
    before = after_knock = after = 0
    if isolated:
        raise_loopback()
        before = without_route()
        knock()
        after_knock = without_route()
    os.environ["PYTHONPATH"] = os.pathsep.join((os.environ["FOOTPRINT_HOOK"], os.environ["PYTHONPATH"]))
    outcomes = [run(*row) for row in json.loads(plan.read_text())]
    if isolated:
        after = without_route()
    report.write_text(
        json.dumps(
            {
                "isolated": isolated,
                "knocks": after_knock - before,
                "left": after - after_knock,
                "outcomes": outcomes,
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
