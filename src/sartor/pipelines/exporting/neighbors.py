"""Embeddings as the index of another library: its file, and ``ids.json``, which says what each item is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sartor.pipelines.exporting.stock import Stock
    from sartor.types import Matrix

IDS = "ids.json"
ANNOY, FAISS, SHARD = "embeddings.ann", "embeddings.faiss", "shard"


def write_annoy(directory: Path, stock: Stock) -> tuple[str, ...]:
    """Write an Annoy index by angle, which ranks as the cosine does; return what is lost."""
    from sartor.index.annoy_file import write_annoy_index

    _write(directory, stock, lambda vectors: write_annoy_index(directory / ANNOY, vectors, stock.dimension))
    return (
        "Annoy: exact neighbors, it approximates; its distance is sqrt(2 - 2 cosine)",
        "titles and attributes: ids.json has the id and the photo of each item",
        *stock.left_out,
    )


def write_faiss(directory: Path, stock: Stock) -> tuple[str, ...]:
    """Write a FAISS index by inner product, which is the cosine of unit vectors; return what is lost."""
    from sartor.index.faiss_file import write_faiss_index

    _write(directory, stock, lambda vectors: write_faiss_index(directory / FAISS, vectors, stock.dimension))
    return ("titles and attributes: ids.json has the id and the photo of each row", *stock.left_out)


def write_edge(directory: Path, stock: Stock) -> tuple[str, ...]:
    """Write a shard that Qdrant Edge opens, with all that the catalog tells as payload; return what is lost."""
    from sartor.index.edge_file import EdgePoint, write_edge_shard

    def points() -> Iterator[list[EdgePoint]]:
        for page in stock.embedded():
            rows = zip(page.products, page.photos, page.vectors, strict=True)
            yield [EdgePoint(product=product, photo=photo, vector=vector) for product, photo, vector in rows]

    write_edge_shard(directory / SHARD, points(), stock.dimension)
    return (
        "Qdrant: a server does not restore a shard of Qdrant Edge; scroll it, and upsert its points there",
        "photos: only their names and SHA-256",
        *stock.left_out,
    )


def _write(directory: Path, stock: Stock, write: Callable[[Iterator[Matrix]], None]) -> None:
    ids: list[str] = []
    photos: list[str] = []

    def vectors() -> Iterator[Matrix]:
        for page in stock.embedded():
            ids.extend(product.id for product in page.products)
            photos.extend(photo.name for photo in page.photos)
            yield page.vectors

    write(vectors())
    with (directory / IDS).open("w", encoding="utf-8") as file:
        json.dump({"ids": ids, "photos": photos}, file, ensure_ascii=False)
