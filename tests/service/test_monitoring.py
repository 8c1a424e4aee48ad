from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from sartor.service.monitoring import LOG_FORMAT, RequestIdFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.testclient import TestClient


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """Lines of the service's log, as ``configure_logging`` has them written."""
    written: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    handler, logger = Lines(), logging.getLogger("sartor.service")
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield written
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def test_a_request_is_logged_with_its_id_and_fields_and_without_what_names_people(
    client: TestClient, lines: list[str]
) -> None:
    answer = client.get("/v1/users/ann", headers={"X-Request-ID": "shop-1.2"})
    assert answer.headers["x-request-id"] == "shop-1.2"
    (line,) = lines
    assert re.search(
        r"INFO sartor\.service\.monitoring request=shop-1\.2 request: method=GET route=\S+ status=404 ms=\d", line
    )
    assert "ann" not in line


@pytest.mark.parametrize("sent", ["", "two words", "x" * 65, "a\tb", "é"])
def test_an_id_that_could_forge_a_line_is_replaced(client: TestClient, sent: str) -> None:
    answers = [client.get("/health/live", headers={"X-Request-ID": sent.encode()}) for _ in range(2)]
    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", id_) for id_ in ids)


def test_an_error_in_a_thread_is_logged_with_the_id_of_its_request(
    client: TestClient, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        logging.getLogger("sartor.service.test").warning("looked up: product=red")
        raise RuntimeError

    monkeypatch.setattr(client.app.state.context.shop, "product", broken)  # type: ignore[attr-defined]
    assert client.get("/v1/products/red", headers={"X-Request-ID": "abc"}).status_code == 500
    assert [" request=abc " in line for line in lines] == [True] * 3
    assert "unexpected error: type=RuntimeError" in lines[1]


def test_metrics_count_requests_by_route(client: TestClient) -> None:
    client.get("/v1/products/red")
    text = client.get("/metrics").text

    assert 'sartor_requests_total{method="GET",route="/v1/products/{product_id}",status="200"}' in text.replace(
        ":path", ""
    )
    assert "sartor_products 5.0" in text
    assert 'sartor_model{id="color"' in text
