from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.cli.conftest import Sartor


def test_embeddings_are_written_with_ids_in_the_order_of_the_source(
    sartor: Sartor, photos: Path, tmp_path: Path
) -> None:
    (photos / "broken.png").write_bytes(b"no")
    output = tmp_path / "vectors.npz"
    outcome = sartor("embed", photos, "--output", output)
    assert outcome.code == 0
    assert "4 embeddings of 3 by color" in outcome.out
    assert "broken.png" in outcome.out
    with np.load(output) as written:
        assert list(written["ids"]) == ["blue", "green", "pink", "red"]
        assert list(written["photos"]) == ["blue.png", "green.png", "pink.png", "red.png"]
        assert written["embeddings"].dtype == np.float32
        assert np.allclose(np.linalg.norm(written["embeddings"], axis=1), 1)
        assert np.allclose(written["embeddings"][0], [0, 0, 1], atol=1e-3)


def test_json_tells_the_shape(sartor: Sartor, photos: Path, tmp_path: Path) -> None:
    told = sartor("embed", photos, "-o", tmp_path / "v.npz", "--limit", 3, "--json").json()
    assert told == {"model": "color", "output": str(tmp_path / "v.npz"), "shape": [3, 3], "rejected": []}


def test_another_suffix_is_wrong_usage(sartor: Sartor, photos: Path) -> None:
    outcome = sartor("embed", photos, "--output", "v.csv")
    assert outcome.code == 2
    assert "the output is an .npz file, not v.csv" in outcome.err


def test_the_catalog_is_not_touched(sartor: Sartor, photos: Path, tmp_path: Path) -> None:
    sartor("embed", photos, "--output", tmp_path / "v.npz")
    assert sartor("info", "--json").json()["counts"]["products"] == 0
