"""Small sources that tests make for themselves, and what reading one gives."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sartor.catalog import open_source

if TYPE_CHECKING:
    from sartor.types import SourceProduct

SHARED_DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
PHOTO = b"\xff\xd8\xff\xe0 not decoded here"

KAGGLE_HEADER = (
    "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName\n"
)
KAGGLE_ROW = "15970,Men,Apparel,Topwear,Shirts,Navy Blue,Fall,2011,Casual,Turtle Check Men Navy Blue Shirt\n"

Contents = Mapping[str, bytes | str]


@dataclass(frozen=True)
class Reading:
    """Everything that a source gave."""

    kind: str
    products: tuple[SourceProduct, ...]
    counts: Mapping[str, int]
    examples: Mapping[str, tuple[str, ...]]

    @property
    def ids(self) -> list[str]:
        return [product.product.id for product in self.products]

    @property
    def photos(self) -> dict[str, list[str]]:
        """Names of photos by product id."""
        return {item.product.id: [photo.name for photo in item.photos] for item in self.products}

    def attributes(self, product_id: str) -> dict[str, object]:
        return dict(self.by_id(product_id).product.attributes)

    def by_id(self, product_id: str) -> SourceProduct:
        return next(item for item in self.products if item.product.id == product_id)


def read(path: Path) -> Reading:
    with open_source(path) as source:
        products = tuple(source)
        findings = source.findings.snapshot()
    return Reading(
        kind=source.kind,
        products=products,
        counts={finding.case: finding.count for finding in findings},
        examples={finding.case: finding.examples for finding in findings},
    )


def write_folder(root: Path, contents: Contents) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_bytes(content))
    return root


def write_zip(path: Path, contents: Contents, *, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in contents.items():
            archive.writestr(name, _bytes(content))
    return path


def _bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content
