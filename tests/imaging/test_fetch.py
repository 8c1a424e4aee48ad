"""Photos by URL, and the addresses that may be fetched from."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest

from sartor.errors import PhotoRejected
from sartor.imaging import UrlPolicy, fetch_photo, is_public
from sartor.imaging.fetch import _tls

if TYPE_CHECKING:
    from pathlib import Path


PHOTO = b"\xff\xd8\xff photo"


OPEN = UrlPolicy(enabled=True, timeout_s=5, is_allowed=lambda address: address.is_loopback)


Answer = Callable[[BaseHTTPRequestHandler], None]


def reply(
    request: BaseHTTPRequestHandler,
    *,
    status: int = 200,
    length_bytes: int = len(PHOTO),
    location: str | None = None,
) -> None:
    request.send_response(status)
    request.send_header("Content-Length", str(length_bytes))
    if location is not None:
        request.send_header("Location", location)
    request.end_headers()
    request.wfile.write(PHOTO)


class Server(ThreadingHTTPServer):
    """Answers every request in the one way that a test chose, and remembers what was asked."""

    daemon_threads = True
    answer: Answer = staticmethod(reply)

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/photo.jpg"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of these tests."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests.append((self.headers["Host"], self.path))
        self.server.answer(self)

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=partial(running.serve_forever, poll_interval=0.01))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A name service of the test's own: host to addresses."""
    known: dict[str, list[str]] = {}

    def getaddrinfo(host: str, port: int, **_options: Any) -> list[Any]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(None, None, 0, "", (address, port)) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


def reason_for(url: str, policy: UrlPolicy = OPEN) -> str:
    with pytest.raises(PhotoRejected) as rejected:
        fetch_photo(url, policy=policy)
    assert rejected.value.photo == url
    return rejected.value.reason


def test_urls_are_off_unless_enabled(server: Server) -> None:
    assert (
        reason_for(server.url, UrlPolicy())
        == "is a URL, and none is fetched unless that is allowed (--allow-urls)"
    )
    assert server.requests == []


def test_a_photo_is_fetched(server: Server) -> None:
    assert fetch_photo(server.url, policy=OPEN) == PHOTO
    assert server.requests == [(f"127.0.0.1:{server.server_port}", "/photo.jpg")]


def test_loopback_is_refused_by_default(server: Server) -> None:
    reason = reason_for(server.url, UrlPolicy(enabled=True))

    assert reason == "leads to 127.0.0.1, which is not a public address"
    assert server.requests == []


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"])
def test_other_spellings_of_loopback_are_refused(host: str) -> None:
    assert reason_for(f"http://{host}:9/", UrlPolicy(enabled=True)).endswith("which is not a public address")


def test_one_address_that_is_not_public_spoils_the_answer(names: dict[str, list[str]]) -> None:
    names["shop.example"] = ["93.184.215.14", "10.0.0.5"]

    reason = reason_for("http://shop.example/", UrlPolicy(enabled=True))

    assert reason == "leads to 10.0.0.5, which is not a public address"


def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_used(
    server: Server, names: dict[str, list[str]]
) -> None:
    names["shop.example"] = ["127.0.0.1"]

    def allow_and_rebind(_address: object) -> bool:
        names["shop.example"] = ["10.0.0.5"]
        return True

    url = f"http://shop.example:{server.server_port}/a b/ü.jpg?size=1 2"
    policy = UrlPolicy(enabled=True, timeout_s=5, is_allowed=allow_and_rebind)

    assert fetch_photo(url, policy=policy) == PHOTO
    host, path = server.requests[0]
    assert host == f"shop.example:{server.server_port}"
    assert path == "/a%20b/%C3%BC.jpg?size=1%202"


def test_the_next_address_is_tried_when_the_first_does_not_answer(
    server: Server, names: dict[str, list[str]]
) -> None:
    names["shop.example"] = ["127.0.0.2", "127.0.0.1"]

    assert fetch_photo(f"http://shop.example:{server.server_port}/", policy=OPEN) == PHOTO


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://shop.example/a.jpg", "is not a valid URL that begins with http:// or https://"),
        ("file:///etc/passwd", "is not a valid URL that begins with http:// or https://"),
        ("shop.example/a.jpg", "is not a valid URL that begins with http:// or https://"),
        ("http://shop.example:99999/", "is not a valid URL that begins with http:// or https://"),
        ("http://[::1/", "is not a valid URL that begins with http:// or https://"),
        ("http://" + "a" * 70 + ".example/", "is not a valid URL that begins with http:// or https://"),
        ("http:///a.jpg", "names no valid host"),
        ("http://shop example/", "names no valid host"),
        ("http://shop\0.example/", "names no valid host"),
        ("http://user:secret@shop.example/", "has a user name in it, which is not sent"),
    ],
)
def test_a_url_that_cannot_be_meant_is_refused(url: str, reason: str) -> None:
    assert reason_for(url) == reason


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: Server, status: int) -> None:
    server.answer = partial(reply, status=status, location=server.url)

    assert reason_for(server.url) == f"redirects ({status}), which is not followed"
    assert len(server.requests) == 1


def test_an_answer_other_than_found_is_named(server: Server) -> None:
    server.answer = partial(reply, status=404)

    assert reason_for(server.url) == "was answered with 404 Not Found"


def test_a_photo_that_announces_to_be_too_large_is_not_read(server: Server) -> None:
    server.answer = partial(reply, length_bytes=64_000_001)

    assert reason_for(server.url) == "has more than 64 MB"


