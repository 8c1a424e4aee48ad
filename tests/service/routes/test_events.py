from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sartor.service.security import Scope
from tests.service.conftest import key_of, serving

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient

AT = "2026-03-04T05:06:07Z"


def event(number: int, **fields: object) -> dict[str, Any]:
    """A view of a product by a user, with other fields in place of these; None leaves one out."""
    given = {"event_id": f"e{number}", "type": "view", "user_id": "ann", "product_id": "red", "timestamp": AT}
    return {name: value for name, value in (given | fields).items() if value is not None}


def send(client: TestClient, *events: object) -> Any:
    answer = client.post("/v1/events", json={"events": list(events)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def held(client: TestClient, user: str = "ann") -> list[dict[str, Any]]:
    return client.get(f"/v1/users/{user}").json()["events"]  # type: ignore[no-any-return]


def test_one_event_is_taken_and_held_as_it_came(client: TestClient) -> None:
    given = event(
        1,
        type="purchase",
        recommendation_id="f" * 32,
        position=3,
        quantity=2,
        price=19.5,
        basket_id="b1",
        timestamp="2026-03-04T06:06:07.250000+01:00",
    )
    answer = client.post("/v1/events", json=given)

    assert answer.json() == {
        "accepted": 1,
        "duplicates": 0,
        "unknown_products": 0,
        "placeholders": 0,
        "rejected": [],
    }
    assert held(client) == [given | {"timestamp": "2026-03-04T05:06:07.250000+00:00"}]


def test_what_is_held_can_be_sent_again_and_changes_nothing(client: TestClient) -> None:
    send(client, event(1), event(2, type="like"), event(3, type="search", product_id=None, query="red shirt"))
    before = held(client)

    assert send(client, *before) == {
        "accepted": 0,
        "duplicates": 3,
        "unknown_products": 0,
        "placeholders": 0,
        "rejected": [],
    }
    assert held(client) == before


def test_events_are_told_by_their_ids_also_within_a_batch(client: TestClient) -> None:
    first = send(client, event(1), event(2), event(1, type="like"))
    again = send(client, event(2), event(3))

    assert (first["accepted"], first["duplicates"]) == (2, 1)
    assert (again["accepted"], again["duplicates"]) == (1, 1)
    assert [each["type"] for each in held(client)] == ["view"] * 3


def test_an_event_without_an_id_is_known_by_all_that_it_tells(client: TestClient) -> None:
    answer = send(client, *[event(1, event_id=None)] * 2, event(1, event_id=None, product_id="blue"))

    assert (answer["accepted"], answer["duplicates"]) == (2, 1)


def test_events_out_of_order_are_held_by_their_time(client: TestClient) -> None:
    send(
        client,
        event(1, timestamp=1_772_000_300),
        event(2, timestamp=1_772_000_100.5),
        event(3, timestamp="2026-02-25T06:15:00Z"),
    )

    times = [each["timestamp"] for each in held(client)]
    assert times == sorted(times)
    assert len(times) == 3


def test_unknown_products_are_kept_and_counted(client: TestClient) -> None:
    answer = send(client, event(1), event(2, product_id="of tomorrow"), event(3, product_id="of tomorrow"))

    assert (answer["accepted"], answer["unknown_products"]) == (3, 2)
    assert [each["product_id"] for each in held(client)] == ["red", "of tomorrow", "of tomorrow"]


BAD = {
    "no type": event(1, type=None),
    "another type": event(1, type="stare"),
    "nobody": event(1, user_id=None),
    "a search for a product": event(1, type="search", query="red"),
    "a view for words": event(1, query="red"),
    "no product": event(1, product_id=None),
    "an unknown field": event(1, colour="red"),
    "a time that is none": event(1, timestamp="yesterday"),
    "milliseconds": event(1, timestamp=1_772_000_300_000),
    "a time long ago": event(1, timestamp=0),
    "a position from 0": event(1, position=0),
    "none of it": event(1, quantity=0),
    "a price below nothing": event(1, price=-1),
    "a number as text": event(1, quantity="2"),
    "an id of control characters": event(1, user_id="a\nb"),
    "an endless id": event(1, user_id="x" * 300),
    "no object": 7,
    "a list": [event(1)],
    "nothing": {},
}


def test_a_bad_event_is_a_problem_alone_and_rejected_among_others(client: TestClient) -> None:
    for number, (name, bad) in enumerate(BAD.items(), start=1):
        alone = client.post("/v1/events", json=bad)
        assert alone.status_code == 422, name
        assert alone.json()["type"] in {"urn:sartor:problem:bad-event", "urn:sartor:problem:invalid-request"}

        answer = send(client, event(100 * number), bad, event(100 * number + 1))
        (rejection,) = answer["rejected"]
        assert (answer["accepted"], rejection["index"]) == (2, 1), name
        assert rejection["reason"]
        assert "\n" not in rejection["reason"]
    assert len(held(client)) == 2 * len(BAD)


def test_a_batch_of_bad_events_alone_takes_nothing(client: TestClient) -> None:
    answer = send(client, 1, {}, None)

    assert answer["accepted"] == 0
    assert [each["index"] for each in answer["rejected"]] == [0, 1, 2]


BODIES = {
    b"": 400,
    b"{": 400,
    b"\xff": 400,
    b'{"price": NaN}': 400,
    b"[" * 100_000: 400,
    b"null": 422,
    b"[]": 422,
    b'{"events": []}': 422,
    b'{"events": {}}': 422,
    b'{"events": [{}], "more": 1}': 422,
}


def test_a_body_that_is_no_event_is_a_problem(client: TestClient) -> None:
    for body, status in BODIES.items():
        answer = client.post("/v1/events", content=body, headers={"content-type": "application/json"})

        assert answer.status_code == status, body[:40]
        assert answer.headers["content-type"] == "application/problem+json"


def test_another_kind_of_body_is_refused(client: TestClient) -> None:
    assert client.post("/v1/events", content=b"a=b", headers={"content-type": "text/plain"}).status_code == 415


def test_a_thousand_events_fit_and_no_more(client: TestClient) -> None:
    many = [event(number) for number in range(1001)]

    assert client.post("/v1/events", json={"events": many}).status_code == 422
    assert send(client, *many[:1000])["accepted"] == 1000


def test_sending_events_needs_a_key_for_writing_once_there_is_one(catalog: Path) -> None:
    writer, reader = key_of(catalog, Scope.WRITE), key_of(catalog, Scope.READ)
    with serving(catalog) as client:
        assert client.post("/v1/events", json=event(1)).status_code == 401
        assert client.post("/v1/events", json=event(1), headers=reader).status_code == 403
        assert client.post("/v1/events", json=event(1), headers=writer).status_code == 200


def test_events_are_there_after_a_restart(catalog: Path) -> None:
    with serving(catalog) as client:
        send(client, event(1), event(2))
    with serving(catalog) as client:
        assert [each["event_id"] for each in held(client)] == ["e1", "e2"]


def test_events_are_counted_by_type_and_outcome(client: TestClient) -> None:
    send(client, event(1), event(2, type="like"), event(2, type="like"), event(3, quantity=0), {"type": ["view"]})
    client.post("/v1/events", json=event(4, type="purchase", price=-1))
    text = client.get("/metrics").text

    for line in (
        'sartor_events_total{outcome="taken",type="view"} 1.0',
        'sartor_events_total{outcome="taken",type="like"} 2.0',
        'sartor_events_total{outcome="rejected",type="view"} 1.0',
        'sartor_events_total{outcome="rejected",type="none"} 1.0',
        'sartor_events_total{outcome="rejected",type="purchase"} 1.0',
        "sartor_duplicate_events_total 1.0",
    ):
        assert line in text


def test_an_event_of_every_script_comes_back_the_same(client: TestClient) -> None:
    given = event(1, type="search", product_id=None, query="Mütze, قبعة, 帽子 🧢", user_id="Zoë/ 1&2")
    client.post("/v1/events", content=json.dumps(given).encode(), headers={"content-type": "application/json"})

    assert held(client, "Zo%C3%AB%2F%201%262")[0]["query"] == given["query"]


def test_placeholders_are_told(client: TestClient) -> None:
    like = {"type": "like", "product_id": "red"}
    batch = [
        like | {"visitor_id": "undefined"},
        like | {"user_id": "null", "visitor_id": "v-1"},
        like | {"user_id": "ann", "basket_id": "NaN"},
        like | {"user_id": "ann"},
    ]
    answer = client.post("/v1/events", json={"events": batch}).json()
    assert (answer["accepted"], answer["placeholders"]) == (3, 2)
    (rejected,) = answer["rejected"]
    assert rejected["index"] == 0
    assert "'undefined' is what a script writes for a missing id" in rejected["reason"]
    single = client.post("/v1/events", json=like | {"visitor_id": "[object Object]"})
    assert single.status_code == 422
    assert client.post("/v1/events", json=batch[1]).json()["placeholders"] == 1
