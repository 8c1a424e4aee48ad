"""Schemathesis over the OpenAPI document: what it allows is answered as it says, what it forbids is a problem."""

from __future__ import annotations

import threading
import time
from contextlib import closing, suppress
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.testclient import TestClient

from sartor.config import ServiceSettings, Settings
from sartor.events.model import Event, EventType, Person
from sartor.service.app import create_app
from sartor.wiring import open_shop, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# Without these, whatever is asked about a person would only be answered by what the catalog holds.
BEHAVIOR = [
    Event(
        id=f"{who.id}-{product_id}",
        type=type_,
        person=who,
        at_s=time.time() - 60,
        product_id=product_id,
        basket_id=f"basket of {who.id}",
    )
    for who in (Person.user("0"), Person.user("1"), Person.visitor("0"))
    for type_, product_id in ((EventType.LIKE, "red"), (EventType.PURCHASE, "blue"), (EventType.VIEW, "none"))
]
PERSONAL = {
    "/v1/events",
    "/v1/trending",
    "/v1/products/{product_id}/together",
    "/v1/users/{person_id}/merge",
    *(
        f"/v1/{kind}/{{person_id}}{word}"
        for kind in ("users", "visitors")
        for word in ("", "/recommendations", "/viewed")
    ),
}


@pytest.fixture
def schema(catalog: Path) -> Iterator[Any]:
    workspace = Settings(home=catalog)
    options = ServiceSettings(rate_per_minute=0, storefront=False)
    with open_shop(workspace, many_callers=True) as shop, closing(open_store(workspace)) as store:
        app = create_app(shop, store, options)
        shop.warm_up()
        app.state.context.ready = True
        shop.record(*BEHAVIOR)
        yield schemathesis.openapi.from_asgi("/openapi.json", app)
        app.state.context.imports.close()
        app.state.context.executor.close()


# A query of the right form may still ask about products, attributes or colors that there are not, so that what is
# well-formed is not always accepted.
def test_the_service_answers_as_its_document_says(schema: Any) -> None:
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 10
    assert {operation.path for operation in operations} >= PERSONAL
    for operation, mode in product(operations, GenerationMode):

        @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy(generation_mode=mode))
        def answers(case: schemathesis.Case) -> None:
            case.call_and_validate(excluded_checks=[positive_data_acceptance])

        with suppress(Unsatisfiable):  # nothing is wrong to ask of what takes no parameters
            answers()


def test_whoever_waits_is_told_when_the_model_is_loaded(catalog: Path) -> None:
    workspace, told = Settings(home=catalog), threading.Event()
    with open_shop(workspace, many_callers=True) as shop, closing(open_store(workspace)) as store:
        app = create_app(shop, store, ServiceSettings(), on_ready=told.set)
        assert not told.is_set()
        with TestClient(app) as client:
            assert told.wait(60)
            assert client.get("/health/ready").json() == {"status": "ok"}
            assert client.get("/").status_code == 404  # nobody handed the pages in
