from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest
    from starlette.testclient import TestClient


def test_unknown_paths_and_methods_are_problems(client: TestClient) -> None:
    assert client.get("/v1/nothing").json()["type"] == "urn:sartor:problem:not-found"
    answer = client.delete("/v1/catalog")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


def test_an_unexpected_error_is_a_problem_without_a_trace(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(client.app.state.context.shop, "product", broken)  # type: ignore[attr-defined]
    answer = client.get("/v1/products/red")

    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:sartor:problem:internal-error"
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
