from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.testclient import TestClient


def test_metrics_count_requests_by_route(client: TestClient) -> None:
    client.get("/v1/products/red")
    text = client.get("/metrics").text

    assert 'sartor_requests_total{method="GET",route="/v1/products/{product_id}",status="200"}' in text.replace(
        ":path", ""
    )
    assert "sartor_products 5.0" in text
    assert 'sartor_model{id="color"' in text
