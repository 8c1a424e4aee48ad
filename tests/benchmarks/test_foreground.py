from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import typer
from PIL import Image

import sartor
from benchmarks.data import PEOPLES_PHOTOS, peoples_photos
from benchmarks.foreground import foreground
from sartor.encoders import registry

PHOTOS = 4


@pytest.fixture(autouse=True)
def with_sartor_v1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "DIRECTORY", Path(sartor.__file__).parent / "bundled")


def test_masks_colors_and_times_are_measured_on_the_photos_that_are_asked_for(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with ZipFile(tmp_path / PEOPLES_PHOTOS, "w") as archive:
        for label in peoples_photos()[:PHOTOS]:
            stream = BytesIO()
            image = Image.fromarray(rng.integers(90, 140, (133, 100, 3), np.uint8))
            image.paste((30, 60, 200), (25, 20, 80, 120))
            image.save(stream, "JPEG")
            archive.writestr(f"images/{label.id}.jpg", stream.getvalue())
    report = foreground(data=tmp_path, photos=PHOTOS, sheet=tmp_path / "sheet.html")

    assert report.figures["the mask alone"].n == PHOTOS
    assert report.figures["the mask alone"].unit == "ms"
    assert 0 <= report.ratios["main color right, by the mask"] <= 1
    assert report.targets[0].what.startswith("main colors that are right")


def test_without_the_photos_it_says_where_they_are_looked_for(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match=PEOPLES_PHOTOS):
        foreground(data=tmp_path)
