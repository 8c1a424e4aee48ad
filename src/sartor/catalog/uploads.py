"""A file that somebody sent as a source: read like a file of this host, but it may name no other file of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sartor.catalog.files import FolderFiles, Origin
from sartor.catalog.source import Findings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sartor.catalog.source import Source
    from sartor.types import SourceProduct


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that was sent, as a source.

    Attributes:
        path: Where it is meanwhile, alone in a directory.
        name: What its sender calls it. Another upload of this name is the same source, later.
        findings: What its reader notices, with the rows that it is about.
        on_product: Called with each product that is read. What it raises ends the reading.
    """

    path: Path
    name: str
    findings: Findings = field(default_factory=Findings)
    on_product: Callable[[SourceProduct], None] = lambda _: None

    @property
    def id(self) -> str:
        """The name under which the store remembers it; no path is spelled so."""
        return f"upload:{self.name}"

    @property
    def origin(self) -> Origin:
        """What keeps its table from naming files outside of its directory."""
        return Origin(self.name, (_elsewhere, (self.path.parent, self.name)))


class Watched:
    """A source that calls a function with each product."""

    def __init__(self, source: Source, on_product: Callable[[SourceProduct], None]) -> None:
        self._source, self._on_product = source, on_product

    @property
    def name(self) -> str:
        """As the source has it."""
        return self._source.name

    @property
    def kind(self) -> str:
        """As the source has it."""
        return self._source.kind

    @property
    def mapping(self) -> Sequence[tuple[str, str]]:
        """As the source has it."""
        return self._source.mapping

    @property
    def product_count(self) -> int | None:
        """As the source has it."""
        return self._source.product_count

    @property
    def findings(self) -> Findings:
        """As the source has them."""
        return self._source.findings

    def __iter__(self) -> Iterator[SourceProduct]:
        for product in self._source:
            self._on_product(product)
            yield product


def _elsewhere(directory: Path, name: str) -> FolderFiles:
    """The files in a process on another host that sees the directory."""
    return FolderFiles(directory, Findings(), origin=Origin(name, (_elsewhere, (directory, name))))
