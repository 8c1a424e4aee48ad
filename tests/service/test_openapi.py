"""Schemathesis over the OpenAPI document: what it allows is answered as it says, what it forbids is a problem."""

from __future__ import annotations

from contextlib import closing, suppress
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from sartor.assembly import open_shop, open_store
from sartor.config import ServiceSettings, Settings
from sartor.service.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def schema(catalog: Path) -> Iterator[Any]:
    workspace = Settings(home=catalog)
    options = ServiceSettings(rate_per_minute=0, storefront=False)
    with open_shop(workspace, many_callers=True) as shop, closing(open_store(workspace)) as store:
        app = create_app(shop, store, options)
        shop.warm_up()
        app.state.context.ready = True
        yield schemathesis.openapi.from_asgi("/openapi.json", app)
        app.state.context.desk.close()


# A query of the right form may still ask about products, attributes or colors that there are not, so that what is
# well-formed is not always accepted.
def test_the_service_answers_as_its_document_says(schema: Any) -> None:
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 10
    for operation, mode in product(operations, GenerationMode):

        @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy(generation_mode=mode))
        def answers(case: schemathesis.Case) -> None:
            case.call_and_validate(excluded_checks=[positive_data_acceptance])

        with suppress(Unsatisfiable):  # nothing is wrong to ask of what takes no parameters
            answers()
