"""The photos of a source as one model sees them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sartor.catalog import open_source
from sartor.imaging import UrlPolicy
from sartor.ingest.embed import PhotoEmbedding, embed_source
from tests.fakes import BLUE, RED, color_encoder, folder_of

NO_URLS = UrlPolicy(enabled=False)


def test_products_without_a_usable_photo_are_left_out_and_their_photos_told(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "photos", {"a": RED, "b": BLUE})
    (folder / "broken.png").write_bytes(b"no")
    with open_source(folder) as source, color_encoder() as encoder:
        seen = embed_source(source, encoder, urls=NO_URLS)
    assert [product.id for product in seen.products] == ["a", "b"]
    assert seen.names == ("a.png", "b.png")
    assert list(seen.firsts) == [0, 1]
    assert seen.embedded == 2
    assert [rejected.photo for rejected in seen.rejected] == ["broken.png"]
    assert np.allclose(seen.vectors, [[1, 0, 0], [0, 0, 1]], atol=1e-3)


def test_what_is_known_is_not_embedded(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "photos", {"a": RED, "b": BLUE})
    vector = np.array([0, 1, 0], np.float32)

    def known(sha256s: list[str]) -> dict[str, PhotoEmbedding]:
        first = sha256s[0]
        return {first: PhotoEmbedding(sha256=first, vector=vector, palette=None, fingerprint=b"")}

    with open_source(folder) as source, color_encoder() as encoder:
        seen = embed_source(source, encoder, urls=NO_URLS, known=known)
        assert encoder.runtime.photos == 1
    assert seen.embedded == 1
    assert np.allclose(seen.vectors[0], vector)
    assert np.allclose(seen.vectors[1], [0, 0, 1], atol=1e-3)
