"""A feed with very many rows: how fast it is read, and in how much memory, beside pandas' ``read_csv``."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from benchmarks.own_process import CommandRun, run_python
from benchmarks.report import Figure, Report, Target

_PHOTOS = 1_000  # of the feed's rows together: a row's photo is one of them
_PHOTO_PX = 224
_PEAK_GB = 1.0
_COLUMNS = "id,title,image,price,availability,brand,color,size,gender,category,description,link"
_PANDAS = "import json, sys, pandas; print(json.dumps({'products': len(pandas.read_csv(sys.argv[1]))}))"


def feed_scale(
    *,
    sizes: Annotated[list[int] | None, typer.Option("--size", min=1, help="Rows; repeatable.")] = None,
    indexed: Annotated[
        int, typer.Option(min=0, help="Up to how many rows a feed is also indexed, with its photos known.")
    ] = 20_000,
) -> Report:
    """Read feeds of growing length, and index those that are short enough, each in a process of its own."""
    sizes = sorted(sizes or [100_000, 1_000_000])
    figures: dict[str, Figure] = {}
    ratios: dict[str, float] = {}
    targets: list[Target] = []
    with TemporaryDirectory() as directory:
        folder = Path(directory)
        draw_photos(folder / "photos")
        for size in sizes:
            feed = write_feed(folder / "feed.csv", size)
            name = f"{size:,} rows"
            options = ("--dry-run", "--json", "--home", str(folder / "empty"))
            ours = run_python("-m", "sartor", "index", str(feed), *options)
            theirs = run_python("-c", _PANDAS, str(feed))
            _require(ours.told["products"] == theirs.told["products"] == size, "all rows are read")
            figures |= _figures(f"{name}, read", ours, size) | _figures(f"{name}, pandas.read_csv", theirs, size)
            ratios[f"{name}: processor time of reading / pandas.read_csv"] = ours.cpu_s / theirs.cpu_s
            ratios[f"{name}: peak memory of reading / pandas.read_csv"] = ours.peak_gb / theirs.peak_gb
            targets.append(Target(what=f"{name}, read: peak memory in GB", value=ours.peak_gb, at_most=_PEAK_GB))
            if size > indexed:
                continue
            first, second = _indexed(folder, feed)
            figures |= _figures(f"{name}, indexed, photos known", first, size)
            figures |= _figures(f"{name}, indexed again", second, size)
            for what, run in (("indexed", first), ("indexed again", second)):
                targets += [
                    Target(what=f"{name}, {what}: peak memory in GB", value=run.peak_gb, at_most=_PEAK_GB),
                    Target(what=f"{name}, {what}: photos embedded", value=run.told["embedded"], at_most=0),
                ]
    return Report(
        name="feed_scale",
        options={"sizes": sizes, "indexed": indexed, "photos": _PHOTOS},
        warm_up="none: each run is a whole command, with start and exit; pandas is started likewise",
        figures=figures,
        ratios=ratios,
        targets=targets,
        notes=(
            "Reading is `sartor index --dry-run`, which finds each row's photo and reads its prices and columns.",
            "pandas makes a table of texts and numbers in memory.",
            f"All rows of a feed show {_PHOTOS:,} photos, which are embedded before anything counts.",
        ),
    )


def write_feed(file: Path, rows: int) -> Path:
    """A CSV of drawn products, the same for each call."""
    drawn = random.Random(rows)  # noqa: S311 - no secret
    with file.open("w", encoding="utf-8") as feed:
        feed.write(f"{_COLUMNS}\n")
        for row in range(rows):
            title = f"Linen shirt {row % 977} in {drawn.choice(('red', 'blue', 'green'))}"
            price = f"{10 + row % 90}.{row % 100:02} EUR"
            stock, color = drawn.choice(("in stock", "out of stock")), drawn.choice(("Red", "Blue/White", "Green"))
            feed.write(
                f"p{row},{title},photos/{row % _PHOTOS}.jpg,{price},{stock},Brand {row % 200},{color},"
                f'{drawn.choice("SML")},{drawn.choice(("women", "men"))},"Apparel > Shirts, {row % 20}",'
                f"A soft shirt for every day number {row}; collar and buttons.,https://shop.example/p/{row}\n"
            )
    return file


def draw_photos(folder: Path) -> None:
    """The photos that all rows share."""
    folder.mkdir()
    drawn = np.random.default_rng(0)
    for number in range(_PHOTOS):
        small = drawn.integers(0, 256, (14, 14, 3), np.uint8)
        Image.fromarray(small).resize((_PHOTO_PX, _PHOTO_PX)).save(folder / f"{number}.jpg", quality=90)


def _indexed(folder: Path, feed: Path) -> tuple[CommandRun, CommandRun]:
    """The feed indexed twice into a workspace that knows its photos."""
    home = folder / "home"
    index = ("-m", "sartor", "index", "--json", "--home", str(home))
    run_python(*index, str(folder / "photos"))
    return run_python(*index, str(feed)), run_python(*index, str(feed))


def _figures(name: str, run: CommandRun, rows: int) -> dict[str, Figure]:
    return {
        f"{name}: time": Figure.of([run.seconds], "s"),
        f"{name}: processor time": Figure.of([run.cpu_s], "s"),
        f"{name}: rate": Figure.of([rows / run.seconds], "rows/s"),
        f"{name}: peak memory": Figure.of([run.peak_gb], "GB"),
    }


def _require(condition: bool, what: str) -> None:  # noqa: FBT001 - as assert has it
    if not condition:
        raise RuntimeError(what)
