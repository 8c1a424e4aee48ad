from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sartor.events.model import Event, EventType, Person
from sartor.service.security import Scope
from tests.service.conftest import key_of, serving

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient

PERSONAL = [
    ("GET", "/v1/users/ann/recommendations", Scope.READ),
    ("GET", "/v1/visitors/v1/recommendations", Scope.READ),
    ("GET", "/v1/users/ann/viewed", Scope.READ),
    ("GET", "/v1/visitors/v1/viewed", Scope.READ),
    ("GET", "/v1/users/ann", Scope.WRITE),
    ("GET", "/v1/visitors/v1", Scope.WRITE),
    ("POST", "/v1/users/ann/merge", Scope.WRITE),
    ("DELETE", "/v1/users/ann", Scope.WRITE),
    ("DELETE", "/v1/visitors/v1", Scope.WRITE),
]


def did(client: TestClient, *what: tuple[str, str], ago_s: float = 60, **who: str) -> None:
    """Have a person do something with products, one second after the other."""
    start = time.time() - ago_s
    events = [
        {
            "event_id": f"{who} {start} {index}",
            "type": type_,
            "product_id": product_id,
            "timestamp": start + index,
            **who,
        }
        for index, (type_, product_id) in enumerate(what)
    ]
    answer = client.post("/v1/events", json={"events": events}).json()
    assert answer["accepted"] == len(events), answer


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [hit["product_id"] for hit in answer.json()["hits"]]


def test_what_a_user_likes_comes_first_and_says_why(client: TestClient) -> None:
    did(client, ("like", "red"), user_id="ann")
    answer = client.get("/v1/users/ann/recommendations", params={"k": 3})

    feed = answer.json()
    assert ids(answer)[0] == "crimson"
    assert feed["based_on"] == "history"
    assert feed["hits"][0]["reasons"]
    assert [hit["position"] for hit in feed["hits"]] == list(range(1, len(feed["hits"]) + 1))
    assert len(feed["recommendation_id"]) == 32
    assert feed["model"] == "color"


def test_the_last_event_counts_at_once(client: TestClient) -> None:
    did(client, ("like", "red"), user_id="ann")
    before = ids(client.get("/v1/users/ann/recommendations"))
    did(client, ("dislike", "crimson"), user_id="ann", ago_s=10)

    assert "crimson" in before
    assert "crimson" not in ids(client.get("/v1/users/ann/recommendations"))


def test_filters_and_exclusions_hold_and_k_is_kept(client: TestClient) -> None:
    did(client, ("view", "red"), visitor_id="v1")

    def asked(**params: Any) -> list[str]:
        return ids(client.get("/v1/visitors/v1/recommendations", params=params))

    assert set(asked(where="gender=Women")) <= {"crimson", "blue"}
    assert "crimson" not in asked(exclude=["crimson", "green"], diversity=0.5)
    assert len(asked(k=1)) == 1


def test_nobody_knows_a_new_person_and_the_context_says_what_they_see(client: TestClient) -> None:
    women = client.get("/v1/users/new/recommendations", params={"context": "gender=Women"})
    men = client.get("/v1/users/new/recommendations", params={"context": "gender=Men"})

    assert women.json()["based_on"] in {"context", "newest"}
    assert ids(women) != ids(men)
    assert client.get("/v1/users/new").status_code == 404


def test_a_visitor_becomes_a_user_at_login(client: TestClient) -> None:
    did(client, ("view", "blue"), ("like", "green"), visitor_id="v1")
    did(client, ("view", "red"), user_id="ann", ago_s=30)
    merged = client.post("/v1/users/ann/merge", json={"visitor_id": "v1"})
    again = client.post("/v1/users/ann/merge", json={"visitor_id": "v1"})

    assert (merged.json(), again.json()) == ({"moved": 2}, {"moved": 0})
    person = client.get("/v1/users/ann").json()
    assert person["visitors"] == ["v1"]
    assert [event["product_id"] for event in person["events"]] == ["blue", "green", "red"]
    assert {event["user_id"] for event in person["events"]} == {"ann"}
    assert client.get("/v1/visitors/v1").json() == person
    did(client, ("view", "crimson"), visitor_id="v1", ago_s=5)
    assert len(client.get("/v1/users/ann").json()["events"]) == 4


def test_a_visitor_is_of_one_user(client: TestClient) -> None:
    did(client, ("view", "blue"), visitor_id="v1")
    client.post("/v1/users/ann/merge", json={"visitor_id": "v1"})
    answer = client.post("/v1/users/bea/merge", json={"visitor_id": "v1"})

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:sartor:problem:visitor-taken"


def test_a_merge_with_nobody_is_refused(client: TestClient) -> None:
    for given in ({}, {"visitor_id": ""}, {"visitor_id": 1}, {"visitor_id": "v", "more": 1}):
        assert client.post("/v1/users/ann/merge", json=given).status_code == 422
    assert client.post("/v1/users/ann/merge", json={"visitor_id": "a\nb"}).status_code == 400


