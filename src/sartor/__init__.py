"""Sartor: a visual recommendation engine for fashion catalogs.

    import sartor

    with sartor.open("shop/") as shop:
        shop.index("fashion-product-images-224.zip")
        hits = shop.similar("my-photo.jpg", k=5, where={"gender": "Women"})

A program needs nothing else: ``open`` gives a ``Shop``, and the types that its methods take and return are here.
What is raised on purpose is a ``SartorError``; each kind has a name in ``sartor.errors``. A name is loaded when it
is first used, so importing loads nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sartor import footprint

if TYPE_CHECKING:
    from pathlib import Path

    from sartor import errors
    from sartor.catalog.frames.memory import FrameInput
    from sartor.catalog.plugins import SourceReader
    from sartor.choices import ExportFormat
    from sartor.encoders.card import Measured, ModelCard
    from sartor.encoders.registry import KnownModel, list_models
    from sartor.errors import SartorError
    from sartor.evaluation.pictures import CatalogMap
    from sartor.evaluation.promotion import PromotionReport
    from sartor.evaluation.replay.results import Replay
    from sartor.evaluation.results import CatalogHealth, Evaluation
    from sartor.events.model import Event, EventCounts, EventType, Person, PersonRecord, RelationType, Taken
    from sartor.imaging import Thumbnail
    from sartor.imaging.fetch import EncodedPhoto
    from sartor.ingest.events import EventImportReport, EventProgress
    from sartor.ingest.export.run import ExportReport
    from sartor.ingest.maintenance import Info, Problem
    from sartor.ingest.photos import IngestReport, Progress
    from sartor.ingest.preview import Preview, PreviewedProduct
    from sartor.ingest.put import ProductInput, PutOutcome
    from sartor.ingest.vectors import ImportReport
    from sartor.recommend.base import Basis, Feed
    from sartor.recommend.boxes import Box, GarmentBox, GarmentHits
    from sartor.recommend.duplicates import DuplicatePhoto
    from sartor.recommend.explain import Explained, QueryAttributes
    from sartor.recommend.features import FeatureWeights
    from sartor.recommend.filters import Filter
    from sartor.recommend.outfit.outfit import Outfit, WornProduct
    from sartor.recommend.outfit.rules import Slot
    from sartor.recommend.query import Part, PhotoInput
    from sartor.recommend.search import Found
    from sartor.recommend.similar import Recommendation
    from sartor.recommend.understood import Meaning
    from sartor.shop import Shop
    from sartor.shop.text_training import TrainedText
    from sartor.store.base import StoreCounts
    from sartor.training.text import TextProgress
    from sartor.types import (
        AnyOf,
        Between,
        FacetValue,
        Hit,
        Listing,
        Metric,
        Not,
        Photo,
        Product,
        Sort,
        StoredProduct,
        Where,
    )

__version__ = "0.1.0"

footprint.keep_small()

__all__ = [
    "AnyOf",
    "Basis",
    "Between",
    "Box",
    "CatalogHealth",
    "CatalogMap",
    "DuplicatePhoto",
    "EncodedPhoto",
    "Evaluation",
    "Event",
    "EventCounts",
    "EventImportReport",
    "EventProgress",
    "EventType",
    "Explained",
    "ExportFormat",
    "ExportReport",
    "FacetValue",
    "FeatureWeights",
    "Feed",
    "Filter",
    "Found",
    "FrameInput",
    "GarmentBox",
    "GarmentHits",
    "Hit",
    "ImportReport",
    "Info",
    "IngestReport",
    "KnownModel",
    "Listing",
    "Meaning",
    "Measured",
    "Metric",
    "ModelCard",
    "Not",
    "Outfit",
    "Part",
    "Person",
    "PersonRecord",
    "Photo",
    "PhotoInput",
    "Preview",
    "PreviewedProduct",
    "Problem",
    "Product",
    "ProductInput",
    "Progress",
    "PromotionReport",
    "PutOutcome",
    "QueryAttributes",
    "Recommendation",
    "RelationType",
    "Replay",
    "SartorError",
    "Shop",
    "Slot",
    "Sort",
    "SourceReader",
    "StoreCounts",
    "StoredProduct",
    "Taken",
    "TextProgress",
    "Thumbnail",
    "TrainedText",
    "Where",
    "WornProduct",
    "__version__",
    "errors",
    "list_models",
    "open",
]

_MODULES = {
    "catalog.frames.memory": "FrameInput",
    "catalog.plugins": "SourceReader",
    "choices": "ExportFormat",
    "encoders.card": "Measured ModelCard",
    "encoders.registry": "KnownModel list_models",
    "errors": "SartorError",
    "evaluation.pictures": "CatalogMap",
    "evaluation.promotion": "PromotionReport",
    "evaluation.replay.results": "Replay",
    "evaluation.results": "CatalogHealth Evaluation",
    "events.model": "Event EventCounts EventType Person PersonRecord RelationType Taken",
    "imaging": "Thumbnail",
    "imaging.fetch": "EncodedPhoto",
    "ingest.events": "EventImportReport EventProgress",
    "ingest.export.run": "ExportReport",
    "ingest.maintenance": "Info Problem",
    "ingest.photos": "IngestReport Progress",
    "ingest.preview": "Preview PreviewedProduct",
    "ingest.put": "ProductInput PutOutcome",
    "ingest.vectors": "ImportReport",
    "recommend.base": "Basis Feed",
    "recommend.boxes": "Box GarmentBox GarmentHits",
    "recommend.duplicates": "DuplicatePhoto",
    "recommend.explain": "Explained QueryAttributes",
    "recommend.features": "FeatureWeights",
    "recommend.filters": "Filter",
    "recommend.outfit.outfit": "Outfit WornProduct",
    "recommend.outfit.rules": "Slot",
    "recommend.query": "Part PhotoInput",
    "recommend.search": "Found",
    "recommend.similar": "Recommendation",
    "recommend.understood": "Meaning",
    "shop": "Shop",
    "shop.text_training": "TrainedText",
    "store.base": "StoreCounts",
    "training.text": "TextProgress",
    "types": "AnyOf Between FacetValue Hit Listing Metric Not Photo Product Sort StoredProduct Where",
}
_MODULE_OF = {name: f"sartor.{module}" for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module("sartor.errors")
    if name not in _MODULE_OF:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def open(  # noqa: A001, PLR0913 - read as sartor.open; each is a keyword
    home: str | Path = "sartor-data",
    *,
    store: str | None = None,
    index: str | None = None,
    media: str | None = None,
    catalog: str | None = None,
    model: str | None = None,
    metric: Metric | str | None = None,
    device: str | None = None,
    precision: str | None = None,
) -> Shop:
    """Open a workspace; it is made if it is missing. Other processes may have it open as well.

    What is not given is as ``sartor.toml`` in the directory says, else as the default.

    Args:
        home: Directory of the workspace; or the address of its store, such as ``mongodb://localhost/shop``, whose
            derived data is then kept in ``sartor-data``.
        store: Address of its store, if ``home`` is the directory of the derived data.
        index: Address of a vector index that all processes use; by default each has its own.
        media: Bucket of the thumbnails, such as ``s3://photos/shop``, or a directory that all hosts share.
        catalog: ``local``, which is the default, or ``shared``: the process keeps nothing of the catalog, and
            reads it from MongoDB and OpenSearch.
        model: Id of the model to embed with; by default the workspace's.
        metric: ``cosine``, which is the default, or ``euclidean``.
        device: ``auto``, ``cpu``, ``gpu``, ``npu``, ``cuda`` or ``coreml``.
        precision: ``auto``, ``f32`` or ``bf16``; ``auto`` is bf16 where it is fast (AMX).

    Raises:
        WorkspaceError: It cannot be used.
        ValueError: An option has no such value.

    Example:
        >>> with sartor.open("shop") as shop:
        ...     shop.counts().products
        4
    """
    from sartor.config import Settings, with_file
    from sartor.wiring import open_shop

    options = {
        "home": home,
        "store": store,
        "index": index,
        "media": media,
        "catalog": catalog,
        "model": model,
        "metric": metric,
        "device": device,
        "precision": precision,
    }
    given = {name: value for name, value in options.items() if value is not None}
    return open_shop(with_file(Settings.checked(**given)))
