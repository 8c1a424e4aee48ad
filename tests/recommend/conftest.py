"""Fixtures of the recommenders' tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recommend.small_catalog import SmallCatalog, small_catalog


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SmallCatalog]:
    with small_catalog(tmp_path) as opened:
        yield opened
