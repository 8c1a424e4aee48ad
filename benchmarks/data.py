"""The data that is measured on, read in place from ``../shared/data``, and pieces of it unpacked for a run."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated
from zipfile import ZipFile

import typer

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
PHOTOS_224 = "fashion-product-images-224.zip"
PHOTOS_SMALL = "fashion-product-images-small.zip"
PEOPLES_PHOTOS = "clothing-dataset-photos.zip"
MOBILENET_V2_FILE = "mobilenet_v2_imagenet.onnx"

Data = Annotated[
    Path, typer.Option("--data", metavar="DIR", help="Folder of the data.", show_default="../shared/data")
]


def data_file(data: Path, name: str) -> Path:
    """A file of the data.

    Raises:
        typer.BadParameter: It is not there.
    """
    file = data / name
    if not file.is_file():
        message = f"there is no {name} in {data}; say where the data is with --data DIR"
        raise typer.BadParameter(message)
    return file


def unpack(archive: Path, directory: Path, *, start: int, count: int) -> list[Path]:
    """Unpack some products of a Kaggle archive, as a folder with ``styles.csv`` and ``images/``.

    Args:
        archive: The ZIP.
        directory: Folder to make.
        start: Position of the first product in ``styles.csv``.
        count: How many products.

    Returns:
        The photos, in the order of ``styles.csv``.

    Raises:
        typer.BadParameter: The archive has fewer products.
    """
    with ZipFile(archive) as files:
        header, *rows = files.read("styles.csv").decode().splitlines(keepends=True)
        chosen = list(islice(rows, start, start + count))
        if len(chosen) < count:
            message = f"{archive.name} has {len(rows)} products, too few for {start + count}; measure with fewer"
            raise typer.BadParameter(message)
        names = [f"images/{row.partition(',')[0]}.jpg" for row in chosen]
        files.extractall(directory, names)
    (directory / "styles.csv").write_text(header + "".join(chosen), encoding="utf-8")
    return [directory / name for name in names]
