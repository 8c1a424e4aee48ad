"""What every reader of products offers, whatever the source holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sartor.catalog.findings import Findings
    from sartor.types import SourceProduct


class Source(Protocol):
    """An opened source of products; iterating it reads it lazily, in its own order.

    A photo's bytes are read only when its ``read`` is called, which any thread may do while the source is open.
    """

    @property
    def name(self) -> str:
        """The path as it was given, for reports."""
        ...

    @property
    def kind(self) -> str:
        """What was recognized: ``folder``, ``zip``, ``photo``, ``kaggle``, ``table`` or ``merchant feed``."""
        ...

    @property
    def product_count(self) -> int | None:
        """About how many products there are, for a progress bar; None where only reading would tell.

        Exact for photos. For a table it is the number of lines, so blank lines, line breaks inside a cell
        and photos without a row make it differ.
        """
        ...

    @property
    def findings(self) -> Findings:
        """What was noticed; complete once an iteration is done."""
        ...

    def __iter__(self) -> Iterator[SourceProduct]: ...
