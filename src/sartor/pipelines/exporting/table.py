"""A table that ``sartor index`` reads again: which columns it has, and which photos its rows name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sartor.imaging import THUMBNAIL_PX
from sartor.pipelines.exporting.columns import misread, printable, shields
from sartor.pipelines.exporting.images import CopiedImages
from sartor.pipelines.exporting.stock import Tally
from sartor.pipelines.exporting.survey import survey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sartor.pipelines.exporting.stock import Stock
    from sartor.pipelines.exporting.survey import Survey
    from sartor.types import StoredProduct


@dataclass(kw_only=True)
class TableOrder:
    """What goes into a table.

    Attributes:
        stock: The products.
        survey: What they have.
        columns: Attribute to column.
        shields: Columns without a value.
        images: Copies the photos; None where the table only says how their source called them.
        dropped: Attributes that are no column.
    """

    stock: Stock
    survey: Survey
    columns: dict[str, str]
    shields: tuple[str, ...]
    images: CopiedImages | None
    dropped: tuple[str, ...]

    @property
    def most_images(self) -> int:
        """How many photos a product names, at most; a table without a column of images is no source."""
        return max(1, self.survey.most_photos)

    @property
    def lost(self) -> tuple[str, ...]:
        """What no table holds, or this one does not."""
        return (*self._lost_attributes(), *self._lost_photos(), "embeddings: `sartor index` makes them again")

    def products(self) -> Iterator[tuple[StoredProduct, list[str]]]:
        """Each product with the photos that its row names."""
        self.stock.tally = Tally()
        for page in self.stock.pages():
            for stored in page:
                names = [photo.name for photo in stored.photos] if self.images is None else self.images.of(stored)
                self.stock.tally.photos += len(names)
                yield stored, names
            self.stock.tally.products += len(page)

    def _lost_attributes(self) -> Iterator[str]:
        if self.dropped:
            yield f"attributes that `sartor index` would read as something else: {', '.join(self.dropped)}"
        moved = [f"{name!r} is {column!r}" for name, column in self.columns.items() if name != column]
        if moved:
            yield f"names of attributes that a header cannot hold: {', '.join(moved)}"

    def _lost_photos(self) -> Iterator[str]:
        if self.images is None:
            yield "photos: only what their source calls them; --images puts thumbnails beside the table"
            return
        yield f"photos: thumbnails of at most {THUMBNAIL_PX} px, so SHA-256 and embeddings may differ"
        if self.images.missing:
            yield f"photos whose thumbnail is not kept: {self.images.missing:,}"


def table_order(stock: Stock, directory: Path, *, images: bool, header: bool) -> TableOrder:
    """Look at the products, and decide the columns.

    Args:
        stock: The products.
        directory: Where the table will lie.
        images: Copy the photos there.
        header: The table has its names in a header.
    """
    found = survey(stock)
    named = printable(found.attributes) if header else {name: name for name in found.attributes}
    wrong = misread(named.values())
    columns = {name: column for name, column in named.items() if column not in wrong}
    return TableOrder(
        stock=stock,
        survey=found,
        columns=columns,
        shields=shields(columns.values()),
        images=CopiedImages(stock.media, directory) if images else None,
        dropped=tuple(name for name in named if name not in columns),
    )
