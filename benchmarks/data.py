"""The data that is measured on, read in place from ``../shared/data``, and pieces of it unpacked for a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, TypeAlias
from zipfile import ZipFile

import typer

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
PHOTOS_224 = "fashion-product-images-224.zip"
PHOTOS_SMALL = "fashion-product-images-small.zip"
PEOPLES_PHOTOS = "clothing-dataset-photos.zip"
MOBILENET_V2_FILE = "mobilenet_v2_imagenet.onnx"
LABELED_PHOTOS = Path(__file__).resolve().parents[1] / "tests" / "evaluation" / "peoples_photos.json"

Data = Annotated[
    Path, typer.Option("--data", metavar="DIR", help="Folder of the data.", show_default="../shared/data")
]

Outline: TypeAlias = tuple[tuple[float, float], ...]  # (x, y) in shares of the photo's width and height


@dataclass(frozen=True, slots=True, kw_only=True)
class LabeledPhoto:
    """What a person saw in one of people's photos.

    Attributes:
        id: The photo: ``images/{id}.jpg`` in the archive.
        color: Main color family of the product, or ``"multicolor"``; ``None`` where it is not plain.
        second: Another color family that covers over a third of the product.
        outlines: Polygons around the product, which together cover it; none where nobody drew them.
    """

    id: str
    color: str | None
    second: str | None
    outlines: tuple[Outline, ...]


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


def peoples_photos() -> tuple[LabeledPhoto, ...]:
    """People's photos with hand-made colors and outlines, all of senders that ``sartor-v1`` did not learn from."""
    photos = json.loads(LABELED_PHOTOS.read_text(encoding="utf-8"))["photos"]
    return tuple(
        LabeledPhoto(
            id=id_,
            color=label["color"],
            second=label["second"],
            outlines=tuple(tuple((x, y) for x, y in outline) for outline in label.get("polygons", ())),
        )
        for id_, label in photos.items()
    )
