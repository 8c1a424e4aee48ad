"""Turns what the shop answers into the JSON of ``schemas``."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from starlette.responses import Response

from sartor.described import title_of
from sartor.events.model import PersonKind
from sartor.recommend.filters import filter_text
from sartor.service.schemas import (
    BoxOut,
    DescriptionOut,
    EventOut,
    FacetOut,
    FeedOut,
    GarmentOut,
    Guess,
    HitOut,
    LooksOut,
    MeaningOut,
    OutfitOut,
    PersonOut,
    PhotoOut,
    PieceOut,
    ProductOut,
    RecommendationOut,
    SearchOut,
    SeenOut,
    WrittenOut,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydantic import BaseModel

    from sartor.events.model import Event, PersonRecord
    from sartor.recommend.base import Feed
    from sartor.recommend.boxes import GarmentBox, GarmentHits
    from sartor.recommend.explain import QueryAttributes
    from sartor.recommend.outfit.outfit import Outfit, WornProduct
    from sartor.recommend.search import Found
    from sartor.recommend.similar import Recommendation
    from sartor.recommend.understood import Meaning
    from sartor.types import FacetValue, Hit, Photo, StoredProduct

T = TypeVar("T")

_DIGITS = 4  # of scores and probabilities


def timed(find: Callable[[], T], present: Callable[..., BaseModel], *, model: str) -> Response:
    """Find something and answer with its JSON by ``present``, with the time that it took to find."""
    start = time.perf_counter()
    result = find()
    return json_response(present(result, model=model, took_ms=1000 * (time.perf_counter() - start)))


def json_response(out: BaseModel) -> Response:
    """A response with an answer that is checked already; FastAPI would check it again, in the event loop."""
    return Response(out.model_dump_json(), media_type="application/json")


def product_out(stored: StoredProduct) -> ProductOut:
    """A product of the catalog."""
    product, title = stored.product, title_of(stored.product, stored.predicted)
    return ProductOut(
        id=product.id,
        title=title.text,
        title_predicted=title.is_predicted,
        attributes=dict(product.attributes),
        predicted=_guesses(stored.predicted),
        photos=[_photo_out(photo) for photo in stored.photos],
    )


def written_out(stored: StoredProduct, *, revision: int) -> WrittenOut:
    """A product that was written."""
    return WrittenOut(**product_out(stored).model_dump(), revision=revision)


def recommendation_out(recommendation: Recommendation, *, model: str, took_ms: float) -> RecommendationOut:
    """A recommendation, with an id of its own."""
    return RecommendationOut(
        recommendation_id=uuid4().hex,
        model=model,
        kind=recommendation.kind,
        verdict=recommendation.verdict,
        good=recommendation.good,
        seen=seen_out(recommendation.seen),
        hits=[_hit_out(hit, position) for position, hit in enumerate(recommendation, start=1)],
        facets=facets_out(recommendation.facets),
        took_ms=round(took_ms, 1),
    )


def search_out(found: Found, *, model: str, took_ms: float) -> SearchOut:
    """What words found, with an id of its own."""
    return SearchOut(
        recommendation_id=uuid4().hex,
        model=model,
        understood=[_meaning_out(meaning) for meaning in found.understood],
        given_up=[_meaning_out(meaning) for meaning in found.given_up],
        words=list(found.rest),
        read_as=dict(found.read_as),
        unknown=list(found.unknown),
        ignored=list(found.ignored),
        by_looks=found.by_looks,
        hits=[_hit_out(hit, position) for position, hit in enumerate(found, start=1)],
        facets=facets_out(found.facets),
        took_ms=round(took_ms, 1),
    )


def _meaning_out(meaning: Meaning) -> MeaningOut:
    return MeaningOut(
        words=meaning.typed, filter=filter_text(meaning.condition), read_as=meaning.corrected or None
    )


def feed_out(feed: Feed, *, model: str, took_ms: float) -> FeedOut:
    """A feed, with an id of its own."""
    return FeedOut(
        recommendation_id=uuid4().hex,
        model=model,
        based_on=feed.based_on,
        hits=[_hit_out(hit, position) for position, hit in enumerate(feed, start=1)],
        took_ms=round(took_ms, 1),
    )


def outfit_out(look: Outfit, *, model: str) -> OutfitOut:
    """An outfit, with an id of its own."""
    return OutfitOut(
        recommendation_id=uuid4().hex,
        model=model,
        given=[_piece_out(piece) for piece in look.given],
        pieces=[_piece_out(piece) for piece in look.pieces],
        alternatives={
            str(slot): [_piece_out(piece) for piece in pieces] for slot, pieces in look.alternatives.items()
        },
        empty=[str(slot) for slot in look.empty],
        score=round(look.score, _DIGITS),
        price=look.price,
    )


def person_out(record: PersonRecord) -> PersonOut:
    """All that is held about a person."""
    return PersonOut(
        kind=record.person.kind,
        id=record.person.id,
        visitors=list(record.visitors),
        events=[_event_out(event) for event in record.events],
    )


def seen_out(seen: QueryAttributes) -> SeenOut:
    """What the model sees in a query."""
    return SeenOut(attributes=_guesses(seen.predicted), colors=list(seen.colors))


def description_out(seen: QueryAttributes, boxes: Sequence[GarmentBox]) -> DescriptionOut:
    """What the model sees in a photo, and where."""
    return DescriptionOut(**seen_out(seen).model_dump(), boxes=[_box_out(box) for box in boxes])


def looks_out(garments: Sequence[GarmentHits], *, model: str, took_ms: float) -> LooksOut:
    """The garments on a photo with what is similar to each, with an id for all."""
    return LooksOut(
        recommendation_id=uuid4().hex,
        model=model,
        garments=[
            GarmentOut(
                **_box_out(each.garment).model_dump(),
                kind=each.found.kind,
                verdict=each.found.verdict,
                good=each.found.good,
                seen=seen_out(each.found.seen),
                hits=[_hit_out(hit, position) for position, hit in enumerate(each.found, start=1)],
            )
            for each in garments
        ],
        took_ms=round(took_ms, 1),
    )


def _box_out(garment: GarmentBox) -> BoxOut:
    left, top, width, height = (round(share, _DIGITS) for share in garment.box)
    return BoxOut(
        box=(left, top, min(width, 1 - left), min(height, 1 - top)),
        name=garment.name,
        probability=round(garment.probability, _DIGITS),
        slot=garment.slot,
    )


def facets_out(facets: Mapping[str, Sequence[FacetValue]]) -> dict[str, list[FacetOut]]:
    """Values of attributes, and how many products have them."""
    return {
        name: [FacetOut(value=value.value, count=value.count) for value in values]
        for name, values in facets.items()
    }


def _photo_out(photo: Photo) -> PhotoOut:
    return PhotoOut(
        sha256=photo.sha256,
        url=f"/v1/photos/{photo.sha256}",
        width_px=photo.width_px,
        height_px=photo.height_px,
    )


def _hit_out(hit: Hit, position: int) -> HitOut:
    return HitOut(
        position=position,
        product_id=hit.product_id,
        title=hit.title,
        title_predicted=hit.title_predicted,
        score=round(hit.score, _DIGITS),
        match=None if hit.match is None else round(hit.match, _DIGITS),
        likeness=hit.likeness,
        weak=hit.weak,
        style=round(hit.style, _DIGITS),
        color=round(hit.color, _DIGITS),
        attributes=dict(hit.attributes),
        predicted=_guesses(hit.predicted),
        photo=_photo_out(hit.photo),
        variants=list(hit.variants),
        reasons=list(hit.reasons),
    )


def _piece_out(piece: WornProduct) -> PieceOut:
    return PieceOut(
        slot=str(piece.slot),
        product_id=piece.product_id,
        title=piece.title,
        title_predicted=piece.title_predicted,
        price=piece.price,
        score=round(piece.score, _DIGITS),
        reasons=list(piece.reasons),
        attributes=dict(piece.attributes),
        predicted=_guesses(piece.predicted),
        photo=_photo_out(piece.photo),
    )


def _event_out(event: Event) -> EventOut:
    is_user = event.person.kind is PersonKind.USER
    return EventOut(
        event_id=event.id,
        type=event.type,
        user_id=event.person.id if is_user else None,
        visitor_id=None if is_user else event.person.id,
        product_id=event.product_id or None,
        timestamp=datetime.fromtimestamp(event.at_s, UTC).isoformat(timespec="microseconds"),
        recommendation_id=event.recommendation_id or None,
        position=event.position,
        quantity=event.quantity,
        price=event.price,
        basket_id=event.basket_id or None,
        query=event.query or None,
    )


def _guesses(predicted: Mapping[str, tuple[str, float]]) -> dict[str, Guess]:
    return {
        name: Guess(value=value, probability=round(probability, _DIGITS))
        for name, (value, probability) in predicted.items()
    }
