from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes import BLUE, RED, photo
from tests.service.conftest import CATALOG, serving

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient


def put(client: TestClient, product_id: str, given: dict[str, Any], *photos: bytes) -> Any:
    files = [("photo", (f"{index}.png", data, "image/png")) for index, data in enumerate(photos)]
    return client.put(f"/v1/products/{product_id}", data={"product": json.dumps(given)}, files=files or None)


def test_a_product_that_was_put_is_there_found_and_durable(catalog: Path) -> None:
    with serving(catalog) as client:
        answer = put(client, "pink", {"title": "Pink", "attributes": {"color": "Pink"}}, photo((255, 100, 150)))
        assert answer.status_code == 201
        hits = client.post("/v1/similar", files={"photo": photo((255, 100, 150), side_px=20)}).json()["hits"]
        assert hits[0]["product_id"] == "pink"
    with serving(catalog) as client:
        assert client.get("/v1/products/pink").json()["title"] == "Pink"


def test_putting_again_is_no_creation_and_changes_nothing(client: TestClient) -> None:
    first = put(client, "pink", {"title": "Pink"}, photo((255, 100, 150)))
    again = put(client, "pink", {"title": "Pink"}, photo((255, 100, 150)))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()


def test_json_alone_changes_what_is_said_and_keeps_the_photos(client: TestClient) -> None:
    before = client.get("/v1/products/red").json()
    answer = client.put("/v1/products/red", json={"title": "New", "attributes": {"price": 5, "tags": ["a", "b"]}})

    changed = {"title": "New", "attributes": {"price": 5, "tags": ["a", "b"]}}
    assert answer.json() == before | changed | {"revision": answer.json()["revision"]}


def test_a_bad_photo_leaves_the_product_as_it_was(client: TestClient) -> None:
    before = client.get("/v1/products/red").json()
    answer = put(client, "red", {"title": "New"}, photo(BLUE), b"no photo")

    assert answer.status_code == 422
    assert answer.json()["rejected"] == [
        {"photo": "photo 2 of red", "reason": answer.json()["rejected"][0]["reason"]}
    ]
    assert client.get("/v1/products/red").json() == before


def test_a_deleted_product_is_gone(client: TestClient) -> None:
    assert client.delete("/v1/products/red").status_code == 204
    assert client.delete("/v1/products/red").status_code == 404
    assert client.get("/v1/products/red").status_code == 404
    hits = client.post("/v1/similar", files={"photo": photo(RED)}).json()["hits"]
    assert "red" not in [hit["product_id"] for hit in hits]


def test_writes_tell_their_revision_and_reads_the_one_that_they_know_of(client: TestClient) -> None:
    before = int(client.get("/v1/catalog").headers["sartor-revision"])
    answer = client.put("/v1/products/a", json={"title": "A"})
    written = answer.json()["revision"]
    assert written > before
    assert answer.headers["sartor-revision"] == str(written)
    for read in ("/v1/products/a", "/v1/products/red/similar", "/v1/catalog", "/v1/products/nothing", "/"):
        known = client.get(read, headers={"Sartor-Revision": str(written)}).headers["sartor-revision"]
        assert int(known) == written
    batch = client.post("/v1/products/batch", json={"products": [{"id": "b"}, {"id": "a", "delete": True}]})
    assert batch.json()["revision"] == int(batch.headers["sartor-revision"]) == written + 2
    assert client.delete("/v1/products/b").headers["sartor-revision"] == str(written + 3)
    assert "sartor-revision" not in client.delete("/v1/products/b").headers


def test_a_read_waits_for_its_revision_a_second_and_needs_no_thread_for_it(catalog: Path) -> None:
    with serving(catalog, concurrency=1, waiting=0) as client:
        revision = int(client.get("/v1/catalog").headers["sartor-revision"])
        late = {"Sartor-Revision": str(revision + 1)}
        with ThreadPoolExecutor(8) as pool:
            reads = [pool.submit(client.get, "/v1/products/a", headers=late) for _ in range(8)]
            assert client.put("/v1/products/a", json={"title": "A"}).json()["revision"] == revision + 1
            answers = [read.result() for read in reads]
        assert {answer.status_code for answer in answers} <= {200, 503}  # 503 too: one thread, and nobody may wait
        assert not [each for each in answers if each.status_code == 503 and "overloaded" not in each.text]
        start = time.monotonic()
        never = client.get("/v1/products/a", headers={"Sartor-Revision": str(revision + 2)})
        assert 0.9 < time.monotonic() - start < 5
    assert never.status_code == 503
    assert never.json()["type"] == "urn:sartor:problem:not-followed"
    assert never.headers["retry-after"] == "1"


@pytest.mark.parametrize("sent", ["", "x", "-1", "1.5", "9" * 30, "\u0661".encode()])
def test_a_revision_that_is_no_number_is_refused_in_one_line(client: TestClient, sent: str | bytes) -> None:
    answer = client.get("/v1/products/red", headers={"Sartor-Revision": sent})
    assert answer.status_code == 400
    assert "\n" not in answer.json()["detail"]


