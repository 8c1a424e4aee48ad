from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sartor.service.forwarding import client_of
from sartor.service.security import Scope
from tests.fakes import RED, photo
from tests.service.conftest import key_of, serving

if TYPE_CHECKING:
    from starlette.testclient import TestClient


JSON = {"Content-Type": "application/json"}


def test_without_keys_all_is_open_and_with_them_writing_needs_one(catalog: Path) -> None:
    with serving(catalog) as client:
        assert client.put("/v1/products/a", json={"title": "A"}).status_code == 201
    writer, reader = key_of(catalog, Scope.WRITE), key_of(catalog, Scope.READ)
    with serving(catalog) as client:
        bare = client.put("/v1/products/b", json={"title": "B"})
        assert bare.status_code == 401
        assert bare.headers["www-authenticate"].startswith("Bearer")
        assert client.put("/v1/products/b", json={"title": "B"}, headers=reader).status_code == 403
        assert (
            client.put("/v1/products/b", json={"title": "B"}, headers={"X-API-Key": "nonsense"}).status_code == 401
        )
        assert client.put("/v1/products/b", json={"title": "B"}, headers=writer).status_code == 201
        assert client.get("/metrics", headers=writer).status_code == 403
        assert client.get("/v1/products/b").status_code == 200


def test_reading_can_need_a_key_too(catalog: Path) -> None:
    reader = key_of(catalog, Scope.READ)
    with serving(catalog, read_needs_key=True) as client:
        assert client.get("/v1/catalog").status_code == 401
        assert client.get("/v1/catalog", headers=reader).status_code == 200


def test_a_key_is_stored_only_as_a_digest(catalog: Path) -> None:
    header = key_of(catalog, Scope.ADMIN)["Authorization"].removeprefix("Bearer ")

    for path in catalog.glob("catalog.sqlite3*"):
        assert header.encode() not in path.read_bytes()


def test_a_request_that_is_too_large_is_refused_before_it_is_read(catalog: Path) -> None:
    with serving(catalog, max_request_bytes=2000) as client:
        declared = client.post("/v1/similar", content=b"x" * 3000, headers={"content-type": "application/json"})
        streamed = client.post(
            "/v1/similar",
            content=(b"x" * 500 for _ in range(10)),
            headers={"content-type": "application/json"},
        )

    assert [declared.status_code, streamed.status_code] == [413, 413]
    assert declared.json()["type"] == "urn:sartor:problem:content-too-large"


def test_more_photos_than_allowed_are_refused(catalog: Path) -> None:
    with serving(catalog, max_photos=2) as client:
        files = [("photo", ("a.png", photo(RED), "image/png"))] * 3
        answer = client.post("/v1/similar", files=files)

    assert answer.status_code == 413


def test_who_asks_too_often_waits_and_others_do_not(catalog: Path) -> None:
    key = key_of(catalog, Scope.READ)
    with serving(catalog, rate_per_minute=30) as client:
        # More than one too many: where a minute ends among them, the window lets a few more pass.
        made_up = [client.get("/v1/catalog", headers={"X-API-Key": str(number)}) for number in range(45)]
        other = client.get("/v1/catalog", headers=key)

    assert made_up[-1].status_code == 429  # each with another key that is none: all of one address
    assert 1 <= int(made_up[-1].headers["retry-after"]) <= 60
    assert other.status_code == 200


