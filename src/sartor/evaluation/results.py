"""What an evaluation found: plain values that tables, JSON, CSV and the HTML report are made from.

Every metric is a share from 0 to 1, the higher the better. A *criterion* is what makes two products relevant to
each other: the same value of one attribute, or of several at once, or being the same product.
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
    from sartor.evaluation.report.sheets import SheetRow


_PACKAGES = ("sartor", "numpy", "openvino", "onnxruntime", "pillow", "qdrant-edge-py")


def versions(packages: Sequence[str] = _PACKAGES) -> dict[str, str]:
    """Of Python and of the packages that decide a result; those that are not installed are left out."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine_words() -> str:
    """The processor, how many cores, and the system."""
    return f"{processor()}, {os.cpu_count() or 1} cores, {platform.system()}"


def now() -> str:
    """The time in UTC, as ISO 8601 has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def processor() -> str:
    """The processor's model."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionResult:
    """One model by one criterion.

    Attributes:
        criterion: Its name, such as ``articleType``, or ``articleType + gender + color`` for all at once.
        metrics: By name, such as ``precision@5``, ``hit rate@5``, ``recall@5``, ``nDCG@5``, ``mAP@R``: the mean
            over queries with its 95 % interval.
        queries: Queries that have what the criterion asks about.
        without_relevant: Those of them to which nothing in the gallery is relevant. They count as 0 in
            precision, and are left out of the other metrics, which are not defined for them.
    """

    criterion: str
    metrics: Mapping[str, Interval]
    queries: int
    without_relevant: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryResult:
    """The queries of one category, by the evaluation's first criterion.

    Attributes:
        category: The value that they share.
        queries: Their number.
        in_gallery: Products of the gallery that are relevant to one of them, on average.
        metrics: Means by name, NaN where not defined.
    """

    category: str
    queries: int
    in_gallery: float
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Confusion:
    """Of which categories the neighbors of each category's queries are.

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
        hubness: Skewness of the number of lists that a product is in; 0 where all are in equally many.
        most_shown: The products that are in most lists, with how many.
        in_most_lists: Share of all places in lists that the 1 % of products take which are shown most.
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
    """Whether what a model says it is sure of comes true.

    Attributes:
        name: What was predicted: an attribute, or ``match``.
        bins: Of the reliability diagram.
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
        level: How much, in words, such as ``15°``.
        metrics: By name, with its 95 % interval: ``hit rate@1`` and ``hit rate@5``.
    """

    damage: str
    level: str
    metrics: Mapping[str, Interval]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapOfCatalog:
    """The gallery in two dimensions.

    Attributes:
        points: ``(n, 2)``.
        labels: ``(n,)`` value of the attribute that colors a point; empty where it has none.
        attribute: Name of that attribute.
        method: How it was made, in words.
    """

    points: npt.NDArray[np.float64]
    labels: npt.NDArray[np.str_]
    attribute: str
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResult:
    """One model.

    Attributes:
        model: Its name.
        dimension: Numbers that are compared.
        criteria: By each criterion, in order.
        categories: By each category of the first criterion, the most frequent first.
        macro: Means over categories, by name of metric, every category alike.
        lists: What the lists have in common.
        confusion: Of categories; None where the criterion has none.
        calibration: Of what the model predicts; empty for a model that predicts nothing.
        ann_recall: ``ann_recall_at_k`` of the approximate index against exact search; None where not measured.
        robustness: Under damage; empty where not measured.
        best: Queries with most relevant neighbors, to look at.
        median: Some in the middle.
        worst: Those with least.
        map: The gallery in two dimensions; None where not made.
        embedded: Photos that went through the network for this; the others' embeddings were kept.
        seconds: Time of embedding, and of all else.
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
    """One model against the first one, on the same queries.

    Attributes:
        model: The one.
        against: The first one.
        criterion: By which criterion.
        metric: By which metric.
        test: Difference of ``model`` minus ``against``, with its interval and p-value.
    """

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
        queries: The source of the queries; the gallery itself where each product is one.
        products: Products in the gallery.
        photos: Photos of them, of which a product's closest counts.
        asked: Number of queries.
        criteria: Names of the criteria, the first one the main one.
        ks: Lengths of lists.
        seed: Of all that is random.
        dials: How much style, color and category count; None where embeddings alone are compared.
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
class Evaluation:
    """What an evaluation found.

    Attributes:
        setup: What was evaluated.
        models: Each model, in the order in which they were given.
        comparisons: Of each model but the first against the first.
        health: Of the catalog; None where it was not asked for.
    """

    setup: Setup
    models: tuple[ModelResult, ...]
    comparisons: tuple[Comparison, ...] = ()
    health: CatalogHealth | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthFinding:
    """Something about a catalog that makes recommendations worse, or may.

    Attributes:
        name: A stable name for machines, such as ``missing_attribute``.
        what: In words, such as ``products without color``.
        count: How many.
        of: Of how many.
        examples: Some of the cases, the worst first.
        meaning: What follows from it, and what can be done, in one sentence.
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
        products: Products in it.
        photos: Different photos.
        model: The model by which it was judged.
        k: Length of the lists by which hubs and products never shown were found.
        findings: All that was looked for, also where nothing was found.
    """

    products: int
    photos: int
    model: str
    k: int
    findings: tuple[HealthFinding, ...]