def test_a_photo_that_turns_out_too_large_is_not_read_to_its_end(server: Server) -> None:
    def stream(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(bytes(100_000))

    server.answer = stream

    assert reason_for(server.url) == "has more than 64 MB"


def test_a_photo_of_exactly_the_limit_is_fetched(server: Server) -> None:
    policy = UrlPolicy(enabled=True, max_bytes=len(PHOTO), is_allowed=OPEN.is_allowed)

    assert fetch_photo(server.url, policy=policy) == PHOTO


def test_a_photo_in_chunks_is_put_together(server: Server) -> None:
    def chunked(request: BaseHTTPRequestHandler) -> None:
        request.protocol_version = "HTTP/1.1"
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        request.wfile.write(b"4\r\n\xff\xd8\xff \r\n5\r\nphoto\r\n0\r\n\r\n")

    server.answer = chunked

    assert fetch_photo(server.url, policy=OPEN) == PHOTO


def test_a_photo_that_ends_early_is_cut_off(server: Server) -> None:
    server.answer = partial(reply, length_bytes=500)

    assert reason_for(server.url) == "was cut off on its way"


@pytest.mark.parametrize("slow_part", ["headers", "content"])
def test_a_drip_of_bytes_does_not_outlast_the_deadline(server: Server, slow_part: str) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"\r\n" if slow_part == "content" else b"X: "))
        while True:
            request.wfile.write(b"x")
            time.sleep(0.02)

    server.answer = drip
    begun_s = time.monotonic()

    reason = reason_for(server.url, UrlPolicy(enabled=True, timeout_s=0.3, is_allowed=OPEN.is_allowed))

    assert reason == "took longer than 0.3 s"
    assert time.monotonic() - begun_s < 2


def test_a_slow_name_service_does_not_outlast_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: answered.wait(5) and [])

    reason = reason_for("http://shop.example/", UrlPolicy(enabled=True, timeout_s=0.2))

    answered.set()
    assert reason == "took longer than 0.2 s"


def test_a_host_that_is_unknown_or_closed_cannot_be_reached(names: dict[str, list[str]]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        names["shop.example"] = ["127.0.0.1"]

        closed = reason_for(f"http://shop.example:{unused.getsockname()[1]}/")

    assert closed == "cannot be reached (Connection refused)"
    assert reason_for("http://nowhere.example/") == "cannot be reached (Name or service not known)"


def test_an_answer_that_is_not_http_is_refused(server: Server) -> None:
    server.answer = lambda request: request.wfile.write(b"220 mail.example ESMTP\r\n")

    assert reason_for(server.url) == "was not answered in proper HTTP"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate and its key for the name shop.example, good for a day and trusted by nobody."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command to make a certificate")
    file = tmp_path / "shop.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-x509", "-days", "1"]
    name = ["-subj", "/CN=shop.example", "-addext", "subjectAltName=DNS:shop.example"]
    subprocess.run(
        [openssl, "req", *kind, *name, "-keyout", file, "-out", file.with_suffix(".crt")],
        capture_output=True,
        check=True,
    )
    file.write_bytes(file.read_bytes() + file.with_suffix(".crt").read_bytes())
    return file


@pytest.fixture(autouse=True)
def fresh_tls() -> None:
    _tls.cache_clear()


@pytest.fixture
def tls_port(server: Server, certificate: Path) -> int:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server.server_port


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_port: int, names: dict[str, list[str]]) -> None:
    names["shop.example"] = ["127.0.0.1"]

    reason = reason_for(f"https://shop.example:{tls_port}/")

    assert reason == "has no certificate to trust (self-signed certificate)"


def test_a_certificate_has_to_be_for_the_host(
    tls_port: int, names: dict[str, list[str]], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting = ssl.create_default_context(cafile=certificate.with_suffix(".crt"))
    monkeypatch.setattr(ssl, "create_default_context", lambda: trusting)
    names["shop.example"] = names["evil.example"] = ["127.0.0.1"]

    assert fetch_photo(f"https://shop.example:{tls_port}/", policy=OPEN) == PHOTO
    assert "Hostname mismatch" in reason_for(f"https://evil.example:{tls_port}/")


def test_a_host_without_tls_is_refused(server: Server) -> None:
    server.answer = reply

    assert reason_for(server.url.replace("http", "https")).startswith("cannot be reached")


@pytest.mark.parametrize(
    "address",
    [
        "93.184.215.14",
        "1.1.1.1",
        "2606:4700:4700::1111",
        "::ffff:93.184.215.14",  # mapped
        "64:ff9b::93.184.215.14",  # NAT64
        "2002:5db8:d70e::1",  # 6to4
    ],
)
def test_an_address_on_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - nothing is bound to it
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",  # shared by carriers
        "127.0.0.1",
        "169.254.169.254",  # where clouds hand out credentials
        "172.16.0.1",
        "192.0.2.1",  # documentation
        "192.168.1.1",
        "198.18.0.1",  # benchmarks
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",  # long deprecated form
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::10.0.0.1",
        "100::1",
        "2001::1",  # Teredo
        "2001:db8::1",
        "2002:7f00:1::1",  # 6to4 of 127.0.0.1
        "2002:a9fe:a9fe::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",  # site-local
        "ff02::1",
    ],
)
def test_any_other_address_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))
