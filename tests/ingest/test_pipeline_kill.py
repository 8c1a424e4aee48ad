"""Killed at any moment, a workspace loses nothing that was acknowledged, and has nothing by halves."""

from __future__ import annotations

import hashlib
import time
from itertools import islice
from pathlib import Path

import numpy as np

import sartor
from sartor.shop import Shop
from tests.fakes import folder_of, photo, various_colors
from tests.ingest.indexing_child import index
from tests.ingest.killing import child

KILLS = 24
PRODUCTS = 300


def test_nothing_acknowledged_is_lost_by_kill_9(home: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    folder = folder_of(tmp_path / "photos", various_colors(PRODUCTS))
    acknowledged_at_all = 0
    for _ in range(KILLS):
        acknowledged = run_and_kill(home, folder, rng)
        acknowledged_at_all += len(acknowledged)
        with sartor.open(home) as shop:
            require_agreement(shop)
            require_all(shop, acknowledged, folder)
        change_some(folder, rng)
    assert acknowledged_at_all > PRODUCTS / 2, "the kills came too early to show anything"
    with sartor.open(home) as shop:
        report = shop.index(folder, prune=True, allow_shrink=True)
        assert report.added + report.updated + report.unchanged == len(list(folder.iterdir()))
        assert shop.check() == ()
        assert shop.index(folder, prune=True, allow_shrink=True).embedded == 0


def run_and_kill(home: Path, folder: Path, rng: np.random.Generator) -> set[str]:
    """Index in a child and kill it at a random moment; returns what it had acknowledged by then.

    The moment is a while after some number of products, not a time alone: so a busy machine shows as much.
    """
    products, after_s = int(rng.integers(0, PRODUCTS // 2)), float(rng.uniform(0, 0.2))
    with child(index, home, folder) as indexing:
        assert indexing.stdout.readline() == "ready\n"
        lines = list(islice(indexing.stdout, products))
        time.sleep(after_s)
        indexing.kill()
        lines += indexing.stdout.readlines()
    return {line.removesuffix("\n") for line in lines if line.endswith("\n")}


def require_agreement(shop: Shop) -> None:
    assert [problem for problem in shop.check() if not problem.harmless] == []


def require_all(shop: Shop, acknowledged: set[str], folder: Path) -> None:
    for product_id in acknowledged:
        (stored_photo,) = shop.product(product_id).photos
        source = (folder / f"{product_id}.png").read_bytes()
        assert stored_photo.sha256 == hashlib.sha256(source).hexdigest()
        assert shop.thumbnail(stored_photo).read_bytes() == source


def change_some(folder: Path, rng: np.random.Generator) -> None:
    """Repaint, remove and add some photos, so that the next run has work of every kind."""
    files = sorted(folder.iterdir())
    for file in rng.choice(files, PRODUCTS // 3, replace=False):
        file.write_bytes(photo(tuple(int(part) for part in rng.integers(10, 256, 3))))
    for file in rng.choice(files, 12, replace=False):
        file.rename(folder / f"{file.stem}x.png")
    for file in rng.choice(sorted(folder.iterdir()), 5, replace=False):
        file.unlink()
