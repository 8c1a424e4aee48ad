from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.testclient import TestClient


def test_words_find_products_and_say_how_they_were_understood(client: TestClient) -> None:
    answer = client.get("/v1/search", params={"q": "women's red shirts under 30"}).json()

    assert [hit["product_id"] for hit in answer["hits"]] == ["crimson"]
    assert {each["filter"] for each in answer["understood"]} == {
        "gender=Women", "color=Red", "articleType=Shirts", "price=..30",
    }  # fmt: skip
    assert len(answer["recommendation_id"]) == 32


def test_an_exact_id_comes_first(client: TestClient) -> None:
    answer = client.get("/v1/search", params={"q": "navy/1 & more"}).json()

    assert answer["hits"][0]["product_id"] == "navy/1 & more"
    assert answer["hits"][0]["reasons"] == ["it has this id"]


def test_a_filter_is_taken_back_and_others_are_added(client: TestClient) -> None:
    params = {"q": "red jeans", "plain": "red", "where": "gender=Women", "facets": "color"}
    answer = client.get("/v1/search", params=params).json()

    assert [each["words"] for each in answer["understood"]] == ["jeans"]
    assert [hit["product_id"] for hit in answer["hits"]] == ["blue"]
    assert answer["facets"]["color"] == [{"value": "Blue", "count": 1}]


def test_a_query_without_words_is_a_problem(client: TestClient) -> None:
    assert client.get("/v1/search").status_code == 422
    assert client.get("/v1/search", params={"q": "!!"}).status_code == 422
