"""What an evaluation found: plain values for tables, JSON, CSV and the HTML report.

Every metric is a share from 0 to 1, the higher the better. A *criterion* is what makes two products relevant to
each other: the same value of one attribute, or of several at once, or being the same product. JSON has the fields'
names.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from sartor.evaluation.intervals import Interval, PairedTest
    from sartor.evaluation.metrics import ReliabilityBin
    from sartor.evaluation.sheets import SheetRow

_PACKAGES = ("sartor", "numpy", "openvino", "onnxruntime", "pillow", "qdrant-edge-py")


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionResult:
    """One model by one criterion.

    Attributes:
        criterion: Its name, such as ``articleType``, or ``articleType + gender + color`` for all at once.
        metrics: By name, such as ``precision@5``, ``hit rate@5``, ``recall@5``, ``nDCG@5``, ``mAP@R``: the mean
            over queries.
        queries: Queries that have what the criterion asks about.
        without_relevant: Those of them to which nothing in the gallery is relevant. They count as 0 in precision,
            and are left out of the other metrics, which are not defined for them.
    """

    criterion: str
    metrics: Mapping[str, Interval]
    queries: int
    without_relevant: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryResult:
    """The queries that share a value of the evaluation's first criterion.

    Attributes:
        category: The value.
        queries: Their number.
        in_gallery: Products of the gallery that are relevant to one of them, on average.
        metrics: Means by name, NaN if not defined.
    """

    category: str
    queries: int
    in_gallery: float
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Confusion:
    """To which categories the neighbors of each category's queries belong.

    Attributes:
        categories: Categories of queries, the most frequent first.
        found: Categories of neighbors: the same ones, then ``other``.
        shares: ``(len(categories), len(found))`` float64, rows sum to 1.
    """

    categories: tuple[str, ...]
    found: tuple[str, ...]
    shares: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStatistics:
    """What the lists of all queries have in common.

    Attributes:
        k: Length of the lists.
        coverage: Share of the gallery's products that are in at least one list.
        never_shown: Number of products in no list.
        never_shown_ids: Some of them.
        hubness: Skewness of the number of lists that a product is in; 0 if all are in equally many.
        most_shown: The products that are in most lists, with the number of lists.
        in_most_lists: Share of all ranks of lists that the most shown 1 % of products take.
        copies: Share of queries whose nearest product shows a copy of their photo.
    """

    k: int
    coverage: float
    never_shown: int
    never_shown_ids: tuple[str, ...]
    hubness: float
    most_shown: tuple[tuple[str, int], ...]
    in_most_lists: float
    copies: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Whether the probabilities of a model come true.

    Attributes:
        name: What was predicted: an attribute, or ``match``.
        bins: The reliability diagram.
        error: Expected calibration error, from 0.
        accuracy: Share of predictions that are right; of a match, how often it agrees.
    """

    name: str
    bins: tuple[ReliabilityBin, ...]
    error: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Robustness:
    """Finding the same product again by its damaged photo.

    Attributes:
        damage: What was done to the photo, such as ``rotation``.
        level: How much, in words, such as ``±10°``.
        metrics: ``hit rate@1`` and ``hit rate@5``.
    """

    damage: str
    level: str
    metrics: Mapping[str, Interval]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapOfCatalog:
    """The gallery in two dimensions.

    Attributes:
        points: ``(n, 2)``.
        labels: ``(n,)`` value of the attribute that colors a point; empty if it has none.
        attribute: Name of that attribute.
        method: How it was made, in words.
    """

    points: npt.NDArray[np.float64]
    labels: npt.NDArray[np.str_]
    attribute: str
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResult:
    """One model; a part that was not measured, or not asked for, is empty or None.

    Attributes:
        model: Its id.
        dimension: Dimensions that are compared.
        criteria: By each criterion, the main one first.
        categories: By each category of the first criterion, the most frequent first.
        macro: Means over categories, by name of metric; every category counts the same.
        lists: What the lists have in common.
        confusion: Between categories of the first criterion.
        calibration: Of what the model predicts.
        ann_recall: Recall of the approximate index against exact search.
        robustness: Under damage to photos.
        best: Queries with most relevant neighbors, to look at.
        median: Some in the middle.
        worst: Those with fewest.
        map: The gallery in two dimensions.
        embedded: Photos that went through the network for this; the others had been embedded before.
        seconds: Time of embedding, and of everything else.
    """

    model: str
    dimension: int
    criteria: tuple[CriterionResult, ...]
    categories: tuple[CategoryResult, ...]
    macro: Mapping[str, float]
    lists: ListStatistics
    confusion: Confusion | None = None
    calibration: tuple[Calibration, ...] = ()
    ann_recall: float | None = None
    robustness: tuple[Robustness, ...] = ()
    best: tuple[SheetRow, ...] = ()
    median: tuple[SheetRow, ...] = ()
    worst: tuple[SheetRow, ...] = ()
    map: MapOfCatalog | None = None
    embedded: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A model against the first one on the same queries, by one criterion and metric: model minus ``against``."""

    model: str
    against: str
    criterion: str
    metric: str
    test: PairedTest


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What was evaluated, and how: enough to do it again.

    Attributes:
        task: ``leave one out``, ``queries against a gallery`` or ``the same product``.
        gallery: The source that was searched.
        queries: The source of the queries; the same as the gallery if each of its products is a query.
        products: Products in the gallery.
        photos: Their photos; of a product the closest one counts.
        asked: Number of queries.
        criteria: Names of the criteria, the main one first.
        ks: Lengths of lists.
        seed: For everything random.
        dials: Weights of style, color and category; None if embeddings alone are compared.
        command: The command that made it.
        versions: Of Python and of packages.
        machine: Processor, cores and system, in words.
        made_at: ISO 8601, UTC.
        notes: What a reader has to know, one sentence each: rejected photos, queries without labels.
    """

    task: str
    gallery: str
    queries: str
    products: int
    photos: int
    asked: int
    criteria: tuple[str, ...]
    ks: tuple[int, ...]
    seed: int
    dials: tuple[float, float, float] | None
    command: str
    versions: Mapping[str, str]
    machine: str
    made_at: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthFinding:
    """Something about a catalog that makes recommendations worse, or may.

    Attributes:
        name: A stable name for programs, such as ``missing_attribute``.
        what: In words, such as ``products without color``.
        count: Number of cases.
        of: Number of products or photos that were looked at.
        examples: Some of the cases, the worst first.
        meaning: What follows from it, and what to do about it, in one sentence.
    """

    name: str
    what: str
    count: int
    of: int
    examples: tuple[str, ...]
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogHealth:
    """The state of a catalog.

    Attributes:
        products: Number of products.
        photos: Number of different photos.
        model: The model that judged it.
        k: Length of the lists by which hubs and products never shown were found.
        findings: Everything that was looked for, also if it was not found.
    """

    products: int
    photos: int
    model: str
    k: int
    findings: tuple[HealthFinding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What an evaluation found.

    Attributes:
        setup: What was evaluated.
        models: Each model, in the order in which they were given.
        comparisons: Of each further model with the first one.
        health: Of the catalog; None if it was not asked for.
    """

    setup: Setup
    models: tuple[ModelResult, ...]
    comparisons: tuple[Comparison, ...] = ()
    health: CatalogHealth | None = None


def versions(packages: Sequence[str] = _PACKAGES) -> dict[str, str]:
    """Versions of Python and of the packages that decide a result, if they are installed."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine_words() -> str:
    """Processor, number of cores, and system."""
    return f"{processor()}, {os.cpu_count() or 1} cores, {platform.system()}"


def now() -> str:
    """The time in UTC, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def processor() -> str:
    """The processor's model."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())
