"""Index a source, and lay a few of its products beside the ones most similar to them on one sheet.

python examples/demo.py photos/
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import sartor
from sartor.errors import SartorError
from sartor.evaluation.sheets import SheetRow, Tile, write_sheet

if TYPE_CHECKING:
    from sartor.shop import Shop

QUERIES = 8


def main() -> None:
    """Run the demo; the sheet is ``demo.html``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="a folder of images, a ZIP, a table or a feed")
    parser.add_argument("--home", default="sartor-data", help="directory of the workspace")
    arguments = parser.parse_args()
    try:
        with sartor.open(arguments.home) as shop:
            report = shop.index(arguments.source)
            print(f"{report.products} products indexed at {report.photos_per_second:.0f} photos/s")
            sheet = Path("demo.html")
            write_sheet(sheet, [row_of(shop, product_id) for product_id in spread(shop.product_ids())])
            print(f"open {sheet.resolve()}")
    except SartorError as error:
        sys.exit(f"sartor: {error}")


def spread(product_ids: list[str]) -> list[str]:
    """A few ids from all over the catalog."""
    return product_ids[:: max(1, len(product_ids) // QUERIES)][:QUERIES]


def row_of(shop: Shop, product_id: str) -> SheetRow:
    """A product beside its most similar ones."""
    stored = shop.product(product_id)
    caption = (product_id, stored.product.title)
    query = [Tile.of_photo(shop.thumbnail(photo).read_bytes(), caption=caption) for photo in stored.photos]
    hits = [
        Tile.of_photo(
            shop.thumbnail(hit.photo).read_bytes(), caption=(f"{hit.score:.3f}", hit.product_id, hit.title)
        )
        for hit in shop.similar(product=product_id)
    ]
    return SheetRow(query=tuple(query), hits=tuple(hits))


if __name__ == "__main__":
    main()