def test_the_document_tells_of_revisions(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    read, write = paths["/v1/similar"]["post"], paths["/v1/products/{product_id}"]["put"]
    assert "Sartor-Revision" in [each["name"] for each in read["parameters"]]
    assert "Sartor-Revision" not in [each["name"] for each in write["parameters"]]
    assert all("Sartor-Revision" in route["responses"]["200"]["headers"] for route in (read, write))


def test_a_batch_answers_for_each_product(client: TestClient) -> None:
    encoded = base64.b64encode(photo((255, 100, 150))).decode()
    items = [
        {"id": "pink", "title": "Pink", "photos": [encoded]},
        {"id": "red", "title": "Red again"},
        {"id": "bad", "photos": [base64.b64encode(b"no photo").decode()]},
        {"id": "worse", "photos": ["%%%"]},
        {"id": "blue", "delete": True},
        {"id": "nothing", "delete": True},
    ]
    results = client.post("/v1/products/batch", json={"products": items}).json()["results"]

    assert [(each["id"], each["status"]) for each in results] == [
        ("pink", "created"),
        ("red", "updated"),
        ("bad", "rejected"),
        ("worse", "rejected"),
        ("blue", "deleted"),
        ("nothing", "not_found"),
    ]
    assert results[2]["rejected"][0]["reason"]
    assert client.get("/v1/products/red").json()["photos"]


def test_pages_of_the_catalog_have_every_product_once(client: TestClient) -> None:
    seen, after = [], None
    while True:
        page = client.get(
            "/v1/products", params={"limit": 2, "sort": "title"} | ({"after": after} if after else {})
        ).json()
        seen += [each["id"] for each in page["products"]]
        after = page["next"]
        if after is None:
            break

    assert sorted(seen) == sorted(CATALOG)
    assert page["total"] == len(CATALOG)


def test_the_catalog_is_browsed_by_words_filters_and_price(client: TestClient) -> None:
    page = client.get(
        "/v1/products", params={"q": "thing", "where": "articleType=Jeans", "sort": "-price", "facets": "color"}
    ).json()

    assert [each["id"] for each in page["products"]] == ["blue", "green"]
    assert {each["value"]: each["count"] for each in page["facets"]["color"]} == {"Blue": 1, "Green": 1}


def test_words_that_are_read_as_others_are_said(client: TestClient) -> None:
    as_typed, close = (client.get("/v1/products", params={"q": words}).json() for words in ("green", "gren"))

    assert [each["id"] for each in close["products"]] == [each["id"] for each in as_typed["products"]] == ["green"]
    assert (as_typed["is_close"], close["is_close"]) == (False, True)


def test_a_photo_is_served_once_for_all_time(client: TestClient) -> None:
    url = client.get("/v1/products/red").json()["photos"][0]["url"]
    answer = client.get(url, params={"size": 32})

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("image/")
    assert "immutable" in answer.headers["cache-control"]
    again = client.get(url, params={"size": 32}, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("sha256", ["0" * 64, "../../etc/passwd", "x" * 64, "%2e%2e%2fcatalog.sqlite3"])
def test_a_photo_is_looked_up_and_never_read_by_path(client: TestClient, sha256: str) -> None:
    assert client.get(f"/v1/photos/{sha256}").status_code in {404, 422}


def test_the_catalog_tells_what_it_holds(client: TestClient) -> None:
    answer = client.get("/v1/catalog").json()

    assert (answer["products"], answer["photos"], answer["model"]) == (5, 5, "color")
    assert "articleType" in answer["attributes"]


@pytest.mark.parametrize("product_id", ["a%00b", "%0a", "x" * 600])
def test_an_id_that_cannot_be_one_is_refused(client: TestClient, product_id: str) -> None:
    assert client.put(f"/v1/products/{product_id}", json={}).status_code == 400


def test_a_write_that_says_nothing_erases_nothing(client: TestClient) -> None:
    before = client.get("/v1/products/red").json()
    for answer in (
        client.put("/v1/products/red"),
        client.put("/v1/products/red", files=[("photo", ("a.png", photo(BLUE)))]),
        client.put("/v1/products/red", data={"product": ""}, files=[("photo", ("a.png", photo(BLUE)))]),
    ):
        assert answer.status_code == 400
        assert "product" in answer.json()["detail"]
    assert client.get("/v1/products/red").json() == before


def test_of_two_items_with_one_id_the_batch_says_which_counts(client: TestClient) -> None:
    items = [{"id": "new", "title": "1"}, {"id": "new", "title": "2"}, {"id": "new", "photos": ["no"]}]
    answer = client.post("/v1/products/batch", json={"products": items}).json()
    assert [result["status"] for result in answer["results"]] == ["superseded", "created", "rejected"]
    assert client.get("/v1/products/new").json()["title"] == "2"


@pytest.mark.parametrize("path", ["/v1/products", "/v1/products/red/similar"])
def test_a_facet_that_no_product_has_is_refused(client: TestClient, path: str) -> None:
    answer = client.get(path, params={"facets": ["color", "colour"]})
    assert answer.status_code == 422
    assert "no product has an attribute 'colour'; did you mean 'color'?" in answer.json()["detail"]


def test_an_item_that_deletes_says_nothing_else(client: TestClient) -> None:
    both = {"products": [{"id": "red", "delete": True, "title": "New"}]}
    answer = client.post("/v1/products/batch", json=both)
    assert answer.status_code == 422
    assert "an item with delete has an id alone" in answer.text
    assert client.get("/v1/products/red").status_code == 200
    alone = {"products": [{"id": "red", "delete": True, "title": "", "attributes": {}}]}
    assert client.post("/v1/products/batch", json=alone).json()["results"][0]["status"] == "deleted"
