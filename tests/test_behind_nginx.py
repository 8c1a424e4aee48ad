"""The service behind nginx, with the lines that ``docs/how-to/deploy.md`` shows."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn

from sartor.config import ServiceSettings, Settings
from sartor.service.app import create_app
from sartor.service.run import server_options
from sartor.storefront import add_storefront
from sartor.wiring import open_shop, open_store
from tests.crawling import HTML, crawl, paths_of
from tests.fakes import RED, photo
from tests.service.conftest import catalog, full_home

httpx2 = pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install 'sartor[studio]'")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Client

__all__ = ["catalog", "full_home"]  # fixtures of the service that these tests use, too

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "deploy.md"
SHOP = "shop.example"

pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed; install it, with apt or another way"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a certificate for the shop that nobody else signed, and its key."""
    directory = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2"
    names = ["-subj", f"/CN={SHOP}", "-addext", f"subjectAltName=DNS:{SHOP},IP:127.0.0.1"]
    files = ["-keyout", str(directory / "key.pem"), "-out", str(directory / "certificate.pem")]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    return directory


@contextmanager
def listening(home: Path, **settings: object) -> Iterator[int]:
    """The port of a service as ``sartor serve`` runs it."""
    workspace = Settings(home=home)
    options = ServiceSettings.checked(**{"rate_per_minute": 0, "trusted_proxies": ("127.0.0.1",)} | settings)
    listener = socket.create_server(("127.0.0.1", 0))
    with open_shop(workspace, many_callers=True) as shop, closing(open_store(workspace)) as store:
        app = create_app(shop, store, options, pages=add_storefront)
        server = uvicorn.Server(uvicorn.Config(app, **server_options() | {"timeout_graceful_shutdown": 2}))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not app.state.context.ready:
            time.sleep(0.02)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def documented(*, prefix: bool, port: int, own_port: int, tls: Path) -> str:
    """The lines of the page: with the ports of this test, and the certificate of it."""
    whole, below = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    if prefix:
        start, end = whole.index("    location / {"), whole.rindex("}")
        whole = whole[:start] + below + whole[end:]
    for shown, here in (
        ("server 127.0.0.1:8000;", f"server 127.0.0.1:{port};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{own_port} ssl;"),
        ("/etc/ssl/shop.example.pem", str(tls / "certificate.pem")),
        ("/etc/ssl/shop.example.key", str(tls / "key.pem")),
    ):
        assert shown in whole
        whole = whole.replace(shown, here)
    return whole


