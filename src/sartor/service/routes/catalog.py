"""Routes of the catalog: products in and out, photos, what there is."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from sartor.ingest.put import ProductInput, PutOutcome
from sartor.recommend.filters import parse_where
from sartor.service.context import Engine, needs
from sartor.service.present import facets_out, product_out
from sartor.service.problems import BadRequest, NotFound, Problem
from sartor.service.routes.recommend import Filters
from sartor.service.schemas import (
    BatchIn,
    BatchItem,
    BatchOut,
    BatchResult,
    CatalogOut,
    ListingOut,
    Name,
    ProductIn,
    ProductOut,
    RejectionOut,
)
from sartor.service.security import Scope
from sartor.service.uploads import from_base64, parsed, read_body, two_kinds
from sartor.store.base import Sort
from sartor.types import Product

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.recommend.query import PhotoInput
    from sartor.shop import Shop
    from sartor.types import Attributes, AttributeValue

reading = APIRouter(prefix="/v1", tags=["catalog"], dependencies=[needs(Scope.READ)])
writing = APIRouter(prefix="/v1", tags=["catalog"], dependencies=[needs(Scope.WRITE)])

_ID_BYTES = 512
_FOREVER = "public, max-age=31536000, immutable"
Sha256 = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


@reading.get("/catalog")
async def catalog(engine: Engine) -> CatalogOut:
    """What the catalog holds: counts, the model, the attributes, and the facets that make good filters."""
    shop = engine.shop

    def look() -> CatalogOut:
        counts = shop.counts()
        return CatalogOut(
            products=counts.products,
            photos=counts.photos,
            model=shop.model.id,
            dimension=shop.model.dimension,
            attributes=list(shop.attribute_names()),
            facets=facets_out(shop.facets()),
        )

    return await engine.desk.run(look)


@reading.get("/products")
async def products(
    engine: Engine,
    where: Filters = [],  # noqa: B006 - FastAPI copies it
    q: Annotated[str, Query(max_length=500, description="Words of titles and attributes.")] = "",
    sort: Sort = Sort.RELEVANCE,
    limit: Annotated[int, Query(ge=1, le=200)] = 24,
    after: Annotated[str | None, Query(max_length=2000, description="next of the page before.")] = None,
    facets: Annotated[list[Name], Query(max_length=30)] = [],  # noqa: B006
) -> ListingOut:
    """Products page by page, by filters and words."""
    shop, filters = engine.shop, parse_where(where)

    def look() -> ListingOut:
        page = shop.listing(where=filters, words=q, sort=sort, limit=limit, after=after)
        return ListingOut(
            products=[product_out(stored) for stored in page.products],
            total=page.total,
            next=page.next,
            facets=facets_out(shop.facets(facets, where=filters, words=q) if facets else {}),
        )

    return await engine.desk.run(look)


@reading.get("/photos/{sha256}", response_class=Response)
async def photo(
    sha256: Sha256,
    request: Request,
    engine: Engine,
    size: Annotated[int, Query(ge=32, le=640, description="Most pixels of width and height.")] = 640,
) -> Response:
    """A photo of the catalog, by the SHA-256 of its bytes; what is under an address never changes."""
    etag = f'"{sha256[:32]}-{size}"'
    headers = {"ETag": etag, "Cache-Control": _FOREVER, "Cross-Origin-Resource-Policy": "cross-origin"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    found = await engine.desk.run(lambda: engine.shop.picture(sha256, max_px=size))
    if found is None:
        raise NotFound(f"there is no photo {sha256[:12]}…")
    return Response(found.data, media_type=found.media_type, headers=headers)


@writing.post("/products/batch")
async def batch(given: BatchIn, engine: Engine) -> BatchOut:
    """Write or delete several products; each succeeds or fails alone, in the order given."""
    return BatchOut(results=await engine.desk.run(lambda: _write_all(engine.shop, given.products)))


@reading.get("/products/{product_id:path}")
async def product(product_id: str, engine: Engine) -> ProductOut:
    """One product."""
    return product_out(await engine.desk.run(lambda: engine.shop.product(product_id)))


@writing.put(
    "/products/{product_id:path}",
    openapi_extra=two_kinds(ProductIn, field="product"),
    responses={201: {"description": "The product is new", "model": ProductOut}},
)
async def put(product_id: str, request: Request, response: Response, engine: Engine) -> ProductOut:
    """Write a product, whole; its answer comes when it is on disk and can be found.

    Without any photo it keeps those that it has. Doing it again changes nothing.
    """
    if not 0 < len(product_id.encode()) <= _ID_BYTES or not product_id.isprintable():
        raise BadRequest(f"an id has 1 to {_ID_BYTES} bytes and no control characters")
    body = await read_body(request, engine.settings, field="product")
    given = parsed(ProductIn, body.json)
    photos: list[PhotoInput] = [*body.photos, *given.photo_urls]
    item = ProductInput(
        product=Product(id=product_id, title=given.title, attributes=_attributes(given.attributes)),
        photos=photos or None,
    )
    (outcome,) = await engine.desk.run(lambda: engine.shop.put(item))
    if outcome.stored is None:
        raise _rejected(outcome)
    response.status_code = 201 if outcome.created else 200
    return product_out(outcome.stored)


@writing.delete("/products/{product_id:path}", status_code=204)
async def delete(product_id: str, engine: Engine) -> None:
    """Delete a product; its answer comes when it is gone from disk and from every search."""
    if not await engine.desk.run(lambda: engine.shop.delete(product_id)):
        raise NotFound(f"product {product_id!r} is not in the catalog")


def _write_all(shop: Shop, items: Sequence[BatchItem]) -> list[BatchResult]:
    """Write products in runs of one transaction each, which deletions part."""
    results: list[BatchResult] = []
    for deletes, run in groupby(items, key=lambda item: item.delete):
        if deletes:
            results += [
                BatchResult(id=item.id, status="deleted" if shop.delete(item.id) else "not_found") for item in run
            ]
        else:
            results += _put_all(shop, list(run))
    return results


def _put_all(shop: Shop, items: Sequence[BatchItem]) -> list[BatchResult]:
    inputs = [_input(item) for item in items]
    outcomes = iter(shop.put(*(each for each in inputs if isinstance(each, ProductInput))))
    return [each if isinstance(each, BatchResult) else _result(next(outcomes)) for each in inputs]


def _input(item: BatchItem) -> ProductInput | BatchResult:
    try:
        uploads = [from_base64(text, name=f"photo {place}") for place, text in enumerate(item.photos, start=1)]
    except BadRequest as error:
        rejected = RejectionOut(photo=f"a photo of {item.id}", reason=error.detail)
        return BatchResult(id=item.id, status="rejected", rejected=[rejected])
    photos: list[PhotoInput] = [*uploads, *item.photo_urls]
    return ProductInput(
        product=Product(id=item.id, title=item.title, attributes=_attributes(item.attributes)),
        photos=photos or None,
    )


def _result(outcome: PutOutcome) -> BatchResult:
    if outcome.stored is None:
        rejected = [RejectionOut(photo=each.photo, reason=each.reason) for each in outcome.rejected]
        return BatchResult(id=outcome.product_id, status="rejected", rejected=rejected)
    return BatchResult(id=outcome.product_id, status="created" if outcome.created else "updated")


def _rejected(outcome: PutOutcome) -> Problem:
    rejected = [{"photo": each.photo, "reason": each.reason} for each in outcome.rejected]
    first = outcome.rejected[0]
    return Problem(422, "photo-rejected", f"{first.photo} cannot be used: {first.reason}", rejected=rejected)


def _attributes(given: Mapping[str, AttributeValue | list[str]]) -> Attributes:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
