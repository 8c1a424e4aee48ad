"""A Google Merchant feed as RSS 2.0 or Atom, streamed.

Source: https://support.google.com/merchants/answer/14987622 (RSS 2.0 and Atom 1.0 feed specification)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from sartor.catalog.formats import Row, merged
from sartor.errors import UnreadableTable
from sartor.limits import MAX_FEED_DEPTH, MAX_FEED_ITEM_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from sartor.catalog.formats import Cell, TableStream

NAMESPACE = "http://base.google.com/ns/1.0"
_DETAIL = "product_detail"
_ITEMS = frozenset({"item", "entry"})
_UNKNOWN_ENCODING = (LookupError, ValueError)  # as expat raises them


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantXml:
    """A feed of ``item`` (RSS) or ``entry`` (Atom) elements whose fields have Google's namespace."""

    header_lines: None = None

    @classmethod
    def sniff(cls, head: str) -> MerchantXml | None:
        """The format if a file starts as RSS or Atom and names Google's namespace."""
        is_feed = head.lstrip().startswith("<") and ("<rss" in head or "<feed" in head)
        return cls() if is_feed and NAMESPACE in head else None

    def columns(self, table: TableStream) -> tuple[str, ...]:  # noqa: ARG002 - XML that is cut off cannot be read
        """The columns that have a role; an item may have any others."""
        return ("id", "title", "image_link", "additional_image_link")

    def rows(self, table: TableStream) -> Iterator[Row]:
        """The items; columns lose their ``g:``, and win over RSS's or Atom's own field of that name."""
        bounded = _BoundedStream(table)
        number = 0
        try:
            for item in _items(bounded):
                bounded.item_ended()
                number += 1
                yield Row(location=f"item {number}", cells=_cells(item))
        except DefusedXmlException as error:
            reason = "it declares XML entities or external files, which are refused"
            raise UnreadableTable(table.label, reason=reason) from error
        except (ParseError, *_UNKNOWN_ENCODING) as error:
            reason = f"its XML breaks off after {number} items ({error})"
            raise UnreadableTable(table.label, reason=reason) from error


class _BoundedStream:
    """A stream that refuses an item too large for memory; whatever precedes an item counts as part of it."""

    def __init__(self, table: TableStream) -> None:
        self._stream: IO[bytes] = table.stream
        self._label = table.label
        self._pending_bytes = 0

    def read(self, size: int) -> bytes:
        chunk = self._stream.read(size)
        self._pending_bytes += len(chunk)
        if self._pending_bytes > MAX_FEED_ITEM_BYTES:
            raise UnreadableTable(self._label, reason=f"an item is larger than {MAX_FEED_ITEM_BYTES // 2**20} MiB")
        return chunk

    def item_ended(self) -> None:
        self._pending_bytes = 0


def _items(stream: _BoundedStream) -> Iterator[Element]:
    """Each item once it is complete; what was read before it is let go."""
    path: list[Element] = []
    items_open = 0
    for event, element in iterparse(stream, events=("start", "end")):
        is_item = _name(element) in _ITEMS
        if event == "start":
            path.append(element)
            if len(path) > MAX_FEED_DEPTH:
                msg = f"elements are nested more than {MAX_FEED_DEPTH} deep"
                raise ParseError(msg)
            items_open += is_item
            continue
        path.pop()
        items_open -= is_item
        if items_open == 0:
            if is_item:
                yield element
            if path:
                path[-1].clear()


def _cells(item: Element) -> dict[str, Cell]:
    own = merged(pair for field in item if not _is_google(field) for pair in _pairs(field))
    return own | merged(pair for field in item if _is_google(field) for pair in _pairs(field))


def _pairs(field: Element) -> Iterator[tuple[str, Cell]]:
    """A field as column and text; a group such as ``g:shipping`` as columns with a dot.

    A product detail is a column of its own name.

    Source: https://support.google.com/merchants/answer/9218260
    """
    if _name(field) == _DETAIL:
        parts = {_name(part): "".join(part.itertext()).strip() for part in field}
        if parts.get("attribute_name"):
            yield parts["attribute_name"], parts.get("attribute_value", "")
            return
    if len(field) == 0:
        yield _name(field), (field.text or field.get("href") or "").strip()  # Atom has links in href
    for part in field:
        yield f"{_name(field)}.{_name(part)}", "".join(part.itertext()).strip()


def _is_google(field: Element) -> bool:
    return field.tag.startswith(f"{{{NAMESPACE}}}")


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]
