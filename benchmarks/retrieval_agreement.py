"""Whether Sartor finds what there is to find: its neighbors beside those of a plain NumPy script."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

import sartor
from benchmarks.data import MOBILENET_V2_FILE, PHOTOS_224, SHARED_DATA, Data, data_file
from benchmarks.numpy_agreement import ALL_THREE, ATTRIBUTES, K, agreement, embed, nearest, read
from benchmarks.report import Figure, Report, Target
from benchmarks.workspaces import add_mobilenet_v2

if TYPE_CHECKING:
    from benchmarks.numpy_agreement import Catalog, Rows

_TOLERANCE = 0.01
_TWINS_KEPT = "numpy, identical photos kept"
# The table of ../shared/data/README.md, for the whole 224 set; its queries were products that the ZIP lacks.
_README = dict(zip((*ATTRIBUTES, ALL_THREE), (0.80, 0.85, 0.32, 0.22), strict=True))


def retrieval_agreement(
    *,
    data: Data = SHARED_DATA,
    limit: Annotated[int | None, typer.Option(min=100, help="Only the first so many products.")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Only so many queries, drawn at random.")] = None,
    seed: Annotated[int, typer.Option(help="Of the sample.")] = 0,
) -> Report:
    """Agreement of the 5 nearest with the query, by Sartor and by plain NumPy, on the same products."""
    archive, network = data_file(data, PHOTOS_224), data_file(data, MOBILENET_V2_FILE)
    catalog = read(archive, limit=limit)
    queries = _queries(catalog, sample=sample, rng=np.random.default_rng(seed))
    vectors = embed(catalog.photos, network)
    neighbors = {
        _TWINS_KEPT: nearest(vectors, queries, apart=catalog.alone),
        "numpy": nearest(vectors, queries, apart=catalog.same_photo),
        "sartor": _by_sartor(archive, network, catalog, queries),
    }
    shares = {who: agreement(theirs, queries, catalog.cells) for who, theirs in neighbors.items()}
    differences = {name: abs(share - shares["numpy"][name]) for name, share in shares["sartor"].items()}
    return Report(
        name="retrieval_agreement",
        options={"limit": limit, "sample": sample, "seed": seed},
        warm_up="none, nothing is timed",
        figures={
            f"{who}: {name}": Figure.of([share], "share")
            for who, by_name in shares.items()
            for name, share in by_name.items()
        },
        ratios={"neighbors of numpy that sartor finds / all": _overlap(neighbors["sartor"], neighbors["numpy"])},
        targets=[
            Target(what=f"sartor beside numpy: {name}", value=difference, at_most=_TOLERANCE)
            for name, difference in differences.items()
        ],
        notes=(
            f"{len(queries):,} queries, each a product of the gallery, of {len(catalog.ids):,} products.",
            "Sartor leaves out products with the very photo of the query; so does numpy, where not said.",
            *([_beside_readme(shares[_TWINS_KEPT])] if limit is None else []),
        ),
    )


def _queries(catalog: Catalog, *, sample: int | None, rng: np.random.Generator) -> Rows:
    if sample is None or sample >= len(catalog.ids):
        return catalog.alone
    return np.sort(rng.choice(catalog.alone, sample, replace=False))


def _by_sartor(archive: Path, network: Path, catalog: Catalog, queries: Rows) -> Rows:
    """The neighbors that Sartor finds, ``(q, k)`` rows of the catalog; -1 where it finds fewer."""
    row_of = {product_id: row for row, product_id in enumerate(catalog.ids)}
    neighbors = np.full((len(queries), K), -1)
    with TemporaryDirectory() as directory:
        home = Path(directory) / "home"
        add_mobilenet_v2(home, network)
        with sartor.open(home) as shop:
            shop.index(archive, limit=len(catalog.ids))
            for place, query in enumerate(queries):
                hits = shop.similar(product=catalog.ids[query], k=K)
                neighbors[place, : len(hits)] = [row_of[hit.product_id] for hit in hits]
    return neighbors


def _overlap(found: Rows, truth: Rows) -> float:
    return float(np.mean([np.isin(theirs, ours).mean() for ours, theirs in zip(found, truth, strict=True)]))


def _beside_readme(shares: dict[str, float]) -> str:
    words = (f"{name} {share:.3f} ({share - _README[name]:+.3f})" for name, share in shares.items())
    return (
        "The table in the README of the data was made with queries that the ZIP lacks. Numpy with identical "
        f"photos kept, and its difference from that table: {', '.join(words)}."
    )
