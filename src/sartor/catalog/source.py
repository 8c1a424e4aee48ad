"""The contract of a source of products, and the findings that its readers count."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sartor.types import SourceProduct


MAX_EXAMPLES = 5


class Case(StrEnum):
    """What the readers count, in the words of the report."""

    EXTRA_COMMAS = "rows with unquoted commas"
    EXTRA_CELLS = "rows with more cells than columns"
    STRAY_QUOTES = "rows with a stray quote"
    BAD_JSON = "lines that are not a JSON object, skipped"
    NOT_UTF8 = "lines that are not UTF-8, read as Windows-1252"
    DUPLICATE_IDS = "duplicate ids"
    NAMED_AFTER_PHOTO = "rows without an id, named after their photo"
    NO_ID = "rows without an id, skipped"
    SHORTENED_IDS = (
        "ids that a spreadsheet has shortened, so that several may have become one: export them as text"
    )
    LOST_ZEROS = "ids without a photo, though a photo has the same with zeros in front: export ids as text"
    CLEANED_TEXTS = "texts with HTML or unseen characters, cleaned"
    NO_PHOTO = "rows without a photo"
    IMAGES_NOT_FOUND = "images that a row names, not found"
    IMAGES_AMBIGUOUS = "images that a row names, found more than once"
    IMAGE_URLS = "images that are URLs"
    NO_ROW = "photos without a row"
    SPARE_PHOTOS = "further photos of the same product, not used"
    SAME_STEM = "photos that differ only by suffix"
    MISSING_CELLS = "missing cells"
    EMPTY_COLUMNS = "empty columns"
    UNKNOWN_COLUMNS = "unknown columns"
    DRAFTS = "products that are not published, left out"
    OTHER_KINDS = "rows that are no products, such as files and videos, left out"
    NO_PARENT = "variants whose product is not in the file, taken as products"
    SHARED_GALLERY = "products whose colors share all photos"
    ODD_PRICES = "prices that are no amount, kept as text"
    ODD_AVAILABILITY = "availabilities that are not known, kept as text"
    MIXED_CURRENCIES = "currencies of prices, more than one"
    NOT_ON_SALE = "sale prices outside of their dates, kept as scheduled_sale_price"
    OTHER_TABLES = "other tables, not read"
    CLOSED_FOLDERS = "folders that could not be read"
    LINKED_FOLDERS = "links to folders, not followed"
    TAKEN_OVER = "products that another source had, now this one's"
    SAME_ENTRY = "archive entries with the same name"
    ODD_NAMES = "objects whose names cannot be those of files, not fetched"
    SPARE_ARRAYS = "arrays or columns of the file, not read"
    TABLES_UNREADABLE = "tables beside the vectors that cannot be read"
    NAMES_AMBIGUOUS = "names that several photos have, none was taken"
    NAMES_NOT_FOUND = "names that no photo has"
    OTHER_READERS = "other readers that know the source as theirs, not used"
    BROKEN_READERS = "readers of other packages that cannot be used"
    OTHER_PHOTOS = "products that show other photos than before"


# Cases by which something that a row says is left out, or not understood.
ROW_CASES = frozenset(
    {
        Case.EXTRA_COMMAS,
        Case.EXTRA_CELLS,
        Case.BAD_JSON,
        Case.DUPLICATE_IDS,
        Case.NO_ID,
        Case.NO_PHOTO,
        Case.IMAGES_NOT_FOUND,
        Case.IMAGES_AMBIGUOUS,
        Case.DRAFTS,
        Case.OTHER_KINDS,
        Case.NO_PARENT,
        Case.ODD_PRICES,
        Case.ODD_AVAILABILITY,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A case that a reader met ``count`` times, in words for a person, with the first few locations."""

    case: str
    count: int
    examples: tuple[str, ...] = ()


class RowCase(NamedTuple):
    """A case that a row met, as an example tells it, and where the row is if the example does not tell."""

    case: str
    example: str
    location: str = ""


class Findings:
    """Counts of the cases that a reader meets; filled while a source is opened and iterated.

    Attributes:
        rows: Cases of rows, in order, at most as many as are to be kept.
        rows_left_out: How many more there were.
    """

    def __init__(self, *, kept_rows: int = 0) -> None:
        """By default only the first few locations of each case are kept, as examples."""
        self._kept_rows = kept_rows
        self.rows: list[RowCase] = []
        self.rows_left_out = 0
        self._counts: Counter[str] = Counter()
        self._examples: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, case: str, example: str, *, count: int = 1, location: str = "") -> None:
        """Count a case, and keep the first few examples; ``location`` is that of a row if the example has none."""
        self._counts[str(case)] += count
        examples = self._examples[case]
        if len(examples) < MAX_EXAMPLES:
            examples.append(example)
        if self._kept_rows and case in ROW_CASES:
            if len(self.rows) < self._kept_rows:
                self.rows.append(RowCase(str(case), example, location))
            else:
                self.rows_left_out += 1

    def snapshot(self) -> tuple[Finding, ...]:
        """The findings so far, in the order in which they were first met."""
        return tuple(
            Finding(case=case, count=count, examples=tuple(self._examples[case]))
            for case, count in self._counts.items()
        )

    def restore(self, findings: Iterable[Finding]) -> None:
        """Go back to an earlier snapshot, so that a second iteration does not count twice."""
        self._counts.clear()
        self._examples.clear()
        self.rows.clear()
        self.rows_left_out = 0
        for finding in findings:
            self._counts[finding.case] = finding.count
            self._examples[finding.case] = list(finding.examples)


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
        """The recognized kind: ``folder``, ``photo``, ``table``, or the name of a platform such as ``Shopify``."""
        ...

    @property
    def mapping(self) -> Sequence[tuple[str, str]]:
        """Each column of its table, and what it is in the catalog; empty without a table."""
        ...

    @property
    def product_count(self) -> int | None:
        """About how many products there are, for a progress bar; None if unknown before reading.

        Exact for photos. For a table it is the number of lines, so blank lines, line breaks inside a cell and
        photos without a row make it differ.
        """
        ...

    @property
    def findings(self) -> Findings:
        """Oddities; complete after an iteration."""
        ...

    def __iter__(self) -> Iterator[SourceProduct]: ...
