from __future__ import annotations

import csv
import io
import time
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from sartor.catalog.source import Case, RowCase
from sartor.ingest.photos import Rejection
from sartor.service import security
from sartor.service.imports import Imports, _rows
from sartor.service.schemas import ImportIn, ImportOut, ImportProgress
from sartor.service.security import Scope
from tests.fakes import BLUE, GREEN, RED, photo
from tests.service.conftest import key_of, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

PHOTOS = {"a.png": RED, "b.png": GREEN, "c.png": BLUE}
FEED = "id,title,image,price\na,Shirt A,a.png,10\nb,Shirt B,b.png,20\nc,Shirt C,c.png,30\n"


def archive(feed: str = FEED, **more: bytes) -> bytes:
    """A ZIP of a feed and the photos that it names."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as files:
        files.writestr("feed.csv", feed)
        for name, color in PHOTOS.items():
            if name in feed:
                files.writestr(name, photo(color))
        for name, content in more.items():
            files.writestr(name, content)
    return stream.getvalue()


def send(client: TestClient, content: bytes | str, *, name: str = "feed.zip", **fields: str) -> Any:
    data = content.encode() if isinstance(content, str) else content
    return client.post("/v1/products/import", files={"file": (name, data)}, data=fields)


def ended(client: TestClient, address: str) -> Any:
    """An import when it is no longer running."""
    deadline_s = time.monotonic() + 60
    while (out := client.get(address).json())["status"] == "running":
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    return out


def imported(client: TestClient, content: bytes | str, *, name: str = "feed.zip", **fields: str) -> Any:
    answer = send(client, content, name=name, **fields)
    assert answer.status_code == 202, answer.text
    return ended(client, answer.headers["location"])


def error_rows(client: TestClient, out: Any) -> list[list[str]]:
    answer = client.get(f"/v1/imports/{out['id']}/errors")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    return list(csv.reader(io.StringIO(answer.text)))


@pytest.fixture
def held(client: TestClient) -> Iterator[TestClient]:
    """A client of a service whose writes wait, so that an import runs as long as a test wants it to."""
    with client.app.state.context.shop.catalog._backends.writing:
        yield client


def test_a_feed_is_imported_by_a_job_and_its_products_are_found(client: TestClient) -> None:
    answer = send(client, archive())
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/imports/{answer.json()['id']}"

    out = ended(client, answer.headers["location"])
    assert (out["status"], out["name"], out["detail"], out["errors"]) == ("done", "feed.zip", None, 0)
    assert {name: out["result"][name] for name in ("products", "added", "changed", "gone", "rejected")} == {
        "products": 3,
        "added": 3,
        "changed": 0,
        "gone": 0,
        "rejected": 0,
    }
    assert out["progress"] == {"read": 6, "written": 3, "total": 3, "photos": 3}
    known = {"Sartor-Revision": str(out["result"]["revision"])}
    assert client.get("/v1/products/b", headers=known).json()["attributes"] == {"price": "20"}
    assert client.get("/v1/products/a/similar", params={"k": 1}).status_code == 200
    assert error_rows(client, out) == [["line", "id", "reason"]]


def test_the_next_feed_of_a_name_tells_what_changed_and_what_is_gone(client: TestClient) -> None:
    imported(client, archive(), name="monday.zip")
    feed = "id,title,image,price\na,Shirt A,a.png,11\nb,Shirt B,b.png,20\nd,Shirt D,c.png,30\n"
    second = send_named(client, archive(feed), name="spring", prune="true")
    first_of_name = ended(client, second.headers["location"])["result"]
    assert (first_of_name["added"], first_of_name["changed"], first_of_name["gone"]) == (1, 1, 0)

    only = {"name": "spring", "prune": "true"}
    third = send_named(client, archive("id,title,image\na,Shirt A,a.png\nb,Shirt B,b.png\n"), **only)
    refused = ended(client, third.headers["location"])
    assert refused["status"] == "failed"
    assert "price" in refused["detail"]
    assert "allow_shrink=true" in refused["detail"]
    assert client.get("/v1/products/d").status_code == 200

    fourth = send_named(client, archive("id,title,image\na,Shirt A,a.png\n"), **only, allow_shrink="true")
    assert ended(client, fourth.headers["location"])["result"]["gone"] == 2
    assert client.get("/v1/products/d").status_code == 404


def send_named(client: TestClient, content: bytes, *, name: str, **params: str) -> Any:
    return client.post(
        "/v1/products/import",
        params={"name": name, **params},
        content=content,
        headers={"content-type": "application/zip"},
    )


def test_errors_are_a_list_by_line_to_download(client: TestClient) -> None:
    feed = (
        "id,title,image,price\na,A,a.png,what?\na,Again,b.png,1\n,Nobody,,1\n"
        "b,B,https://shop.example/b.jpg,1\nd,D,gone.png,1\ne,E,broken.png,1\n"
    )
    out = imported(client, archive(feed, **{"broken.png": b"\x89PNG\r\n\x1a\n"}))
    rows = error_rows(client, out)
    assert rows[0] == ["line", "id", "reason"]
    found = {(line, id_, reason.partition(":")[0]) for line, id_, reason in rows[1:]}
    assert found >= {
        ("2", "a", "prices that are no amount, kept as text"),
        ("3", "a", "duplicate ids"),
        ("4", "", "rows without an id, skipped"),
        ("6", "d", "images that a row names, not found"),
        ("6", "d", "rows without a photo"),
        ("5", "b", "https"),
        ("7", "e", "broken.png"),
    }
    assert out["errors"] == len(rows) - 1
    assert out["errors_left_out"] == 0
    assert {(each["product_id"], each["location"]) for each in out["result"]["first_rejected"]} == {
        ("b", "line 5"),
        ("e", "line 7"),
    }


def test_photo_urls_need_the_same_setting_as_other_writes(client: TestClient) -> None:
    out = imported(client, "id,title,image\nu,U,http://127.0.0.1/x.jpg\n", name="urls.csv")
    assert out["result"]["first_rejected"][0]["photo"] == "http://127.0.0.1/x.jpg"
    assert "no photo" in out["detail"]
    assert client.put("/v1/products/u", json={"photo_urls": ["http://127.0.0.1/x.jpg"]}).status_code == 422


@pytest.mark.parametrize("reference", ["{secret}", "../../{name}"])
def test_a_feed_cannot_name_files_of_the_host(client: TestClient, tmp_path: Path, reference: str) -> None:
    home = client.app.state.context.shop.home
    secret = (tmp_path if reference == "{secret}" else home) / "secret.png"
    secret.write_bytes(photo(RED))
    named = reference.format(secret=secret, name=secret.name)
    out = imported(client, f"id,title,image\ns,S,{named}\n", name="feed.csv")
    assert (out["result"]["photos"], out["result"]["embedded"]) == (0, 0)
    assert client.get("/v1/products/s").json()["photos"] == []


def test_a_dry_run_answers_with_what_would_be_and_writes_nothing(client: TestClient) -> None:
    before = client.get("/v1/catalog").json()
    answer = send(
        client, "Nr;Foto;Text\n7;x.jpg;Hemd\n", name="c.csv", dry_run="true", columns="id=Nr,image=Foto,title=Text"
    )
    assert answer.status_code == 200
    found = answer.json()
    assert (found["kind"], found["products"], found["without_photo"]) == ("table", 1, 1)
    assert found["mapping"]["Nr"] == "id"
    assert found["first"][0] == {"id": "7", "title": "Hemd", "attributes": {}, "photos": []}
    assert client.get("/v1/catalog").json() == before

    unreadable = send(client, "hello", name="c.csv", dry_run="true")
    assert (unreadable.status_code, unreadable.json()["type"]) == (422, "urn:sartor:problem:feed-unreadable")
    assert str(client.app.state.context.shop.home) not in unreadable.text


def test_columns_may_stand_in_the_address_or_the_form_and_are_remembered(client: TestClient) -> None:
    feed = archive("Nr;Foto;Text\n7;a.png;Hemd\n")
    params = {"columns": ["id=Nr", "image=Foto,title=Text"], "name": "german"}
    answer = client.post("/v1/products/import", params=params, content=feed)
    assert ended(client, answer.headers["location"])["result"]["added"] == 1
    again = client.post("/v1/products/import", params={"name": "german"}, content=feed)
    assert ended(client, again.headers["location"])["result"]["unchanged"] == 1
    assert client.get("/v1/products/7").json()["title"] == "Hemd"


def test_a_feed_of_any_kind_may_be_the_body(client: TestClient) -> None:
    bodies = {
        "text/csv": "id,image\nx,x.png\n",
        "text/tab-separated-values": "id\timage\nx\tx.png\n",
        "application/json": '[{"id": "x", "image": "x.png"}, {"id": "y", "image": "y.png"}]',
        "application/x-ndjson": '{"id": "x", "image": "x.png"}\n{"id": "y", "image": "y.png"}\n',
        "application/xml": "<rss xmlns:g='http://base.google.com/ns/1.0'><channel><item><g:id>x</g:id>"
        "<g:image_link>x.png</g:image_link></item></channel></rss>",
    }
    for kind, body in bodies.items():
        answer = client.post(
            "/v1/products/import", params={"dry_run": "true"}, content=body, headers={"content-type": kind}
        )
        assert answer.status_code == 200, (kind, answer.text)
        assert answer.json()["first"][0]["id"] == "x"


def test_what_cannot_be_imported_is_refused_at_once(client: TestClient) -> None:
    assert client.post("/v1/products/import").status_code == 400
    assert client.post("/v1/products/import", data={"x": "1"}, files={"file": b"id\n"}).status_code == 400
    assert client.post("/v1/products/import", data={"dry_run": "1"}, files={"f": b"id\n"}).status_code == 400
    assert send(client, FEED, columns="id").status_code == 422
    assert send(client, FEED, dry_run="perhaps").status_code == 422
    assert client.post("/v1/products/import?colums=id=Nr", content=FEED).status_code == 422
    assert client.get("/v1/imports/0123456789abcdef").status_code == 404
    assert client.get("/v1/imports/0123456789abcdef/errors").status_code == 404
    assert client.delete("/v1/imports/0123456789abcdef").status_code == 404
    imports = client.app.state.context.shop.home / "imports"
    assert not list(imports.iterdir())  # nothing of them is left


def test_only_one_import_runs_and_it_can_be_cancelled(held: TestClient) -> None:
    running = send(held, archive())
    address = running.headers["location"]
    assert held.get(address).json()["status"] == "running"
    assert held.get(f"{address}/errors").json()["type"] == "urn:sartor:problem:import-running"
    second = send(held, archive())
    assert (second.status_code, second.json()["type"]) == (409, "urn:sartor:problem:import-running")
    assert second.headers["retry-after"]
    assert held.delete(address).status_code == 202
    held.app.state.context.shop.catalog._backends.writing.release()
    try:
        out = ended(held, address)
    finally:
        held.app.state.context.shop.catalog._backends.writing.acquire()
    assert (out["status"], out["progress"]["written"], out["result"]) == ("cancelled", 0, None)
    assert held.delete(address).json() == out  # it stays what it was
    assert held.get("/v1/products/a").status_code == 404


def test_only_one_feed_is_received_at_a_time(client: TestClient) -> None:
    with client.app.state.context.imports.receiving():
        answer = send(client, FEED)
    assert (answer.status_code, answer.json()["type"]) == (429, "urn:sartor:problem:import-receiving")


def test_every_process_tells_of_an_import_and_may_cancel_it(held: TestClient) -> None:
    address = send(held, archive()).headers["location"]
    id_ = address.rpartition("/")[2]
    other = Imports(held.app.state.context.shop)  # as another worker has it
    assert other.status(id_).status == "running"
    assert other.cancel(id_).status == "running"
    writing = held.app.state.context.shop.catalog._backends.writing
    job = held.app.state.context.imports._jobs[id_]
    deadline_s = time.monotonic() + 60
    while job.stopping is None:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    writing.release()
    try:
        assert job.ended.wait(60)
    finally:
        writing.acquire()
    assert other.status(id_).status == "cancelled"


def test_an_import_whose_process_ended_is_told_as_interrupted(client: TestClient) -> None:
    store = client.app.state.context.shop.catalog.store
    left = ImportOut(
        id="0123456789abcdef",
        status="running",
        name="feed.csv",
        dry_run=False,
        started="2026-01-01T00:00:00.000000+00:00",
        progress=ImportProgress(read=7),
    )
    store.set_setting("import:0123456789abcdef", left.model_dump_json())
    out = client.get("/v1/imports/0123456789abcdef").json()
    assert (out["status"], out["progress"]["read"]) == ("interrupted", 7)
    assert "ended before" in out["detail"]
    assert imported(client, archive())["status"] == "done"


def test_old_imports_are_forgotten(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.service.imports.MAX_IMPORTS", 2)
    first, *_, last = [imported(client, "id,image\nx,x.png\n", name=f"{n}.csv") for n in range(3)]
    assert client.get(f"/v1/imports/{first['id']}").status_code == 404
    assert client.get(f"/v1/imports/{last['id']}").status_code == 200
    assert not [name for name in client.app.state.context.shop.catalog.store.settings() if first["id"] in name]


def test_errors_beyond_the_limit_are_counted(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.service.imports.MAX_IMPORT_ERRORS", 3)
    out = imported(client, archive("id,title,image\n" + "".join(f"p{n},P,none.png\n" for n in range(4))))
    assert (out["errors"], out["errors_left_out"]) == (3, 5)  # four photos not found, four products without one
    assert len(error_rows(client, out)) == 4


def test_importing_needs_a_key_that_may_write(catalog: Path) -> None:
    reader, writer = key_of(catalog, Scope.READ), key_of(catalog, Scope.WRITE)
    with serving(catalog) as client:
        for headers, status in (({}, 401), (reader, 403)):
            assert client.post("/v1/products/import", content=FEED, headers=headers).status_code == status
            assert client.get("/v1/imports/0123456789abcdef", headers=headers).status_code == status
            assert client.get("/v1/imports/0123456789abcdef/errors", headers=headers).status_code == status
            assert client.delete("/v1/imports/0123456789abcdef", headers=headers).status_code == status
        answer = client.post("/v1/products/import?dry_run=true", content=FEED, headers=writer)
        assert answer.status_code == 200


def test_a_feed_may_be_larger_than_other_requests(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "MAX_IMPORT_BYTES", 10_000)
    large = "id,image\n" + "".join(f"p{n},none.png\n" for n in range(200))
    with serving(catalog, max_request_bytes=1024) as client:
        assert client.put("/v1/products/a", content=large).status_code == 413
        assert client.post("/v1/products/import?dry_run=1", content=large).json()["products"] == 200
        assert client.post("/v1/products/import?dry_run=1", content=large * 10).status_code == 413
        assert not list((catalog / "imports").iterdir())


def test_an_import_that_is_stopped_with_the_service_is_interrupted(catalog: Path) -> None:
    with serving(catalog) as client:
        shop = client.app.state.context.shop
        imports = Imports(shop)
        with imports.receiving() as directory:
            (directory / "feed.zip").write_bytes(archive())
            with shop.catalog._backends.writing:
                job = imports.start(directory / "feed.zip", ImportIn(name="feed"))
                job.stop("interrupted", "the service stops")
            imports.close()
        assert client.get(f"/v1/imports/{job.out.id}").json()["status"] == "interrupted"


@pytest.mark.parametrize(
    ("case", "row"),
    [
        (RowCase(Case.DUPLICATE_IDS, "a (b) (line 12)"), ("12", "a (b)", "duplicate ids")),
        (RowCase(Case.NO_PHOTO, "a", "item 3"), ("item 3", "a", "rows without a photo")),
        (RowCase(Case.BAD_JSON, "line 4"), ("4", "", "lines that are not a JSON object, skipped")),
        (
            RowCase(Case.IMAGES_NOT_FOUND, "line 5: x: y.png"),
            ("5", "z", "images that a row names, not found: x: y.png"),
        ),
        (RowCase(Case.NO_PHOTO, "new\nline (no)"), ("", "new\nline (no)", "rows without a photo")),
    ],
)
def test_a_row_of_the_errors_has_line_id_and_reason(case: RowCase, row: tuple[str, str, str]) -> None:
    assert _rows(
        [case], [Rejection(photo="p", reason="r", product_id="i", location="line 9")], {"line 5": "z"}
    ) == [
        row,
        ("9", "i", "p: r"),
    ]
