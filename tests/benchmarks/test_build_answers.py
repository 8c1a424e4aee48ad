from __future__ import annotations

from typing import Any

import pytest

from benchmarks.build_answers import Answer, Compared, Verdict, compared, interface, normalized, tallied


def verdict_of(before: object, after: object) -> Verdict:
    answers = (Answer.of({"content": content}) for content in (before, after))
    return compared("kind", "asked", *answers).verdict


def operation(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sartor", "version": "1"},
        "paths": {"/v1/a": {"get": {"parameters": [{"name": "k", "schema": schema}], **more}}},
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"took_ms": 1.5, "recommendation_id": "a"}, {"took_ms": 7, "recommendation_id": "b"}),
        ({"seconds": {"embed": 1.0}}, {"seconds": {"embed": 2.0}}),
        ({"event_id": "0a" * 16}, {"event_id": "0b" * 16}),
        ({"next": "WyJhIl0"}, {"next": "WyJiIl0"}),
        ({"products": 3, "size_bytes": 8192}, {"products": 3, "size_bytes": 4096}),
        ("/static/0123456789abcdef/base.css", "/static/fedcba9876543210/base.css"),
        (f'href="/product/1?via={"0a" * 16}.3"', f'href="/product/1?via={"0b" * 16}.3"'),
        ('href="/?q=a&amp;after=WyJhIl0"', 'href="/?q=a&amp;after=WyJiIl0"'),
        ('sartor_request_seconds_bucket{le="0.1"} 4.0\n', 'sartor_request_seconds_bucket{le="0.1"} 7.0\n'),
        (
            'sartor_requests_total{route="/health/ready"} 4.0\n',
            'sartor_requests_total{route="/health/ready"} 7.0\n',
        ),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ],
)
def test_what_differs_between_two_runs_of_one_build_is_no_difference(before: object, after: object) -> None:
    assert verdict_of(before, after) is Verdict.IDENTICAL


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"hits": [{"product_id": "1", "score": 0.5}]}, {"hits": [{"product_id": "1", "score": 0.5001}]}),
        ({"hits": ["1", "2"]}, {"hits": ["2", "1"]}),
        ({"next": "WyJhIl0"}, {"next": None}),
        ({"took_ms": 1.5}, {}),
        ({"event_id": "e-1"}, {"event_id": "e-2"}),
        (f'href="/product/1?via={"0a" * 16}.3"', f'href="/product/1?via={"0a" * 16}.4"'),
        ('sartor_requests_total{route="/v1/events"} 4.0\n', 'sartor_requests_total{route="/v1/events"} 5.0\n'),
        ("<p>Seen</p>", "<p>Viewed</p>"),
        (operation({"type": "integer"}), operation({"type": "number"})),
    ],
)
def test_what_a_program_relies_on_is_a_difference(before: object, after: object) -> None:
    assert verdict_of(before, after) is Verdict.DIFFERENT


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"type": "bad-filter", "detail": "as it was"}, {"type": "bad-filter", "detail": "in other words"}),
        ({"rejected": [{"index": 1, "reason": "old"}]}, {"rejected": [{"index": 1, "reason": "new"}]}),
        ("# HELP sartor_photos Old\nsartor_photos 1.0\n", "# HELP sartor_photos New\nsartor_photos 1.0\n"),
        (operation({"type": "integer"}, summary="Old"), operation({"type": "integer"}, summary="New")),
    ],
)
def test_other_sentences_with_the_same_facts_are_reworded(before: object, after: object) -> None:
    assert verdict_of(before, after) is Verdict.REWORDED


def test_dates_and_lengths_of_headers_are_left_out_and_other_headers_are_not() -> None:
    headers = {"date": "Thu, 01 Jan 2026", "content-length": "12", "etag": '"a"'}
    first = Answer.of({"headers": headers})
    assert first == Answer.of({"headers": headers | {"date": "Fri, 02 Jan 2026", "content-length": "14"}})
    assert first != Answer.of({"headers": headers | {"etag": '"b"'}})
    assert first != Answer.of({"headers": {"date": "Thu, 01 Jan 2026"}})


def test_a_new_visitor_is_another_number_in_each_run() -> None:
    cookies = [f"sartor_visitor={number * 16}; HttpOnly; Path=/" for number in ("0a", "0b")]
    first, second = (Answer.of({"headers": {"set-cookie": cookie}}) for cookie in cookies)
    assert first == second


def test_texts_of_one_run_are_named_wherever_they_stand() -> None:
    said = {"/folder/a/file": ["/folder/a", {"at": "http://127.0.0.1:4711/x"}, 3, None]}
    named = normalized(said, {"/folder/a": "<folder>", "http://127.0.0.1:4711": "<address>"})
    assert named == {"<folder>/file": ["<folder>", {"at": "<address>/x"}, 3, None]}


def test_a_schema_with_another_name_is_the_same_interface() -> None:
    documents = [
        operation({"$ref": f"#/components/schemas/{name}"})
        | {"components": {"schemas": {name: {"title": name, "type": "object", "properties": {"title": inner}}}}}
        for name, inner in (("FeedOut", {"type": "string"}), ("Feed", {"type": "string", "description": "Words"}))
    ]
    assert interface(documents[0]) == interface(documents[1])
    (parameter,) = interface(documents[0])["paths"]["/v1/a"]["get"]["parameters"]
    assert parameter["schema"] == {"type": "object", "properties": {"title": {"type": "string"}}}


def test_a_schema_that_refers_to_itself_ends() -> None:
    tree = {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}
    document = operation({"$ref": "#/components/schemas/Tree"}) | {"components": {"schemas": {"Tree": tree}}}
    (parameter,) = interface(document)["paths"]["/v1/a"]["get"]["parameters"]
    assert parameter["schema"] == {"type": "array", "items": {"$ref": "<itself>"}}


def test_a_difference_is_shown_by_its_lines_and_is_short() -> None:
    before, after = (Answer.of({"hits": [f"{start}{number}" for number in range(100)]}) for start in "ab")
    found = compared("similar", "GET /v1/similar", before, after, diff_lines=4)
    assert len(found.diff) == 4
    assert '-  "a0",' in found.diff
    other = Answer.of({"content": "<ul><li>One</li><li>Two</li></ul>"})
    page = compared("pages", "GET /", other, Answer.of({"content": "<ul><li>One</li><li>Three</li></ul>"}))
    assert [line for line in page.diff if line[0] in "+-"] == ["-<li>Two</li>", "+<li>Three</li>"]


def test_verdicts_are_counted_by_kind_in_the_order_of_the_questions() -> None:
    verdicts = (("b", Verdict.IDENTICAL), ("a", Verdict.DIFFERENT), ("b", Verdict.REWORDED))
    tallies = tallied(Compared(kind=kind, asked="", verdict=verdict) for kind, verdict in verdicts)
    assert list(tallies) == ["b", "a"]
    assert tallies["b"].asked == 2
    assert tallies["b"].counts == {Verdict.IDENTICAL: 1, Verdict.REWORDED: 1, Verdict.DIFFERENT: 0}
