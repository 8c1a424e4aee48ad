from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from starlette.datastructures import Headers

from sartor.service.forwarding import TrustedProxies, client_of
from sartor.service.security import Scope
from tests.fakes import RED, photo
from tests.service.conftest import key_of, serving

if TYPE_CHECKING:
    from starlette.testclient import TestClient

HTML = {"Accept": "text/html"}
FORWARDED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example"}


def asked(peer: str, trusted: tuple[str, ...] = ("10.0.0.0/8", "fd00::/8"), **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return TrustedProxies(trusted).asked(peer, Headers(named))


def test_nobody_but_a_trusted_proxy_is_believed() -> None:
    said = {"x_forwarded_for": "1.2.3.4", "x_forwarded_proto": "https", "x_forwarded_prefix": "/x"}
    stranger = asked("192.0.2.1", **said)
    assert (stranger.client, stranger.proxies, stranger.scheme, stranger.prefix) == ("192.0.2.1", (), "", "")
    proxy = asked("10.1.2.3", **said)
    assert (proxy.client, proxy.proxies, proxy.scheme, proxy.prefix) == ("1.2.3.4", ("10.1.2.3",), "https", "/x")
    assert asked("10.1.2.3").proxies == ()  # it says nothing, so it asks for itself


@pytest.mark.parametrize(
    ("chain", "client", "proxies"),
    [
        ("6.6.6.6, 203.0.113.9", "203.0.113.9", ("10.0.0.1",)),  # the first is the client's own invention
        ("6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9", ("10.0.0.1", "10.0.0.2")),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3", ("10.0.0.1", "10.0.0.2")),  # all within
        ("203.0.113.9:4711", "203.0.113.9", ("10.0.0.1",)),
        ("[2001:db8::1]:443", "2001:db8::1", ("10.0.0.1",)),
        ("2001:db8::1, fd00::7", "2001:db8::1", ("10.0.0.1", "fd00::7")),
        ("::ffff:203.0.113.9", "203.0.113.9", ("10.0.0.1",)),
        ("unknown", "10.0.0.1", ("10.0.0.1",)),
        ("203.0.113.9, garbage, 10.0.0.2", "10.0.0.2", ("10.0.0.1",)),
        (", , ", "10.0.0.1", ("10.0.0.1",)),
    ],
)
def test_the_client_is_the_nearest_that_is_no_proxy(chain: str, client: str, proxies: tuple[str, ...]) -> None:
    found = asked("10.0.0.1", x_forwarded_for=chain)
    assert found.client == client
    assert found.proxies == proxies or client == "10.0.0.1"


def test_what_is_told_beside_a_client_belongs_to_it() -> None:
    lists = asked(
        "10.0.0.1",
        x_forwarded_for="6.6.6.6, 203.0.113.9, 10.0.0.2",
        x_forwarded_proto="http, https, http",
        x_forwarded_host="evil.example, shop.example, inner",
    )
    assert (lists.scheme, lists.host) == ("https", "shop.example")
    replaced = asked("10.0.0.1", x_forwarded_for="6.6.6.6, 203.0.113.9", x_forwarded_proto="https")
    assert replaced.scheme == "https"


@pytest.mark.parametrize(
    ("text", "client", "scheme", "host"),
    [
        ("for=203.0.113.9;proto=https;host=shop.example", "203.0.113.9", "https", "shop.example"),
        ('for="[2001:db8::1]:4711";proto=https, for=10.0.0.2', "2001:db8::1", "https", ""),
        ('For="203.0.113.9" ; Proto=HTTPS', "203.0.113.9", "https", ""),
        ("for=6.6.6.6, for=203.0.113.9;host=shop.example:8443", "203.0.113.9", "", "shop.example:8443"),
        ("for=_hidden", "10.0.0.1", "", ""),
        ('for="203.0.113.9', "10.0.0.1", "", ""),
    ],
)
def test_the_standard_header_is_read_where_there_is_no_other(
    text: str, client: str, scheme: str, host: str
) -> None:
    found = asked("10.0.0.1", forwarded=text)
    assert (found.client, found.scheme, found.host) == (client, scheme, host)
    both = asked("10.0.0.1", forwarded=text, x_forwarded_for="198.51.100.2")
    assert both.client == "198.51.100.2"  # nginx passes a client's own `Forwarded` on


@pytest.mark.parametrize("prefix", ["//evil.example", "/a/../b", "/a b", "https://x/", "a", "/a\\b", "/ä"])
def test_a_prefix_that_is_no_plain_path_is_none(prefix: str) -> None:
    assert TrustedProxies(["10.0.0.1"]).asked("10.0.0.1", _raw(b"x-forwarded-prefix", prefix)).prefix == ""


def test_a_unix_socket_is_a_proxy_where_the_settings_say_so() -> None:
    assert asked("unix", ("unix",), x_forwarded_for="203.0.113.9").client == "203.0.113.9"
    assert asked("unix", ("none",), x_forwarded_for="203.0.113.9").client == "unix"


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_header_breaks_the_reading(chain: str, proto: str, forwarded: str) -> None:
    raw = [
        (name, text.encode("utf-8", "ignore"))
        for name, text in ((b"x-forwarded-for", chain), (b"x-forwarded-proto", proto), (b"forwarded", forwarded))
    ]
    found = TrustedProxies(["10.0.0.0/8"]).asked("10.0.0.1", Headers(raw=raw))
    assert found.scheme in {"", "http", "https"}
    assert found.client


def test_addresses_of_ipv4_on_a_socket_of_ipv6_are_not_one_household() -> None:
    assert client_of({"client": ("::ffff:203.0.113.9", 1)}) == "203.0.113.9"
    assert client_of({"client": ("::ffff:203.0.113.10", 1)}) == "203.0.113.10"


def test_each_client_behind_a_proxy_has_its_own_limit(catalog: Path) -> None:
    with serving(catalog, rate_per_minute=5, trusted_proxies=("127.0.0.1",)) as client:
        loud = [client.get("/v1/catalog", headers={"X-Forwarded-For": "203.0.113.9"}) for _ in range(14)]
        quiet = client.get("/v1/catalog", headers={"X-Forwarded-For": "203.0.113.10"})
    assert loud[-1].status_code == 429
    assert quiet.status_code == 200
    with serving(catalog, rate_per_minute=5, trusted_proxies=("none",)) as client:
        turns = [client.get("/v1/catalog", headers={"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(14)]
    assert turns[-1].status_code == 429  # nobody escapes by inventing addresses


def test_the_log_names_client_and_proxy(catalog: Path, caplog: pytest.LogCaptureFixture) -> None:
    with serving(catalog) as client, caplog.at_level("INFO", logger="sartor.service.monitoring"):
        client.get("/v1/catalog", headers={"X-Forwarded-For": "203.0.113.9"})
        client.get("/v1/catalog")
    lines = [record.getMessage() for record in caplog.records if "route=/v1/catalog" in record.getMessage()]
    assert lines[-2].endswith("client=203.0.113.9 via=127.0.0.1")
    assert lines[-1].endswith("client=127.0.0.1 via=-")


def test_redirects_lead_to_the_address_that_the_client_asked_for(client: TestClient) -> None:
    answer = client.get("/favorites/", headers={**HTML, **FORWARDED}, follow_redirects=False)
    assert answer.headers["location"] == "https://shop.example/favorites"
    below = client.get(
        "/favorites/", headers={**HTML, **FORWARDED, "X-Forwarded-Prefix": "/sartor"}, follow_redirects=False
    )
    assert below.headers["location"] == "https://shop.example/sartor/favorites"


def test_a_prefix_of_the_same_name_as_a_route_is_none_the_less_a_prefix(client: TestClient) -> None:
    for prefix in ("/product", "/v1", "/static/x"):
        answer = client.get("/product/red", headers={**HTML, "X-Forwarded-Prefix": prefix})
        assert answer.status_code == 200
        assert f'href="{prefix}/favorites"' in answer.text
        assert client.get("/v1/products/red", headers={"X-Forwarded-Prefix": prefix}).status_code == 200


def test_limits_and_privacy_hold_below_a_prefix(catalog: Path) -> None:
    below = {"X-Forwarded-Prefix": "/sartor"}
    with serving(catalog, rate_per_minute=3) as client:
        live = [client.get("/health/live", headers=below).status_code for _ in range(12)]
        person = client.get("/v1/users/ann", headers=below)
    assert set(live) == {200}  # not limited
    assert person.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/sartor", ""])
def test_the_base_url_says_where_the_service_is_whatever_the_proxy_passes_on(catalog: Path, path: str) -> None:
    with serving(catalog, base_url=f"https://shop.example{path}/", trusted_proxies=("none",)) as client:
        answer = client.get("/favorites/", headers=HTML, follow_redirects=False)
        assert answer.headers["location"] == f"https://shop.example{path}/favorites"
        for asked_for in ("/product/red", f"{path}/product/red"):  # a proxy takes the prefix off, or leaves it
            page = client.get(asked_for, headers=HTML)
            assert page.status_code == 200
            assert f'href="{path}/favorites"' in page.text
        assert client.get(path or "/", headers=HTML).status_code == 200
        servers = client.get("/openapi.json").json().get("servers", [])
        assert servers == ([{"url": path}] if path else [])
        kept = client.post(
            "/remember",
            data={"answer": "yes", "back": f"{path}/favorites"},
            headers={**HTML, "Origin": "https://shop.example"},
            follow_redirects=False,
        )
        assert kept.headers["location"] == f"{path}/favorites"
        assert f"Path={path}/;" in kept.headers["set-cookie"]
        assert "Secure" in kept.headers["set-cookie"]


def test_a_problem_is_json_for_programs_and_a_page_for_people_below_a_prefix(client: TestClient) -> None:
    below = {"X-Forwarded-Prefix": "/sartor"}
    problem = client.get("/v1/products/none", headers={**HTML, **below})
    assert problem.headers["content-type"] == "application/problem+json"
    page = client.get("/nothing", headers={**HTML, **below})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert 'href="/sartor/"' in page.text
    assert 'href="/sartor/static/' in page.text


PATHS = (
    "/health/live",
    "/health/ready",
    "/openapi.json",
    "/metrics",
    "/v1/catalog",
    "/v1/products",
    "/v1/products/red",
    "/v1/products/nothing",
    "/v1/products/red/similar",
    "/v1/trending",
    "/v1/events",
    "/v1/users/nobody",
    "/",
    "/product/red",
    "/product/nothing",
    "/results?like=red",
    "/results",
    "/favorites",
    "/privacy",
    "/privacy/data.json",
    "/remember",
    "/opinion",
    "/search",
    "/sartor-similar.js",
    "/nothing",
)


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_head_is_get_without_the_body_wherever_get_is(client: TestClient, accept: str) -> None:
    stored = client.get("/v1/products/red").json()["photos"][0]["url"]
    script = next(part for part in client.get("/", headers=HTML).text.split('"') if part.endswith("main.js"))
    for path in (*PATHS, stored, f"{stored}?size=64", script):
        answers = [
            client.request(method, path, headers={"Accept": accept}, follow_redirects=False)
            for method in ("GET", "HEAD")
        ]
        varying = (
            {"x-request-id", "retry-after", "content-length"}
            if path in {"/metrics", "/v1/products/red/similar", "/v1/trending"}
            else {"x-request-id"}
        )
        get, head = ({k: v for k, v in answer.headers.items() if k not in varying} for answer in answers)
        assert answers[1].status_code == answers[0].status_code, path
        assert head == get, path
        assert answers[1].content == b"", path


def test_head_is_counted_as_head_and_needs_the_same_key(catalog: Path) -> None:
    admin = key_of(catalog, Scope.ADMIN)
    with serving(catalog) as client:
        assert client.head("/metrics").status_code == 401
        assert client.head("/v1/catalog").status_code == 200
        text = client.get("/metrics", headers=admin).text
    assert 'sartor_requests_total{method="HEAD",route="/v1/catalog",status="200"} 1.0' in text


def test_a_photo_without_a_file_name_is_a_photo(client: TestClient) -> None:
    stream = BytesIO()
    Image.effect_noise((1300, 1300), 90).save(stream, "PNG")
    assert len(stream.getvalue()) > 1 << 20  # more than a text of a form may have
    for data in (stream.getvalue(), photo(RED)):
        body = (
            b'--x\r\nContent-Disposition: form-data; name="query"\r\n\r\n{"k": 2}\r\n'
            b'--x\r\nContent-Disposition: form-data; name="photo"\r\nContent-Type: image/png\r\n\r\n'
            + data
            + b"\r\n--x--\r\n"
        )
        answer = client.post(
            "/v1/similar", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["hits"]
    page = client.post(
        "/search",
        content=body,
        headers={"Content-Type": "multipart/form-data; boundary=x", **HTML},
        follow_redirects=False,
    )
    assert page.status_code == 303


def test_a_form_that_is_broken_is_told(client: TestClient) -> None:
    answer = client.post(
        "/v1/similar", content=b"--x\r\n\r\n\r\n", headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def _raw(name: bytes, text: str) -> Headers:
    return Headers(raw=[(name, text.encode())])
