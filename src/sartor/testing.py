"""What authors of readers test them with: ``check_source_reader`` in a test of their package."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sartor.catalog.opening import open_with_reader
from sartor.catalog.plugins import START_BYTES, Registered
from sartor.imaging import decode

if TYPE_CHECKING:
    from sartor.catalog.plugins import SourceReader
    from sartor.types import SourceProduct

_OTHERS = {
    "empty": b"",
    "noise.bin": bytes(range(255, -1, -1)) * 8,
    "products.csv": b"id,image\na,a.jpg\n",
    "products.json": b'[{"id": "a", "image": "a.jpg"}]',
    "photo.jpg": b"\xff\xd8\xff\xe0 no picture",
}
_MAX_READ = 100  # photos


def check_source_reader(reader: SourceReader, source: str | Path) -> tuple[SourceProduct, ...]:
    r"""Check that a reader does what Sartor asks of one, by a source of its kind that has photos.

    Args:
        reader: The reader, as its entry point gives it.
        source: A small source with at least one product.

    Returns:
        The products that were read, for further assertions.

    Raises:
        AssertionError: It does not; the message says what.
        SartorError: The source cannot be read.

    Example:
        >>> import json
        >>> class Acme:
        ...     name = "Acme export"
        ...
        ...     def recognizes(self, path, start):
        ...         return start.startswith(b"ACME")
        ...
        ...     def read(self, path):
        ...         for line in path.read_text().splitlines()[1:]:
        ...             yield json.loads(line)
        >>> from pathlib import Path
        >>> _ = Path("photos/day.acme").write_text('ACME\n{"id": "red", "image": "red.png", "price": "9,99 €"}')
        >>> from sartor.testing import check_source_reader
        >>> [offered.product.attributes for offered in check_source_reader(Acme(), "photos/day.acme")]
        [{'price': '9.99 EUR'}]
    """
    path = Path(source).resolve()
    name = getattr(reader, "name", None)
    _require(isinstance(name, str) and bool(name), f"name is a text that says what it reads, not {name!r}")
    priority = getattr(reader, "priority", 0)
    _require(isinstance(priority, int), f"priority is a whole number, not {priority!r}")
    start = path.read_bytes()[:START_BYTES] if path.is_file() else b""
    _require(reader.recognizes(path, start) is True, f"recognizes returns True for {path.name}")
    _require_other_sources_are_not_its_own(reader)
    before = _digests(path)
    with TemporaryDirectory() as elsewhere, chdir(elsewhere):  # where it runs does not matter
        products = _products(reader, path)
        again = _products(reader, path)
    _require(products == again, "reading it again gives the same products")
    _require(_digests(path) == before, "reading it leaves it as it is")
    return products


def _products(reader: SourceReader, path: Path) -> tuple[SourceProduct, ...]:
    with open_with_reader(Registered(reader.name, reader, 0), path) as opened:
        products = tuple(opened)
        _require(bool(products), "it gives at least one product")
        photos = [photo for offered in products for photo in offered.photos][:_MAX_READ]
        noticed = "; ".join(f"{each.case}: {', '.join(each.examples)}" for each in opened.findings.snapshot())
        _require(bool(photos), f"a product has a photo that is there (noticed: {noticed or 'nothing'})")
        with ThreadPoolExecutor(4) as pool:  # as an ingest reads them
            for photo, content in zip(photos, pool.map(lambda photo: photo.read(), photos), strict=True):
                decode(content, name=photo.name)
    return products


def _require_other_sources_are_not_its_own(reader: SourceReader) -> None:
    with TemporaryDirectory() as directory:
        folder = Path(directory) / "photos"
        folder.mkdir()
        for name, content in _OTHERS.items():
            (folder / name).write_bytes(content)
            _require_not(reader, folder / name, content)
        _require_not(reader, folder, b"")


def _require_not(reader: SourceReader, path: Path, start: bytes) -> None:
    try:
        recognized = reader.recognizes(path, start)
    except Exception as error:
        msg = f"recognizes raises nothing, and did {type(error).__name__} for {path.name}: {error}"
        raise AssertionError(msg) from error
    _require(recognized is False, f"recognizes returns False for what is not its own, such as {path.name}")


def _digests(path: Path) -> dict[str, str]:
    files = (
        [path] if path.is_file() else [Path(folder) / name for folder, _, names in os.walk(path) for name in names]
    )
    return {str(file): sha256(file.read_bytes()).hexdigest() for file in files}


def _require(condition: bool, what: str) -> None:  # noqa: FBT001 - as assert has it
    if not condition:
        msg = f"a reader of sources: {what}"
        raise AssertionError(msg)
