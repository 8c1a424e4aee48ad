"""A running ``sartor serve`` as the pages ask it, over its HTTP API; it answers as ``WorkspaceBackend`` does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx2

from sartor.errors import ServiceRefused, ServiceUnreachable
from sartor.limits import STUDIO_TIMEOUT_S
from sartor.recommend.explain import QueryAttributes
from sartor.recommend.filters import name_text
from sartor.recommend.similar import Recommendation
from sartor.studio.backend import ModelState, Overview
from sartor.types import FacetValue, Hit, Likeness, Photo, Product, QueryKind, StoredProduct, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.studio.backend import SearchOptions


class ServiceBackend:
    """Asks a service, with an API key if it needs one."""

    def __init__(self, address: str, *, key: str = "") -> None:
        self._address = address.rstrip("/")
        self._client = httpx2.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=STUDIO_TIMEOUT_S,
            follow_redirects=True,
        )

    @property
    def location(self) -> str:
        """Where the catalog is, for people: the service's address."""
        return self._address

    def overview(self) -> Overview:
        """What the catalog holds."""
        answer = self._json("GET", "/v1/catalog")
        return Overview(
            products=answer["products"],
            photos=answer["photos"],
            model=answer["model"],
            models=(ModelState(id=answer["model"], embedded=answer["photos"]),),
            facets=_facets(answer["facets"]),
        )

    def similar(self, photos: Sequence[bytes], product: str | None, options: SearchOptions) -> Recommendation:
        """The products most similar to photos, or to a product, by the service's own model and metric."""
        dials = options.dials
        query = {
            "products": [] if product is None else [product],
            "where": {name_text(name): list(values) for name, values in options.where.items()},
            "dials": {"style": dials.style, "color": dials.color, "category": dials.category},
            "k": options.k,
            "diversity": options.diversity,
        }
        # The query is a part without a file name, also where there is no photo and the client would send no form.
        form = [("query", (None, json.dumps(query).encode())), *(("photo", photo) for photo in photos)]
        answer = self._json("POST", "/v1/similar", files=form)
        return Recommendation(
            hits=tuple(_hit(hit) for hit in answer["hits"]),
            kind=None if (kind := answer.get("kind")) is None else QueryKind(kind),
            verdict=Verdict(answer.get("verdict", Verdict.FOUND if answer["good"] else Verdict.NOTHING_CLOSE)),
            facets=_facets(answer["facets"]),
            seen=QueryAttributes(
                predicted=_guesses(answer["seen"]["attributes"]), colors=tuple(answer["seen"]["colors"])
            ),
        )

    def find(self, words: str, *, limit: int) -> Sequence[StoredProduct]:
        """Products with these words."""
        answer = self._json("GET", "/v1/products", params={"q": words, "limit": limit})
        return tuple(_product(product) for product in answer["products"])

    def product(self, product_id: str) -> StoredProduct:
        """One product."""
        return _product(self._json("GET", f"/v1/products/{quote(product_id, safe='')}"))

    def picture(self, sha256: str, *, max_px: int) -> tuple[bytes, str] | None:
        """A photo of the catalog with its media type; None if it is gone."""
        try:
            answer = self._ask("GET", f"/v1/photos/{sha256}", params={"size": max_px})
        except ServiceRefused:
            return None
        return answer.content, answer.headers["content-type"]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _json(self, method: str, path: str, **options: Any) -> Any:
        try:
            return self._ask(method, path, **options).json()
        except ValueError as error:
            raise ServiceUnreachable(self._address, reason="what answers there is no Sartor") from error

    def _ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        try:
            answer = self._client.request(method, self._address + path, **options)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ServiceUnreachable(self._address, reason=str(error)) from error
        if not answer.is_success:
            raise ServiceRefused(self._address, detail=_detail(answer))
        return answer


def _detail(answer: httpx2.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP status {answer.status_code}"


def _hit(hit: Mapping[str, Any]) -> Hit:
    return Hit(
        product_id=hit["product_id"],
        score=hit["score"],
        title=hit["title"],
        title_predicted=hit.get("title_predicted", False),
        attributes=hit["attributes"],
        photo=_photo(hit["photo"]),
        predicted=_guesses(hit["predicted"]),
        style=hit["style"],
        color=hit["color"],
        match=hit["match"],
        likeness=None if (likeness := hit.get("likeness")) is None else Likeness(likeness),
        weak=hit["weak"],
        variants=tuple(hit["variants"]),
        reasons=tuple(hit["reasons"]),
    )


def _product(product: Mapping[str, Any]) -> StoredProduct:
    is_predicted = product.get("title_predicted", False)  # a title that is made again from what is predicted
    return StoredProduct(
        product=Product(
            id=product["id"], title="" if is_predicted else product["title"], attributes=product["attributes"]
        ),
        predicted=_guesses(product.get("predicted", {})),
        photos=tuple(_photo(photo) for photo in product["photos"]),
    )


def _photo(photo: Mapping[str, Any]) -> Photo:
    return Photo(
        sha256=photo["sha256"], name="", width_px=photo["width_px"], height_px=photo["height_px"], thumbnail=""
    )


def _guesses(guesses: Mapping[str, Any]) -> dict[str, tuple[str, float]]:
    return {name: (guess["value"], guess["probability"]) for name, guess in guesses.items()}


def _facets(facets: Mapping[str, Any]) -> dict[str, list[FacetValue]]:
    return {
        name: [FacetValue(value["value"], value["count"]) for value in values] for name, values in facets.items()
    }
