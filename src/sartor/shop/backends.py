"""What a workspace stands on: its store, its media, its models, and how to open the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sartor.encoders.card import ModelCard
    from sartor.encoders.encoder import Encoder
    from sartor.encoders.heads import Heads, Regions
    from sartor.encoders.registry import ModelRegistry
    from sartor.imaging import UrlPolicy
    from sartor.index.edge import EdgeIndex
    from sartor.media.folder import MediaStore
    from sartor.recommend.features import FeatureBuilder
    from sartor.store.sqlite.catalog import SqliteStore
    from sartor.store.sqlite.database import WorkspaceLock
    from sartor.store.sqlite.events import EventStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """What a shop stands on, as ``sartor.wiring`` chose it.

    Attributes:
        home: Directory of the workspace.
        lock: Held until the shop is closed.
        store: The truth.
        media: Thumbnails.
        urls: Whether photos may be fetched by URL.
        models: Models of the workspace.
        choose_model: From the workspace's default model, if it has one, to the card to use.
        open_encoder: Loads a model.
        open_index: Opens the index of what a model's embeddings are composed to.
        open_events: Opens what people did.
        has_events: Whether there is any such thing.
        heads: What a model predicts.
        regions: Splits a model's embeddings over the places of a photo.
    """

    home: Path
    lock: WorkspaceLock
    store: SqliteStore
    media: MediaStore
    urls: UrlPolicy
    models: ModelRegistry
    choose_model: Callable[[str | None], ModelCard]
    open_encoder: Callable[[ModelCard], Encoder]
    open_index: Callable[[ModelCard, FeatureBuilder], EdgeIndex]
    open_events: Callable[[], EventStore]
    has_events: Callable[[], bool]
    heads: Callable[[ModelCard], Heads]
    regions: Callable[[ModelCard], Regions]
