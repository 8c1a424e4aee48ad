"""Exports that are JSON objects: one a line, or in one document, and the contract of their readers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from sartor.catalog.formats import Row, cells_of
from sartor.catalog.platforms.base import ROLE_COLUMNS
from sartor.catalog.source import Case, Findings
from sartor.errors import UnreadableTable
from sartor.limits import MAX_DOCUMENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.catalog.formats import TableStream

Objects: TypeAlias = Callable[[Findings], Iterator[tuple[str, Mapping[str, Any]]]]
"""Reads the objects of an export from its start, each with its location, each time that it is called."""

# Under which a document may have its products; the first that is a list of objects counts.
_LISTS = ("products", "items", "resources", "productInputs", "data", "results", "entries", "records", "@graph")
_SAMPLE = 20


class ObjectFormat(Protocol):
    """Gives the objects of a file."""

    def objects(self, table: TableStream) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The location of each object, and the object."""
        ...


class ObjectPlatform(Protocol):
    """Reads the JSON exports of one platform."""

    @property
    def name(self) -> str:
        """What the platform is called."""
        ...

    @property
    def meanings(self) -> Mapping[str, str]:
        """The catalog's word for each field that is understood."""
        ...

    def recognizes(self, parsed: Mapping[str, Any]) -> bool:
        """Whether an object is a product of this platform."""
        ...

    def products(self, objects: Objects, findings: Findings) -> Iterator[Row]:
        """The products of an export, in its order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectTable:
    """A file of objects that a platform's reader turns into products."""

    format: ObjectFormat
    platform: ObjectPlatform
    header_lines: None = None

    def columns(self, table: TableStream) -> tuple[str, ...]:  # noqa: ARG002 - a product may have any others
        """The columns that have a role."""
        return ROLE_COLUMNS

    def rows(self, table: TableStream) -> Iterator[Row]:
        """The products."""

        def from_the_start(findings: Findings) -> Iterator[tuple[str, Mapping[str, Any]]]:
            table.stream.seek(0)
            yield from self.format.objects(replace(table, findings=findings))

        return self.platform.products(from_the_start, table.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonDocument:
    """One JSON document: a list of objects, an object with such a list, or one product."""

    header_lines: None = None

    def columns(self, table: TableStream) -> tuple[str, ...]:
        """The columns of the first rows."""
        rows = islice(self.rows(table), _SAMPLE)
        return tuple(dict.fromkeys(column for row in rows for column in row.cells))

    def rows(self, table: TableStream) -> Iterator[Row]:
        """The objects as rows."""
        for location, parsed in self.objects(table):
            yield Row(location=location, cells=cells_of(parsed))

    def objects(self, table: TableStream) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The objects of the document.

        Raises:
            UnreadableTable: It is no JSON, it is too large to be read at once, or it has no objects.
        """
        content = table.stream.read(MAX_DOCUMENT_BYTES + 1)
        if len(content) > MAX_DOCUMENT_BYTES:
            reason = f"it is a JSON document over {MAX_DOCUMENT_BYTES // 2**20} MiB; write it as JSON Lines"
            raise UnreadableTable(table.label, reason=reason)
        try:
            document = json.loads(content)
        except (ValueError, RecursionError) as error:
            reason = f"it is JSON, but neither one object a line nor one whole document ({error})"
            raise UnreadableTable(table.label, reason=reason) from error
        for number, parsed in enumerate(objects_in(document), start=1):
            if isinstance(parsed, dict):
                yield f"product {number}", parsed
            else:
                table.findings.add(Case.BAD_JSON, f"item {number}")


def objects_in(document: Any) -> Sequence[Any]:
    """The list of products in a JSON document; the document itself if it is one product."""
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        return ()
    for name in _LISTS:
        inner = document.get(name)
        if isinstance(inner, dict):  # GraphQL's {"data": {"products": {"nodes": []}}}
            inner = objects_in(inner) if any(key in inner for key in (*_LISTS, "nodes", "edges")) else inner
        if isinstance(inner, list) and any(isinstance(item, dict) for item in inner):
            return inner
    nodes = document.get("nodes") or [edge.get("node") for edge in document.get("edges") or ()]
    return nodes if isinstance(nodes, list) and nodes else (document,)