@contextmanager
def nginx(directory: Path, lines: str, own_port: int) -> Iterator[None]:
    """nginx with these lines, until it is no longer needed."""
    assert NGINX is not None
    temporary = "\n".join(
        f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.getuid() == 0 else ""
    config = directory / "nginx.conf"
    config.write_text(
        f"daemon off; {user} worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}\n{lines}\n}}\n"
    )
    process = subprocess.Popen(
        [NGINX, "-p", str(directory), "-c", str(config), "-e", str(directory / "error.log")],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline_s = time.monotonic() + 10
        while True:
            assert process.poll() is None, process.communicate()[1]
            try:
                socket.create_connection(("127.0.0.1", own_port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < deadline_s, (directory / "error.log").read_text()
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)
        assert process.stderr is not None
        process.stderr.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(params=[False, True], ids=["own host", "below a prefix"])
def prefix(request: pytest.FixtureRequest) -> str:
    return "/sartor" if request.param else ""


@pytest.fixture
def proxied(catalog: Path, certificate: Path, tmp_path: Path, prefix: str) -> Iterator[Proxied]:
    with behind(catalog, certificate, tmp_path, prefix=prefix) as ready:
        yield ready


class Proxied:
    """The shop's address, and clients that trust its certificate."""

    def __init__(self, port: int, certificate: Path, prefix: str) -> None:
        self.port, self.prefix = port, prefix
        self._tls = ssl.create_default_context(cafile=str(certificate / "certificate.pem"))
        self.base = f"https://127.0.0.1:{port}{prefix}/"

    def client(self, source: str = "127.0.0.2", **options: object) -> Client:
        transport = httpx2.HTTPTransport(verify=self._tls, local_address=source)
        return httpx2.Client(transport=transport, follow_redirects=True, timeout=20, **options)


@contextmanager
def behind(
    home: Path, certificate: Path, directory: Path, *, prefix: str, **settings: object
) -> Iterator[Proxied]:
    own_port = free_port()
    with listening(home, **settings) as port:
        lines = documented(prefix=bool(prefix), port=port, own_port=own_port, tls=certificate)
        with nginx(directory, lines, own_port):
            yield Proxied(own_port, certificate, prefix)


def test_all_that_pages_point_to_is_there_and_below_the_prefix(proxied: Proxied) -> None:
    with proxied.client() as client:
        asked = client.post(
            f"{proxied.base}remember",
            data={"answer": "yes", "back": f"{proxied.prefix}/"},
            headers={**HTML, "Sec-Fetch-Site": "same-origin"},
        )
        assert asked.status_code == 200
        (cookie,) = client.cookies.jar
        assert (cookie.path, cookie.secure) == (f"{proxied.prefix}/", True)
        pages = crawl(client.get, proxied.base)
    assert (pages.broken, pages.outside) == ({}, {})
    kinds = {path.removeprefix(proxied.prefix).split("/")[1] for path in paths_of(pages.found)}
    assert {"", "static", "product", "results", "v1", "favorites", "privacy"} <= kinds
    assert {path.removeprefix(proxied.prefix) for path in paths_of(pages.posts)} == {
        "/search",
        "/opinion",
        "/privacy/forget",
    }


def test_redirects_lead_to_the_outer_address(proxied: Proxied) -> None:
    with proxied.client() as client:
        for path, target in (("favorites/", "favorites"), ("results", ""), ("?q=&sort=", "")):
            answer = client.get(f"{proxied.base}{path}", headers=HTML, follow_redirects=False)
            assert answer.is_redirect
            location = answer.headers["location"]
            assert location in {f"{proxied.base}{target}", f"{proxied.prefix}/{target}"}
        bare = client.get(f"https://127.0.0.1:{proxied.port}{proxied.prefix}", headers=HTML)
        assert (bare.status_code, str(bare.url).rstrip("/")) == (200, proxied.base.rstrip("/"))


def test_the_api_the_component_and_problems_work(proxied: Proxied) -> None:
    with proxied.client() as client:
        similar = client.get(f"{proxied.base}v1/products/red/similar?k=2").json()
        hit = similar["hits"][0]
        assert client.get(f"{proxied.base[:-1]}{hit['photo']['url']}?size=64").status_code == 200
        assert client.get(f"{proxied.base}sartor-similar.js").status_code == 200
        slashes = client.get(f"{proxied.base}v1/products/navy%2F1%20%26%20more")
        assert slashes.json()["id"] == "navy/1 & more"
        assert client.get(f"{proxied.base}v1/users/a%2Fviewed/recommendations").status_code == 200
        problem = client.get(f"{proxied.base}v1/products/none")
        assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")
        servers = client.get(f"{proxied.base}openapi.json").json().get("servers", [])
        assert servers == ([{"url": proxied.prefix}] if proxied.prefix else [])
        head = client.head(f"{proxied.base}health/ready")
        assert (head.status_code, head.content) == (200, b"")


def test_connections_are_kept_and_uploads_may_come_in_chunks(proxied: Proxied) -> None:
    with proxied.client() as client:
        for _ in range(30):
            assert client.get(f"{proxied.base}v1/catalog").status_code == 200
        picture = photo(RED)
        body = (
            b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n'
            + picture
            + b"\r\n--x--\r\n"
        )
        chunks = (body[start : start + 40] for start in range(0, len(body), 40))
        answer = client.post(
            f"{proxied.base}v1/similar",
            content=chunks,
            headers={"Content-Type": "multipart/form-data; boundary=x"},
        )
        assert answer.request.headers["transfer-encoding"] == "chunked"
        assert answer.status_code == 200
        assert answer.json()["hits"][0]["product_id"]
        form = client.post(f"{proxied.base}search", files={"photo": ("a.png", picture)}, headers=HTML)
        assert form.status_code == 200
        assert str(form.url).startswith(f"{proxied.base}results?photo=")
    large = (b"x" * 65_536 for _ in range(1_200))
    with proxied.client() as client:  # nginx closes the connection of what is too large
        assert client.post(f"{proxied.base}v1/similar", content=large).status_code == 413


def test_each_client_has_its_own_limit_and_cannot_invent_another(
    catalog: Path, certificate: Path, tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    with behind(catalog, certificate, tmp_path, prefix=prefix, rate_per_minute=5) as proxied:
        with proxied.client("127.0.0.2") as loud, caplog.at_level("INFO", logger="sartor.service.monitoring"):
            answers = [
                loud.get(
                    f"{proxied.base}v1/catalog",
                    headers={
                        "X-Forwarded-For": f"203.0.113.{number}",
                        "Forwarded": f"for=203.0.113.{number};host=evil.example",
                        "X-Forwarded-Host": "evil.example",
                        "X-Forwarded-Prefix": "/evil",
                    },
                )
                for number in range(14)
            ]
        with proxied.client("127.0.0.3") as quiet:
            assert quiet.get(f"{proxied.base}v1/catalog").status_code == 200
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429
    assert "client=127.0.0.2 via=127.0.0.1" in caplog.text
    assert "203.0.113" not in caplog.text


def test_a_page_of_another_origin_reads_refusals_through_the_proxy(
    catalog: Path, certificate: Path, tmp_path: Path, prefix: str
) -> None:
    origin = {"Origin": "https://pages.example"}
    with (
        behind(catalog, certificate, tmp_path, prefix=prefix, cors_origins=("https://pages.example/",)) as proxied,
        proxied.client() as client,
    ):
        answer = client.get(f"{proxied.base}v1/products/none", headers=origin)
        assert answer.headers["access-control-allow-origin"] == origin["Origin"]
        preflight = client.options(
            f"{proxied.base}v1/events", headers={**origin, "Access-Control-Request-Method": "POST"}
        )
        assert preflight.status_code == 200


@pytest.mark.parametrize("stripped", [True, False])
def test_the_base_url_works_with_a_proxy_that_sets_no_header(
    catalog: Path, certificate: Path, tmp_path: Path, *, stripped: bool
) -> None:
    own_port = free_port()
    base = f"https://127.0.0.1:{own_port}/sartor/"
    with listening(catalog, base_url=base) as port:
        lines = documented(prefix=True, port=port, own_port=own_port, tls=certificate)
        lines = re.sub(r"proxy_set_header (Host|X-|Forwarded).*", "", lines)
        if not stripped:
            lines = lines.replace("proxy_pass http://sartor/;", "proxy_pass http://sartor;")
        with nginx(tmp_path, lines, own_port), Proxied(own_port, certificate, "/sartor").client() as client:
            pages = crawl(client.get, base)
            answer = client.get(f"{base}favorites/", headers=HTML, follow_redirects=False)
    assert (pages.broken, pages.outside) == ({}, {})
    assert answer.headers["location"] == f"{base}favorites"
    assert json.dumps(sorted(paths_of(pages.found))).count("/sartor/product/") >= 5
