"""The Kaggle products with titles, attributes and embeddings by one model, as its text tower learns from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.data import PHOTOS_224, PHOTOS_SMALL, data_file
from benchmarks.encoder_quality import read, split_of
from sartor.catalog import open_source
from sartor.config import Settings
from sartor.encoders.card import MODEL_FILE
from sartor.encoders.encoder import Encoder
from sartor.imaging import decode
from sartor.ingest.photos import batched
from sartor.shop.library import load_runtime
from sartor.training.train_text import DescribedProduct

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sartor.encoders.card import ModelCard
    from sartor.types import Matrix

_BATCH = 64


def word_data(
    folder: Path, card: ModelCard, *, data: Path, work: Path
) -> tuple[dict[str, DescribedProduct], set[str]]:
    """The products by id, by the split of the recipe, and the ids of those of the 224 set.

    Args:
        folder: The model's folder.
        card: Its card.
        data: Folder of the archives.
        work: Keeps the split's photos and the embeddings for next time.
    """
    items = split_of(data, work)
    vectors = {name: _embedded(folder, card, data_file(data, name), work) for name in (PHOTOS_224, PHOTOS_SMALL)}
    titles: dict[str, str] = {}
    for name in vectors:
        with open_source(data / name) as source:
            for offered in source:
                titles.setdefault(offered.product.id, offered.product.title)
    products = {
        id_: DescribedProduct(
            title=title,
            attributes=items[id_].attributes,
            embeddings=[own[id_] for own in vectors.values() if id_ in own],
            held_out=items[id_].held_out,
        )
        for id_, title in titles.items()
        if id_ in items
    }
    return products, set(vectors[PHOTOS_224])


def _embedded(folder: Path, card: ModelCard, archive: Path, work: Path) -> Mapping[str, Matrix]:
    file = work / f"{archive.stem}-{card.sha256[:12]}.npz"
    if not file.is_file():
        photos = read(archive)
        network = Settings(home=work)
        with Encoder(card, lambda: load_runtime(network, folder / MODEL_FILE, card)) as encoder:
            side_px = max(card.size_px)
            parts = [
                encoder.embed([decode(each, name="photo", fit_px=side_px).image for each in batch])
                for batch in batched(photos.data, _BATCH)
            ]
        np.savez(file, ids=np.array(photos.ids), vectors=np.concatenate(parts))
    with np.load(file, allow_pickle=False) as arrays:
        return dict(zip(arrays["ids"].tolist(), arrays["vectors"], strict=True))