def test_all_that_is_held_is_given_and_erased(client: TestClient) -> None:
    did(client, ("like", "red"), user_id="ann")
    did(client, ("like", "red"), visitor_id="v1")

    assert client.get("/v1/users/ann").json()["kind"] == "user"
    assert client.delete("/v1/users/ann").status_code == 204
    for method in ("GET", "DELETE"):
        gone = client.request(method, "/v1/users/ann")
        assert gone.status_code == 404
        assert gone.json()["type"] == "urn:sartor:problem:person-not-found"
    assert client.get("/v1/visitors/v1").json()["kind"] == "visitor"
    assert client.delete("/v1/visitors/v1").status_code == 204
    assert client.get("/v1/visitors/v1").status_code == 404


def test_users_and_visitors_of_one_id_are_two_people(client: TestClient) -> None:
    did(client, ("view", "red"), user_id="7")
    did(client, ("view", "blue"), visitor_id="7")

    assert client.get("/v1/users/7/viewed").json()["products"][0]["id"] == "red"
    assert client.get("/v1/visitors/7/viewed").json()["products"][0]["id"] == "blue"


def test_viewed_products_are_there_once_the_last_first(client: TestClient) -> None:
    did(client, ("view", "red"), ("view", "blue"), ("view", "gone"), ("view", "red"), user_id="ann")

    def viewed(**params: int) -> list[str]:
        answer = client.get("/v1/users/ann/viewed", params=params).json()
        return [product["id"] for product in answer["products"]]

    assert viewed() == ["red", "blue"]
    assert viewed(k=1) == ["red"]
    assert client.get("/v1/users/nobody/viewed").json() == {"products": []}


def test_what_many_buy_is_trending_within_its_window(client: TestClient) -> None:
    for user in "abcdef":
        did(client, ("view", "green"), ("purchase", "green"), user_id=user)
        did(client, ("purchase", "blue"), user_id=user, ago_s=20 * 86_400)

    assert ids(client.get("/v1/trending", params={"k": 1})) == ["green"]
    assert ids(client.get("/v1/trending", params={"window_days": 30, "where": "color=Blue"}))[0] == "blue"
    assert client.get("/v1/trending").json()["based_on"] == "trending"


def test_products_are_together_that_the_same_people_buy(client: TestClient) -> None:
    for number, user in enumerate("abcdefgh"):
        start = time.time() - 60 * number
        events = [
            {
                "event_id": f"{user}{product}",
                "type": "purchase",
                "user_id": user,
                "product_id": product,
                "basket_id": f"b{user}",
                "timestamp": start,
            }
            for product in ("red", "blue")
        ]
        assert client.post("/v1/events", json={"events": events}).json()["accepted"] == 2

    answer = client.get("/v1/products/red/together", params={"by": "bought"})
    assert ids(answer)[0] == "blue"
    assert answer.json()["based_on"] == "together"
    assert ids(client.get("/v1/products/red/together", params={"where": "color=Green"})) == []
    assert client.get("/v1/products/nothing/together").status_code == 404
    assert client.get("/v1/products/navy%2F1%20%26%20more/together").status_code == 200


BAD = {
    "/v1/trending?window_days=0": 422,
    "/v1/trending?window_days=91": 422,
    "/v1/trending?k=0": 422,
    "/v1/trending?where=colour": 422,
    "/v1/trending?where=colour=Red": 422,
    "/v1/products/red/together?by=chance": 422,
    "/v1/users/ann/recommendations?diversity=2": 422,
    "/v1/users/ann/recommendations?where=price=9..1": 422,
    "/v1/users/ann/recommendations?context=gender": 422,
    "/v1/users/a%00b/recommendations": 400,
    "/v1/users/" + "x" * 257: 422,
    "/v1/users/" + "%C3%AB" * 200: 400,
    "/v1/users/": 422,
}


def test_what_cannot_be_asked_is_a_problem(client: TestClient) -> None:
    for path, status in BAD.items():
        answer = client.get(path)

        assert answer.status_code == status, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


IDS = {
    "a/b": "a/b",
    "a%2Fb": "a/b",
    "a%2Frecommendations": "a/recommendations",
    "a%2fviewed": "a/viewed",
    "viewed": "viewed",
    "Zo%C3%AB%20%26%20co%3F": "Zoë & co?",
    "50%25": "50%",
}


def test_an_id_may_have_slashes_and_signs(client: TestClient) -> None:
    for written, id_ in IDS.items():
        did(client, ("view", "red"), user_id=id_)

        assert client.get(f"/v1/users/{written}").json()["id"] == id_
        assert client.get(f"/v1/users/{written}/viewed").json()["products"][0]["id"] == "red"
        assert client.get(f"/v1/users/{written}/recommendations").json()["based_on"] == "history"
        assert client.post(f"/v1/users/{written}/merge", json={"visitor_id": "v1"}).status_code == 200
        assert client.get("/v1/visitors/v1").json()["id"] == id_
        assert client.delete(f"/v1/users/{written}").status_code == 204
        assert client.get(f"/v1/users/{written}").status_code == 404


