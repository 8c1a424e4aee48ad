"""A running ``sartor serve``, as the pages ask it: over HTTP, with what its API has."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from sartor.errors import ServiceRefused, ServiceUnreachable
from sartor.limits import STUDIO_TIMEOUT_S
from sartor.recommend.explain import QueryAttributes
from sartor.recommend.similar import Recommendation
from sartor.studio.engine import ModelState, Overview
from sartor.types import FacetValue, Hit, Photo, Product, StoredProduct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.studio.engine import How


class RemoteEngine:
    """Asks a service, with an API key where it needs one."""

    def __init__(self, address: str, *, key: str = "") -> None:
        self._address = address.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    @property
    def place(self) -> str:
        """The service's address."""
        return self._address

    def overview(self) -> Overview:
        """What the catalog holds."""
        found = self._json("/v1/catalog")
        return Overview(
            products=found["products"],
            photos=found["photos"],
            model=found["model"],
            models=(ModelState(id=found["model"], embedded=found["photos"]),),
            facets=_facets(found["facets"]),
        )

    def similar(self, photos: Sequence[bytes], product: str | None, how: How) -> Recommendation:
        """The products most similar to photos, or to a product; the service's own model and metric answer."""
        dials = how.dials
        query = {
            "products": [] if product is None else [product],
            "where": {name: list(values) for name, values in how.where.items()},
            "dials": {"style": dials.style, "color": dials.color, "category": dials.category},
            "k": how.k,
            "diversity": how.diversity,
        }
        body, kind = _form(query, photos)
        found = self._json("/v1/similar", body=body, kind=kind)
        return Recommendation(
            hits=tuple(_hit(hit) for hit in found["hits"]),
            good=found["good"],
            facets=_facets(found["facets"]),
            seen=QueryAttributes(
                predicted=_guesses(found["seen"]["attributes"]), colors=tuple(found["seen"]["colors"])
            ),
        )

    def find(self, words: str, *, limit: int) -> Sequence[StoredProduct]:
        """Products with these words."""
        found = self._json(f"/v1/products?{urlencode({'q': words, 'limit': limit})}")
        return tuple(_product(each) for each in found["products"])

    def product(self, product_id: str) -> StoredProduct:
        """One product."""
        return _product(self._json(f"/v1/products/{quote(product_id, safe='')}"))

    def picture(self, sha256: str, *, max_px: int) -> tuple[bytes, str] | None:
        """A photo of the catalog with its media type."""
        try:
            return self._fetch(f"/v1/photos/{sha256}?size={max_px}")
        except ServiceRefused:
            return None

    def _json(self, path: str, *, body: bytes | None = None, kind: str = "") -> Any:
        data, _ = self._fetch(path, body=body, kind=kind)
        try:
            return json.loads(data)
        except ValueError as error:
            raise ServiceUnreachable(self._address, reason="what answers there is no Sartor") from error

    def _fetch(self, path: str, *, body: bytes | None = None, kind: str = "") -> tuple[bytes, str]:
        headers = self._headers | ({"Content-Type": kind} if kind else {})
        request = Request(self._address + path, data=body, headers=headers)  # noqa: S310 - the command checks it
        try:
            with urlopen(request, timeout=STUDIO_TIMEOUT_S) as answer:  # noqa: S310
                return answer.read(), answer.headers.get_content_type()
        except HTTPError as error:
            with error:
                raise ServiceRefused(self._address, detail=_detail(error)) from error
        except (URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            raise ServiceUnreachable(self._address, reason=str(reason)) from error


def _detail(error: HTTPError) -> str:
    try:
        return str(json.loads(error.read())["detail"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP status {error.code}"


def _form(query: Mapping[str, Any], photos: Sequence[bytes]) -> tuple[bytes, str]:
    """A body of ``multipart/form-data``: the query as JSON, then each photo (RFC 7578)."""
    boundary = secrets.token_hex(16)
    parts = [('name="query"', json.dumps(query).encode())]
    parts += [(f'name="photo"; filename="{place}"', photo) for place, photo in enumerate(photos)]
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {name}\r\n\r\n".encode() + content + b"\r\n"
        for name, content in parts
    )
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _hit(found: Mapping[str, Any]) -> Hit:
    return Hit(
        product_id=found["product_id"],
        score=found["score"],
        title=found["title"],
        attributes=found["attributes"],
        photo=_photo(found["photo"]),
        predicted=_guesses(found["predicted"]),
        style=found["style"],
        color=found["color"],
        match=found["match"],
        weak=found["weak"],
        variants=tuple(found["variants"]),
        reasons=tuple(found["reasons"]),
    )


def _product(found: Mapping[str, Any]) -> StoredProduct:
    return StoredProduct(
        product=Product(id=found["id"], title=found["title"], attributes=found["attributes"]),
        photos=tuple(_photo(each) for each in found["photos"]),
    )


def _photo(found: Mapping[str, Any]) -> Photo:
    return Photo(
        sha256=found["sha256"],
        name="",
        width_px=found["width_px"],
        height_px=found["height_px"],
        thumbnail="",
    )


def _guesses(found: Mapping[str, Any]) -> dict[str, tuple[str, float]]:
    return {name: (each["value"], each["probability"]) for name, each in found.items()}


def _facets(found: Mapping[str, Any]) -> dict[str, list[FacetValue]]:
    return {name: [FacetValue(each["value"], each["count"]) for each in values] for name, values in found.items()}
