"""Routes that recommend by looks: similar products, outfits, and what a model sees in a photo."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request, Response

from sartor.limits import MAX_FACETS, MAX_FILTER_CHARS, MAX_FILTERS, MAX_K, MAX_QUERY_CHARS, MAX_SLOTS
from sartor.recommend.filters import parse_where, where_of
from sartor.recommend.query import Part
from sartor.service.bodies import Body, body_schema, parse_json, read_body
from sartor.service.context import Context, Service, needs
from sartor.service.present import (
    description_out,
    json_response,
    looks_out,
    outfit_out,
    recommendation_out,
    search_out,
    timed,
)
from sartor.service.problems import BadRequest
from sartor.service.schemas import (
    DescriptionOut,
    LooksIn,
    LooksOut,
    Name,
    OutfitOut,
    PhotoIn,
    ProductPart,
    Range,
    RecommendationOut,
    SearchOut,
    SimilarQueryIn,
)
from sartor.service.security import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sartor.recommend.boxes import GarmentHits
    from sartor.recommend.filters import FilterValue
    from sartor.recommend.outfit.outfit import Outfit
    from sartor.recommend.similar import Recommendation
    from sartor.types import Where

router = APIRouter(prefix="/v1", tags=["recommendations"], dependencies=[needs(Scope.READ)])

Filters = Annotated[
    list[Annotated[str, Query(max_length=MAX_FILTER_CHARS)]],
    Query(
        alias="where", max_length=MAX_FILTERS, description='key=a,b, key!=a, key=10..50 or key="a, b"; repeatable.'
    ),
]

IncludeUnavailable = Annotated[
    bool | None, Query(description="Also what is out of stock; by default as the shop is set.")
]


@router.post(
    "/similar", openapi_extra=body_schema(SimilarQueryIn, field="query"), response_model=RecommendationOut
)
async def similar(request: Request, service: Service) -> Response:
    """Products that look most like photos, products or a color; all parts are one query."""
    body = await read_body(request, field="query", max_photos=service.settings.max_photos)
    query = parse_json(SimilarQueryIn, body.json)
    return await service.executor.run(
        lambda: timed(lambda: _similar(service, query, body), recommendation_out, model=service.shop.model.id)
    )


@router.get("/search", response_model=SearchOut)
async def search(
    service: Service,
    q: Annotated[str, Query(min_length=1, max_length=MAX_QUERY_CHARS, description="Words.")],
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 12,
    where: Filters = [],  # noqa: B006 - FastAPI copies it
    plain: Annotated[
        list[Name],
        Query(
            max_length=MAX_FILTERS,
            description="Words that are to be no filter, as understood has them; repeatable.",
        ),
    ] = [],  # noqa: B006
    facets: Annotated[list[Name], Query(max_length=MAX_FACETS)] = [],  # noqa: B006
    include_unavailable: IncludeUnavailable = None,
) -> Response:
    """Products by words: what they are called, and what their photos show; with what was understood."""
    shop, filters = service.shop, parse_where(where)
    return await service.executor.run(
        lambda: timed(
            lambda: shop.search(
                q, k=k, where=filters, plain=plain, facets=facets, include_unavailable=include_unavailable
            ),
            search_out,
            model=shop.model.id,
        )
    )


@router.post("/looks", openapi_extra=body_schema(LooksIn, field="query"), response_model=LooksOut)
async def looks(request: Request, service: Service) -> Response:
    """The garments of a dressed person on one photo, each with the products that look most like it."""
    body = await read_body(request, field="query", max_photos=service.settings.max_photos)
    query = parse_json(LooksIn, body.json)
    (part,) = _photo_parts([PhotoIn(url=query.url)], body, exactly=1)
    return await service.executor.run(
        lambda: timed(lambda: _looks(service, query, part), looks_out, model=service.shop.model.id)
    )


@router.get("/products/{product_id:path}/similar", response_model=RecommendationOut)
async def similar_to_product(
    product_id: str,
    service: Service,
    where: Filters = [],  # noqa: B006 - FastAPI copies it
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 12,
    diversity: Annotated[float, Query(ge=0, le=1)] = 0.0,
    facets: Annotated[list[Name], Query(max_length=MAX_FACETS)] = [],  # noqa: B006
    include_unavailable: IncludeUnavailable = None,
) -> Response:
    """Products that look most like one of the catalog."""
    shop, filters = service.shop, parse_where(where)
    return await service.executor.run(
        lambda: timed(
            lambda: shop.similar(
                product=product_id,
                k=k,
                where=filters,
                diversity=diversity,
                facets=facets,
                include_unavailable=include_unavailable,
            ),
            recommendation_out,
            model=shop.model.id,
        )
    )


@router.get("/products/{product_id:path}/outfit", response_model=OutfitOut)
async def outfit(
    product_id: str,
    service: Service,
    slots: Annotated[list[Name] | None, Query(max_length=MAX_SLOTS)] = None,
    where: Filters = [],  # noqa: B006
    max_price: Annotated[float | None, Query(ge=0, allow_inf_nan=False)] = None,
    alternatives: Annotated[int, Query(ge=0, le=MAX_SLOTS)] = 3,
    include_unavailable: IncludeUnavailable = None,
) -> Response:
    """What completes the look for a product: one product of each other slot that suits it."""
    shop, filters = service.shop, parse_where(where)

    def find() -> Outfit:
        return shop.outfit(
            product_id,
            slots=slots,
            where=filters,
            max_price=max_price,
            alternatives=alternatives,
            include_unavailable=include_unavailable,
        )

    return await service.executor.run(lambda: json_response(outfit_out(find(), model=shop.model.id)))


@router.post("/describe", openapi_extra=body_schema(PhotoIn, field="query"), response_model=DescriptionOut)
async def describe(request: Request, service: Service) -> Response:
    """What is seen in one photo: attributes with their probability, colors, and where its garments are."""
    body = await read_body(request, field="query", max_photos=service.settings.max_photos)
    (part,) = _photo_parts([parse_json(PhotoIn, body.json)], body, exactly=1)
    return await service.executor.run(lambda: json_response(_described(service, part)))


def _similar(service: Context, query: SimilarQueryIn, body: Body) -> Recommendation:
    return service.shop.similar(
        *_photo_parts(query.photos, body),
        products=[
            Part(product=p.id, weight=p.weight) if isinstance(p, ProductPart) else p for p in query.products
        ],
        like=query.like,
        dislike=query.dislike,
        exclude=query.exclude,
        color=query.color,
        where=_where(query.where),
        weights=None if query.dials is None else query.dials.model_dump(exclude_none=True),
        k=query.k,
        diversity=query.diversity,
        facets=query.facets,
        exact=query.exact,
        include_unavailable=query.include_unavailable,
    )


def _looks(service: Context, query: LooksIn, part: Part) -> tuple[GarmentHits, ...]:
    assert part.photo is not None  # noqa: S101 - it was made from one
    return service.shop.looks(
        part.photo,
        k=query.k,
        where=_where(query.where),
        weights=None if query.dials is None else query.dials.model_dump(exclude_none=True),
        limit=query.limit,
        include_unavailable=query.include_unavailable,
    )


def _described(service: Context, part: Part) -> DescriptionOut:
    """A region is described as it is; the boxes are those of all of the photo."""
    assert part.photo is not None  # noqa: S101 - it was made from one
    photo = service.shop.read(part.photo)
    seen = service.shop.describe(replace(part, photo=photo))
    return description_out(seen, service.shop.boxes(photo))


def _where(filters: Mapping[str, object]) -> Where:
    values: dict[str, FilterValue] = {
        name: (value.min, value.max) if isinstance(value, Range) else value  # type: ignore[misc]
        for name, value in filters.items()
    }
    return where_of(values)


def _photo_parts(options: list[PhotoIn], body: Body, *, exactly: int | None = None) -> list[Part]:
    """The photos of a query. Options without a URL take the uploaded photos in order; the others stand alone.

    Raises:
        BadRequest: There are more options than photos, or not ``exactly`` so many parts.
    """
    uploads = iter(body.photos)
    parts = []
    for option in options:
        photo = option.url or next(uploads, None)
        if photo is None and exactly is None:
            detail = "photos says more than there are; add a URL, or upload each as the form field photo"
            raise BadRequest(detail)
        if photo is not None:
            parts.append(Part(photo=photo, weight=option.weight, box=option.box))
    parts += [Part(photo=photo) for photo in uploads]
    if exactly is not None and len(parts) != exactly:
        raise BadRequest(f"send {exactly} photo as the form field photo, or its url; there are {len(parts)}")
    return parts
