from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes import BLUE, RED, photo

if TYPE_CHECKING:
    from starlette.testclient import TestClient


def upload(*photos: bytes) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("photo", (f"{index}.png", data, "image/png")) for index, data in enumerate(photos)]


def ids(answer: dict[str, Any]) -> list[str]:
    return [hit["product_id"] for hit in answer["hits"]]


def test_a_photo_finds_what_looks_like_it(client: TestClient) -> None:
    answer = client.post("/v1/similar", files=upload(photo(RED, side_px=33))).json()

    assert ids(answer)[0] == "red"
    assert [hit["position"] for hit in answer["hits"]] == [1, 2, 3, 4, 5]
    assert len(answer["recommendation_id"]) == 32
    assert answer["hits"][0]["photo"]["url"].startswith("/v1/photos/")
    assert answer["seen"]["colors"]


def test_each_answer_has_an_id_of_its_own(client: TestClient) -> None:
    answers = [client.post("/v1/similar", json={"products": ["red"]}).json() for _ in range(2)]

    assert answers[0]["recommendation_id"] != answers[1]["recommendation_id"]
    assert ids(answers[0]) == ids(answers[1])


def test_a_form_takes_photos_with_a_query_beside_them(client: TestClient) -> None:
    query = {"where": {"gender": "Women"}, "k": 1, "facets": ["color"], "photos": [{"box": [0, 0, 0.5, 0.5]}]}
    answer = client.post("/v1/similar", files=upload(photo(RED)), data={"query": json.dumps(query)}).json()

    assert ids(answer) == ["crimson"]
    assert {each["value"] for each in answer["facets"]["color"]} == {"Red", "Blue"}


def test_weights_of_several_photos_count(client: TestClient) -> None:
    def first(weights: list[float]) -> str:
        query = {"photos": [{"weight": weight} for weight in weights]}
        files = upload(photo(RED, side_px=31), photo(BLUE, side_px=31))
        return ids(client.post("/v1/similar", files=files, data={"query": json.dumps(query)}).json())[0]

    assert first([10, 0.1]) == "red"
    assert first([0.1, 10]) == "blue"


def test_like_dislike_exclude_and_ranges(client: TestClient) -> None:
    query = {
        "products": [{"id": "red", "weight": 2}],
        "like": ["crimson"],
        "dislike": ["green"],
        "exclude": ["blue"],
        "where": {"price": {"max": 60}},
    }

    assert ids(client.post("/v1/similar", json=query).json()) == []
    assert ids(client.post("/v1/similar", json=query | {"where": {}, "dislike": []}).json()) != []


def test_a_color_alone_is_a_query(client: TestClient) -> None:
    answer = client.post("/v1/similar", json={"color": "#ff0000", "k": 1}).json()

    assert ids(answer) == ["red"]


def test_similar_to_a_product_by_its_address(client: TestClient) -> None:
    answer = client.get("/v1/products/red/similar", params={"where": "articleType=Shirts", "facets": "gender"})

    assert ids(answer.json()) == ["crimson"]
    assert answer.json()["facets"]["gender"] == [{"value": "Men", "count": 1}, {"value": "Women", "count": 1}]


def test_an_id_may_have_slashes_and_signs(client: TestClient) -> None:
    assert client.get("/v1/products/navy%2F1%20%26%20more/similar").json()["hits"]
    assert client.get("/v1/products/navy/1 & more").json()["id"] == "navy/1 & more"


def test_a_look_is_completed(client: TestClient) -> None:
    look = client.get("/v1/products/red/outfit", params={"alternatives": 0}).json()

    assert [piece["product_id"] for piece in look["given"]] == ["red"]
    assert [piece["slot"] for piece in look["pieces"]] == ["bottom"]


def test_a_photo_is_described(client: TestClient) -> None:
    told = client.post("/v1/describe", files=upload(photo(RED))).json()

    assert "red" in told["colors"][0]
    assert told["boxes"] == [{"box": [0, 0, 1, 1], "name": "", "probability": 0, "slot": None}]