def test_every_answer_has_security_headers(client: TestClient) -> None:
    for path in ("/v1/catalog", "/nothing", "/health/live"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "server" not in headers


def test_pages_of_other_origins_read_only_where_they_may(catalog: Path) -> None:
    asks = {"Origin": "https://shop.example"}
    with serving(catalog) as client:
        assert "access-control-allow-origin" not in client.get("/v1/catalog", headers=asks).headers
    with serving(catalog, cors_origins=("https://shop.example",)) as client:
        assert client.get("/v1/catalog", headers=asks).headers["access-control-allow-origin"] == asks["Origin"]
        other = client.get("/v1/catalog", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


def test_a_page_of_an_allowed_origin_can_read_every_refusal(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = {"Origin": "https://shop.example"}
    key_of(catalog, Scope.ADMIN)
    options = {"cors_origins": ("https://shop.example/",), "max_request_bytes": 2000}
    with serving(catalog, **options) as client:
        shop = client.app.state.context.shop  # type: ignore[attr-defined]
        refusals = [
            client.put("/v1/products/a", json={}, headers=origin),
            client.get("/v1/products/none", headers=origin),
            client.get("/nothing", headers=origin),
            client.post("/v1/catalog", headers=origin),
            client.get("/v1/products?limit=0", headers=origin),
            client.post("/v1/similar", content=b"x" * 3000, headers=origin),
            client.post("/v1/similar", content=(b"x" * 500 for _ in range(9)), headers={**origin, **JSON}),
            client.post("/v1/similar", content=b"{", headers={**origin, **JSON}),
        ]
        monkeypatch.setattr(type(shop), "counts", _broken)
        refusals.append(client.get("/v1/catalog", headers=origin))
        monkeypatch.undo()
        client.app.state.context.ready = False  # type: ignore[attr-defined]
        refusals.append(client.get("/v1/catalog", headers=origin))
    with serving(catalog, rate_per_minute=2, **options) as client:
        refusals.append([client.get("/v1/catalog", headers=origin) for _ in range(9)][-1])
    assert [answer.status_code for answer in refusals] == [401, 404, 404, 405, 422, 413, 413, 400, 500, 503, 429]
    for answer in refusals:
        assert answer.headers["access-control-allow-origin"] == origin["Origin"], answer.text
        assert "X-Request-ID" in answer.headers["access-control-expose-headers"]
        assert "Origin" in answer.headers["vary"]


def test_preflights_are_free(catalog: Path) -> None:
    key_of(catalog, Scope.READ)
    asks = {"Origin": "https://shop.example", "Access-Control-Request-Method": "PUT"}
    with serving(
        catalog, cors_origins=("https://shop.example",), rate_per_minute=3, read_needs_key=True
    ) as client:
        answers = [client.options("/v1/products/red", headers=asks) for _ in range(15)]
        assert {answer.status_code for answer in answers} == {200}
        assert client.get("/v1/catalog").status_code == 401  # not yet 429


def _broken(*_: object) -> None:
    raise RuntimeError


def test_addresses_of_one_household_are_one() -> None:
    one, other = ({"client": (f"2001:db8::{last}", 1)} for last in ("1", "ffff"))

    assert client_of(one) == client_of(other) == "2001:db8::/64"
    assert client_of({"client": ("10.0.0.1", 1)}) == "10.0.0.1"
    assert client_of({}) == "unknown"


def test_an_unknown_key_is_refused_also_where_reading_needs_none(catalog: Path) -> None:
    unknown = {"Authorization": "Bearer sartor_deleted"}
    with serving(catalog) as client:
        assert client.get("/v1/catalog", headers=unknown).status_code == 200  # there are no keys: all is open
    reader = key_of(catalog, Scope.READ)
    with serving(catalog) as client:
        assert client.get("/v1/catalog").status_code == 200
        assert client.get("/v1/catalog", headers=reader).status_code == 200
        refused = client.get("/v1/catalog", headers=unknown)
        assert refused.status_code == 401
        assert "this API key is not known" in refused.json()["detail"]
        assert client.get("/", headers=unknown).status_code == 200  # a page's header may be for a proxy


OWN, OTHER = "http://testserver", "https://other.example"
BROWSERS = [  # what a browser, or a program, says of where a request comes from, and the answer
    ({}, 200),
    ({"sec-fetch-site": "none"}, 200),
    ({"sec-fetch-site": "same-origin", "origin": OWN}, 200),
    ({"origin": OWN}, 200),
    ({"sec-fetch-site": "cross-site", "origin": "https://shop.example"}, 200),
    ({"sec-fetch-site": "cross-site", "origin": OTHER}, 403),
    ({"sec-fetch-site": "same-site", "origin": f"{OWN}:81"}, 403),
    ({"origin": OTHER}, 403),
    ({"origin": "null"}, 403),
]


def test_a_page_of_another_site_writes_nothing_where_no_key_is_asked_for(catalog: Path) -> None:
    form = {"params": {"dry_run": "true"}, "files": {"file": ("feed.csv", b"id,image\na,a.png\n")}}
    event = {"type": "view", "user_id": "ann", "product_id": "red"}
    with serving(catalog, cors_origins=("https://shop.example",)) as client:
        for headers, status in BROWSERS:
            assert client.post("/v1/products/import", headers=headers, **form).status_code == status, headers
            assert client.post("/v1/events", json=event, headers=headers).status_code == status, headers
            assert client.get("/v1/users/ann", headers=headers).status_code == 200
    key = key_of(catalog, Scope.WRITE)
    with serving(catalog) as client:
        assert client.post("/v1/products/import", headers={"origin": OTHER, **key}, **form).status_code == 200
