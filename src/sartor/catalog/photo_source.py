"""Products from nothing but photos: one each, called by the photo's path without its suffix."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from sartor.catalog.files import without_suffix
from sartor.catalog.findings import Case, Findings
from sartor.types import Product, SourcePhoto, SourceProduct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sartor.catalog.files import Files


class PhotoSource:
    """A source whose products are its photos.

    Args:
        name: The path as it was given.
        kind: ``folder``, ``zip`` or ``photo``.
        files: Where the photos lie.
        photos: Their names.
        findings: Where to count what is odd.
    """

    def __init__(self, name: str, kind: str, files: Files, *, photos: Sequence[str], findings: Findings) -> None:
        self.name = name
        self.kind = kind
        self.findings = findings
        self.product_count = len(photos)
        self._files = files
        self._photos = photos
        self._on_opening = findings.snapshot()

    def __iter__(self) -> Iterator[SourceProduct]:
        self.findings.restore(self._on_opening)
        stems = Counter(map(without_suffix, self._photos))
        names = frozenset(self._photos)
        for name in self._photos:
            product_id = without_suffix(name)
            if stems[product_id] > 1:
                self.findings.add(Case.SAME_STEM, name)
            if (
                stems[product_id] > 1 or product_id in names
            ):  # beside "a.jpg" and "a.png", "a.jpg.png" is not "a.jpg"
                product_id = name
            photo = SourcePhoto(name=name, read=partial(self._files.read, name))
            yield SourceProduct(product=Product(id=product_id), photos=(photo,))
