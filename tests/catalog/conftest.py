from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.catalog.samples import Contents, write_folder, write_zip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(params=["folder", "zip"])
def make_source(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Contents], Path]:
    """Writes files as a folder and as a ZIP: whatever works for one works for the other."""
    if request.param == "folder":
        return lambda contents: write_folder(tmp_path / "shop", contents)
    return lambda contents: write_zip(tmp_path / "shop.zip", contents)
