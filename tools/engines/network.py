"""Hosts of their own on this machine: a network namespace each, behind one bridge that only they and we are at.

It needs Linux, root and iproute2. Nothing of it is left when the process ends: the namespaces have no names. A
host's clock can be wrong, too: ``skewed_clock`` is what its processes are started with.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tools.engines.base import EngineFailed

if TYPE_CHECKING:
    from types import TracebackType

_IMPOSSIBLE = "no network namespace can be made"
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET of unshare(2)
# Addresses of loopback, routed over the bridge: elsewhere OpenSearch wants limits of the system that not every
# host can be given, and Sartor an API key.
_BRIDGE, _SUBNET, _OWN = "sartor0", "127.77.0", 254
_LOOPBACK = (
    "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet && ip link set lo up"
    " && ip address delete 127.0.0.1/8 dev lo && ip address add 127.0.0.1/32 dev lo"
)

_CLOCK = """
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    int status = syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += SECONDS;
    return status;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (now) *now = exact.tv_sec;
    return exact.tv_sec;
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host of a ``Network``.

    Attributes:
        name: Its hostname.
        address: Its address in the network.
        within: What a command begins with to run there.
        wire: The end of its cable that is at the bridge.
    """

    name: str
    address: str
    within: tuple[str, ...]
    wire: str

    def cut(self) -> None:
        """Let nothing through to it and from it, without a word to either side."""
        _ip("link", "set", self.wire, "down")

    def join(self) -> None:
        """Undo ``cut``."""
        _ip("link", "set", self.wire, "up")


def skewed_clock(directory: Path, *, seconds: int) -> dict[str, str] | None:
    """The variables by which a process sees another wall time than the rest; None without a C compiler.

    Only the wall clock is shifted. libfaketime, which shifts more, lets ``time.sleep`` fail in Python 3.11.

    Args:
        directory: Where the library is made that does it.
        seconds: How far its clock is ahead.
    """
    if (compiler := shutil.which("cc")) is None:
        return None
    source, library = directory / "clock.c", directory / "clock.so"
    source.write_text(_CLOCK.replace("SECONDS", str(seconds)), encoding="utf-8")
    _run(compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source))
    return {"LD_PRELOAD": str(library)}


class Network:
    """A network of hosts; this process is at its bridge, and has no other network as long as it runs.

    Example:
        >>> with Network() as network:
        ...     host = network.add("shop-1")
        ...     subprocess.run([*host.within, "hostname"])
    """

    def __init__(self) -> None:
        self._holders: list[subprocess.Popen[bytes]] = []

    def add(self, name: str) -> Host:
        """Another host."""
        number = len(self._holders) + 1
        holder = subprocess.Popen(["unshare", "--net", "--uts", "sleep", "infinity"])  # noqa: S607
        self._holders.append(holder)
        within = ("nsenter", "--target", str(holder.pid), "--net", "--uts")
        host = Host(name=name, address=f"{_SUBNET}.{number}", within=within, wire=f"wire{number}")
        self._wait_for_namespace(holder.pid)
        _ip("link", "add", host.wire, "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
        _ip("link", "set", host.wire, "master", _BRIDGE, "up")
        _run(*within, "hostname", name)
        _run(*within, "sh", "-c", _LOOPBACK)
        _run(*within, "ip", "address", "add", f"{host.address}/24", "dev", "eth0")
        _run(*within, "ip", "link", "set", "eth0", "up")
        return host

    def _wait_for_namespace(self, process_id: int) -> None:
        own = Path("/proc/self/ns/net").readlink()
        while Path(f"/proc/{process_id}/ns/net").readlink() == own:
            if self._holders[-1].poll() is not None:
                raise EngineFailed(_IMPOSSIBLE)

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            raise EngineFailed(f"{_IMPOSSIBLE}: it takes root")
        if ctypes.CDLL(None, use_errno=True).unshare(_NEW_NETWORK):  # of this thread and those it starts
            raise EngineFailed(f"{_IMPOSSIBLE}: {os.strerror(ctypes.get_errno())}")
        _run("sh", "-c", _LOOPBACK)
        _ip("link", "add", _BRIDGE, "type", "bridge")
        _ip("address", "add", f"{_SUBNET}.{_OWN}/24", "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for holder in self._holders:
            holder.kill()
            holder.wait()
        _ip("link", "delete", _BRIDGE)


def _ip(*arguments: str) -> None:
    _run("ip", *arguments)


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise EngineFailed(f"{' '.join(command)}: {said.strip()}") from error