def test_each_garment_on_a_photo_has_its_own_hits(client: TestClient) -> None:
    query = {"k": 2, "where": {"gender": ["Men", "Women"]}}
    files = upload(photo(RED, side_px=33))
    answer = client.post("/v1/looks", files=files, data={"query": json.dumps(query)}).json()
    (garment,) = answer["garments"]

    assert ids(garment) == ids(client.post("/v1/similar", files=files, data={"query": json.dumps(query)}).json())
    assert garment["box"] == [0, 0, 1, 1]  # the model of this shop sees no outlines
    assert len(answer["recommendation_id"]) == 32


@pytest.mark.parametrize(
    ("photos", "query", "status", "told"),
    [
        (0, {}, 400, "send 1 photo"),
        (2, {}, 400, "send 1 photo"),
        (1, {"limit": 9}, 422, "limit"),
        (1, {"k": 0}, 422, "k"),
        (1, {"where": {"colour": "Red"}}, 422, "colour"),
        (1, {"box": [0, 0, 1, 1]}, 422, "box"),
    ],
)
def test_a_wrong_query_for_looks_is_told_in_a_line(
    client: TestClient, photos: int, query: dict[str, Any], status: int, told: str
) -> None:
    files = upload(*[photo(RED)] * photos)
    answer = client.post("/v1/looks", files=files or None, data={"query": json.dumps(query)} if files else None)

    assert answer.status_code == status
    assert told in answer.text


@pytest.mark.parametrize(
    ("json_", "status", "kind"),
    [
        ({}, 422, "empty-query"),
        ({"products": ["nothing"]}, 404, "product-not-found"),
        ({"products": ["red"], "where": {"colour": "Red"}}, 422, "unknown-attribute"),
        ({"products": ["red"], "where": {"color": "Purple"}}, 422, "unknown-value"),
        ({"products": ["red"], "where": {"price": {}}}, 422, "bad-filter"),
        ({"color": "rainbow"}, 422, "unknown-color"),
        ({"products": ["red"], "dials": {"style": 0, "color": 0, "category": 0}}, 422, "bad-dial"),
        ({"products": ["red"], "k": 0}, 422, "invalid-request"),
        ({"products": ["red"], "unknown": 1}, 422, "invalid-request"),
        ({"photos": [{"url": "https://example.com/a.jpg"}]}, 422, "photo-rejected"),
        ({"photos": [{"url": "/etc/passwd"}]}, 422, "invalid-request"),
        ({"photos": [{"weight": 1}]}, 400, "bad-request"),
    ],
)
def test_a_bad_query_is_a_problem_of_its_own_kind(
    client: TestClient, json_: dict[str, Any], status: int, kind: str
) -> None:
    answer = client.post("/v1/similar", json=json_)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"urn:sartor:problem:{kind}"
    assert problem["status"] == status
    assert "\n" not in problem["detail"]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"\xff\xfe", "application/json", 400),
        (b"a=b", "application/x-www-form-urlencoded", 415),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", 422),
        (b"x", "multipart/form-data", 400),
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem(
    client: TestClient, content: bytes, kind: str, status: int
) -> None:
    answer = client.post("/v1/similar", content=content, headers={"content-type": kind})

    assert answer.status_code == status
    assert answer.json()["type"].startswith("urn:sartor:problem:")


def test_a_photo_that_is_none_says_so(client: TestClient) -> None:
    problem = client.post("/v1/similar", files=upload(b"no photo")).json()

    assert problem["type"] == "urn:sartor:problem:photo-rejected"
    assert "cannot be used" in problem["detail"]


def test_a_box_outside_of_the_photo_is_refused_with_its_numbers(client: TestClient) -> None:
    query = json.dumps({"photos": [{"box": [0.5, 0.5, 0.6, 0.5]}]})
    problem = client.post("/v1/similar", files=upload(photo(RED)), data={"query": query}).json()

    assert problem["type"] == "urn:sartor:problem:bad-box"
    assert "0.5,0.5,0.6,0.5" in problem["detail"]


def test_an_unknown_form_field_is_named(client: TestClient) -> None:
    problem = client.post("/v1/similar", files=[("image", ("a.png", photo(RED), "image/png"))]).json()

    assert "'image'" in problem["detail"]


def test_a_form_field_that_comes_twice_is_refused(client: TestClient) -> None:
    parts = [("query", (None, '{"k": 1}')), ("query", (None, '{"k": 3}')), ("photo", ("a.png", photo(RED)))]
    answer = client.post("/v1/similar", files=parts)
    assert answer.status_code == 400
    assert "'query' is there more than once" in answer.json()["detail"]
