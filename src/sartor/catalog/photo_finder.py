"""The photos of a row: what its cells or its id name, as photos that can be read."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NoReturn

from sartor.catalog.findings import Case, Findings
from sartor.catalog.image_cells import base_name, is_url, references
from sartor.catalog.photo_index import PhotoIndex, stem
from sartor.catalog.table_format import texts
from sartor.errors import PhotoRejected
from sartor.types import SourcePhoto

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sartor.catalog.columns import Roles
    from sartor.catalog.table_format import Row

_MAX_NAME_CHARS = 2_000  # more than any server takes; a data: URL holds the image itself


class PhotoFinder:
    """Finds photos for the rows of one table, and counts what it does not find."""

    def __init__(self, index: PhotoIndex, *, folder: str, findings: Findings) -> None:
        self._index = index
        self._folder = folder
        self._findings = findings

    def photos_of(self, row: Row, roles: Roles) -> tuple[SourcePhoto, ...]:
        """The photos of a row, the main one first, none twice."""
        if roles.images:
            named = (self._photo(reference, row) for reference in self._references(row, roles))
            return tuple({photo.name: photo for photo in named if photo}.values())
        names = self._index.of_product(id_of(row, roles), folder=self._folder)
        return tuple(self._index.photo(name) for name in names)

    def has_local_photo(self, row: Row, roles: Roles) -> bool:
        """Whether a row names a photo that is there."""
        return any(not is_url(photo.name) for photo in self.photos_of(row, roles))

    def image_stem(self, row: Row, roles: Roles) -> str:
        """The stem of the first image that a row names, found or not; empty when it names none."""
        return next((stem(base_name(reference)) for reference in self._references(row, roles)), "")

    def _references(self, row: Row, roles: Roles) -> Iterator[str]:
        for column in roles.images:
            yield from references(row.cells.get(column), is_file=self._is_file)

    def _is_file(self, reference: str) -> bool:
        return bool(self._index.matches(reference, folder=self._folder))

    def _photo(self, reference: str, row: Row) -> SourcePhoto | None:
        if is_url(reference):
            name = reference[:_MAX_NAME_CHARS]
            self._findings.add(Case.IMAGE_URLS, f"{row.place}: {name}")
            return SourcePhoto(name=name, read=partial(_refuse_url, name))
        names = self._index.matches(reference, folder=self._folder)
        if len(names) == 1:
            return self._index.photo(names[0])
        case = Case.IMAGES_AMBIGUOUS if names else Case.IMAGES_NOT_FOUND
        self._findings.add(case, f"{row.place}: {reference[:_MAX_NAME_CHARS]}")
        return None


def id_of(row: Row, roles: Roles) -> str:
    """The id that a row gives, empty when it gives none."""
    return " ".join(texts(row.cells.get(roles.id))) if roles.id is not None else ""


def _refuse_url(name: str) -> NoReturn:
    raise PhotoRejected(name, reason="is a URL, not a file")