def test_a_word_after_a_slash_is_no_part_of_an_id(client: TestClient) -> None:
    did(client, ("view", "red"), user_id="a")
    did(client, ("view", "blue"), user_id="a/viewed")

    assert client.get("/v1/users/a/viewed").json()["products"][0]["id"] == "red"
    assert client.get("/v1/users/a/viewed/viewed").json()["products"][0]["id"] == "blue"
    assert client.get("/v1/users/a%2Fviewed").json()["id"] == "a/viewed"


def test_what_is_about_a_person_needs_a_key_although_reading_is_public(catalog: Path) -> None:
    keys = {each: key_of(catalog, each) for each in (Scope.READ, Scope.WRITE)}
    with serving(catalog) as client:
        sent = {
            "events": [
                {"event_id": kind, "type": "like", kind: id_, "product_id": "red"}
                for kind, id_ in (("user_id", "ann"), ("visitor_id", "v1"))
            ]
        }
        assert client.post("/v1/events", json=sent, headers=keys[Scope.WRITE]).json()["accepted"] == 2
        for method, path, scope in PERSONAL:
            body = {"json": {"visitor_id": "v2"}} if method == "POST" else {}
            bare = client.request(method, path, **body)
            assert bare.status_code == 401
            assert bare.headers["cache-control"] == "no-store"
            assert client.request(method, path, headers={"X-API-Key": "nonsense"}, **body).status_code == 401
            by_reader = client.request(method, path, headers=keys[Scope.READ], **body)
            assert by_reader.status_code == (200 if scope is Scope.READ else 403)
            assert client.request(method, path, headers=keys[Scope.WRITE], **body).status_code in {200, 204}


def test_what_is_about_everybody_is_as_public_as_the_catalog(catalog: Path) -> None:
    reader = key_of(catalog, Scope.READ)
    for path in ("/v1/trending", "/v1/products/red/together"):
        with serving(catalog) as client:
            assert client.get(path).status_code == 200
        with serving(catalog, read_needs_key=True) as client:
            assert client.get(path).status_code == 401
            assert client.get(path, headers=reader).status_code == 200


def test_answers_about_people_are_kept_nowhere(client: TestClient) -> None:
    did(client, ("view", "red"), user_id="ann")
    did(client, ("view", "red"), visitor_id="v1")

    for method, path, _ in PERSONAL:
        body = {"json": {"visitor_id": "v1"}} if method == "POST" else {}
        answer = client.request(method, path, **body)
        assert answer.status_code in {200, 204, 404}
        assert answer.headers["cache-control"] == "no-store"
    assert "no-store" not in client.get("/v1/trending").headers.get("cache-control", "")


def test_paths_of_people_are_counted_without_their_ids(client: TestClient) -> None:
    did(client, ("view", "red"), user_id="secret-ann")
    client.get("/v1/users/secret-ann/recommendations")

    assert "secret-ann" not in client.get("/metrics").text


def test_an_empty_catalog_says_so(home: Path) -> None:
    with serving(home) as client:
        did(client, ("view", "red"), user_id="ann")
        for path in ("/v1/users/ann/recommendations", "/v1/trending"):
            assert client.get(path).json()["type"] == "urn:sartor:problem:empty-catalog"
        assert client.get("/v1/users/ann/viewed").json() == {"products": []}


def test_a_placeholder_is_nobody_at_any_door(client: TestClient) -> None:
    for word in ("undefined", "null", "NaN", "%5Bobject%20Object%5D", "%20"):
        for kind in ("users", "visitors"):
            for rest in ("recommendations", "viewed"):
                answer = client.get(f"/v1/{kind}/{word}/{rest}")
                assert answer.status_code == 422
                assert answer.json()["type"] == "urn:sartor:problem:no-identity"
        assert client.post(f"/v1/users/{word}/merge", json={"visitor_id": "v1"}).status_code == 422
        assert (
            client.get(f"/v1/users/{word}").status_code == 404
        )  # nothing is held; what is can be read and erased
    for word in ("undefined", "None", "[object Object]"):
        assert client.post("/v1/users/ann/merge", json={"visitor_id": word}).status_code == 422
    assert client.get("/v1/users/undefined-7/recommendations").status_code == 200


def test_what_a_placeholder_did_before_can_be_erased(client: TestClient) -> None:
    shop = client.app.state.context.shop  # type: ignore[attr-defined]
    event = Event(id="old", type=EventType.LIKE, person=Person.visitor("undefined"), at_s=1.7e9, product_id="red")
    shop.shoppers.events.add([event])
    assert client.get("/v1/visitors/undefined").json()["events"]
    assert client.delete("/v1/visitors/undefined").status_code == 204
    assert client.get("/v1/visitors/undefined").status_code == 404
