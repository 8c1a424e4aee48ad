from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import benchmarks.answers as benchmark
from benchmarks.answers import report_of
from benchmarks.held_out import HeldOut
from tests.training.test_match_fit import HEADS, sample


def test_the_report_compares_both_orders_for_each_kind_of_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "ATTRIBUTES", ("kind", "color"))
    photos = sample(products=160, people=60)
    found = HeldOut(
        sample=photos,
        fingerprints=(b"",) * len(photos.rows),
        training=(photos.style[:20], np.zeros(20, np.bool_)),
    )
    report = report_of(found, HEADS, pictures=tmp_path)
    figures = {name: figure.median for name, figure in report.figures.items()}

    assert figures["shops' photos: by match: similar"] >= figures["shops' photos: by score: similar"] - 0.02
    assert figures["people's photos: by match: first similar"] > 0.5
    assert 0 <= figures["the same product, 60 x 80: by match: the product first"] <= 1
    assert {target.what.partition(":")[0] for target in report.targets} == {"shops' photos", "people's photos"}
    for name in ("match-of-shops-photos.svg", "match-of-peoples-photos.svg"):
        assert (tmp_path / name).read_text().startswith("<svg")
