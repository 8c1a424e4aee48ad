"""Routes of the catalog: products and their photos, read and written."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from sartor.ingest.put import ProductInput, PutOutcome
from sartor.limits import CATALOG_PAGE, MAX_FACETS, MAX_K, MAX_PRODUCT_ID_BYTES, MAX_QUERY_CHARS, THUMBNAIL_PX
from sartor.recommend.filters import parse_where
from sartor.service.bodies import body_schema, from_base64, parse_json, read_body
from sartor.service.context import Service, needs
from sartor.service.present import facets_out, json_response, product_out, written_out
from sartor.service.problems import BadRequest, NotFound, Problem
from sartor.service.routes.recommend import Filters
from sartor.service.schemas import (
    REVISION,
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
    WrittenOut,
)
from sartor.service.security import Scope
from sartor.types import Product, Sort

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.shop import Shop

reading = APIRouter(prefix="/v1", tags=["catalog"], dependencies=[needs(Scope.READ)])
writing = APIRouter(prefix="/v1", tags=["catalog"], dependencies=[needs(Scope.WRITE)])

_FOREVER = "public, max-age=31536000, immutable"
Sha256 = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


@reading.get("/catalog")
async def catalog(service: Service) -> CatalogOut:
    """What the catalog holds: counts, the model, the attributes, and the facets that make good filters."""
    shop = service.shop

    def look() -> CatalogOut:
        counts = shop.counts()
        return CatalogOut(
            products=counts.products,
            photos=counts.photos,
            model=shop.model.id,
            dimension=shop.model.dimension,
            attributes=list(shop.attribute_names()),
            predicted=list(shop.catalog.predicted_names()),
            facets=facets_out(shop.facets()),
        )

    return await service.executor.run(look)


@reading.get("/products", response_model=ListingOut)
async def products(
    service: Service,
    where: Filters = [],  # noqa: B006 - FastAPI copies it
    q: Annotated[str, Query(max_length=MAX_QUERY_CHARS, description="Words of titles and attributes.")] = "",
    sort: Sort = Sort.RELEVANCE,
    limit: Annotated[int, Query(ge=1, le=MAX_K)] = CATALOG_PAGE,
    after: Annotated[str | None, Query(max_length=2000, description="next of the page before.")] = None,
    facets: Annotated[list[Name], Query(max_length=MAX_FACETS)] = [],  # noqa: B006
) -> Response:
    """Products page by page, by filters and words."""
    shop, filters = service.shop, parse_where(where)

    def look() -> ListingOut:
        page = shop.listing(where=filters, words=q, sort=sort, limit=limit, after=after)
        return ListingOut(
            products=[product_out(stored) for stored in page.products],
            total=page.total,
            next=page.next,
            is_close=page.is_close,
            facets=facets_out(shop.facets(facets, where=filters, words=q) if facets else {}),
        )

    return await service.executor.run(lambda: json_response(look()))


@reading.get("/photos/{sha256}", response_class=Response)
async def photo(
    sha256: Sha256,
    request: Request,
    service: Service,
    size: Annotated[
        int, Query(ge=32, le=THUMBNAIL_PX, description="Most pixels of width and height.")
    ] = THUMBNAIL_PX,
) -> Response:
    """A photo of the catalog, by the SHA-256 of its bytes; what is under an address never changes."""
    etag = f'"{sha256[:32]}-{size}"'
    headers = {"ETag": etag, "Cache-Control": _FOREVER, "Cross-Origin-Resource-Policy": "cross-origin"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    picture = await service.executor.run(lambda: service.shop.picture(sha256, max_px=size))
    if picture is None:
        raise NotFound(f"there is no photo {sha256[:12]}…")
    return Response(picture.data, media_type=picture.media_type, headers=headers)


@writing.post("/products/batch")
async def batch(items: BatchIn, response: Response, service: Service) -> BatchOut:
    """Write or delete several products; each succeeds or fails alone, in the order given."""
    outcome = await service.executor.run(lambda: _write_all(service.shop, items.products))
    response.headers[REVISION] = str(outcome.revision)
    return outcome


@reading.get("/products/{product_id:path}")
async def product(product_id: str, service: Service) -> ProductOut:
    """One product."""
    return product_out(await service.executor.run(lambda: service.shop.product(product_id)))


@writing.put(
    "/products/{product_id:path}",
    openapi_extra=body_schema(ProductIn, field="product"),
    responses={201: {"description": "The product is new", "model": WrittenOut}},
)
async def put(product_id: str, request: Request, response: Response, service: Service) -> WrittenOut:
    """Write a product, whole; its answer comes when it is on disk and can be found.

    Without any photo it keeps those that it has. Doing it again changes nothing.
    """
    if not 0 < len(product_id.encode()) <= MAX_PRODUCT_ID_BYTES or not product_id.isprintable():
        raise BadRequest(f"an id has 1 to {MAX_PRODUCT_ID_BYTES} bytes and no control characters")
    body = await read_body(request, field="product", max_photos=service.settings.max_photos, needs_field=True)
    content = parse_json(ProductIn, body.json)
    item = _product_input(product_id, content, photos=body.photos)
    (outcome,) = await service.executor.run(lambda: service.shop.put(item))
    if outcome.stored is None:
        rejected = [{"photo": photo.photo, "reason": photo.reason} for photo in outcome.rejected]
        first = outcome.rejected[0]
        raise Problem(422, "photo-rejected", f"{first.photo} cannot be used: {first.reason}", rejected=rejected)
    response.status_code = 201 if outcome.created else 200
    response.headers[REVISION] = str(outcome.revision)
    return written_out(outcome.stored, revision=outcome.revision)


@writing.delete("/products/{product_id:path}", status_code=204)
async def delete(product_id: str, response: Response, service: Service) -> None:
    """Delete a product; its answer comes when it is gone from disk and from every search."""
    revision = await service.executor.run(lambda: service.shop.delete(product_id))
    if revision is None:
        raise NotFound(f"product {product_id!r} is not in the catalog")
    response.headers[REVISION] = str(revision)


def _write_all(shop: Shop, items: Sequence[BatchItem]) -> BatchOut:
    """Write and delete products; each run of products to write between two deletions is one transaction."""
    results: list[BatchResult] = []
    revisions = [0]
    for deletes, run in groupby(items, key=lambda item: item.delete):
        if deletes:
            deleted = [(item.id, shop.delete(item.id)) for item in run]
            results += [
                BatchResult(id=id_, status="not_found" if revision is None else "deleted")
                for id_, revision in deleted
            ]
            revisions += [revision for _, revision in deleted if revision is not None]
        else:
            inputs = [_decoded(item) for item in run]
            outcomes = shop.put(*(item for item in inputs if isinstance(item, ProductInput)))
            rest = iter(outcomes)
            written = [item if isinstance(item, BatchResult) else _result(next(rest)) for item in inputs]
            last = {result.id: index for index, result in enumerate(written) if result.status != "rejected"}
            results += [
                result.model_copy(update={"status": "superseded"})
                if result.status != "rejected" and last[result.id] != index
                else result
                for index, result in enumerate(written)
            ]
            revisions += [outcome.revision for outcome in outcomes]
    return BatchOut(results=results, revision=max(revisions))


def _decoded(item: BatchItem) -> ProductInput | BatchResult:
    """A product to write, or its rejection if a photo is no Base64."""
    try:
        photos = [from_base64(text, name=f"photo {number}") for number, text in enumerate(item.photos, start=1)]
    except BadRequest as error:
        return _rejection(item.id, [RejectionOut(photo=f"a photo of {item.id}", reason=error.detail)])
    return _product_input(item.id, item, photos=photos)


def _product_input(product_id: str, content: ProductIn | BatchItem, *, photos: Sequence[bytes]) -> ProductInput:
    attributes = {
        name: tuple(value) if isinstance(value, list) else value for name, value in content.attributes.items()
    }
    return ProductInput(
        product=Product(id=product_id, title=content.title, attributes=attributes),
        photos=[*photos, *content.photo_urls] or None,
    )


def _result(outcome: PutOutcome) -> BatchResult:
    if outcome.stored is None:
        rejected = [RejectionOut(photo=photo.photo, reason=photo.reason) for photo in outcome.rejected]
        return _rejection(outcome.product_id, rejected)
    return BatchResult(id=outcome.product_id, status="created" if outcome.created else "updated")


def _rejection(product_id: str, rejected: list[RejectionOut]) -> BatchResult:
    return BatchResult(id=product_id, status="rejected", rejected=rejected)
