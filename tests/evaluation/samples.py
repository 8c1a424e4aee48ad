"""Evaluations made by hand: one with all that there can be, and one with nothing that can be left out."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from PIL import Image

from sartor.evaluation.intervals import Interval, PairedTest
from sartor.evaluation.metrics import ReliabilityBin
from sartor.evaluation.results import (
    Calibration,
    CatalogHealth,
    CategoryResult,
    Comparison,
    Confusion,
    CriterionResult,
    Evaluation,
    HealthFinding,
    ListStatistics,
    MapOfCatalog,
    ModelResult,
    Robustness,
    Setup,
)
from sartor.evaluation.sheets import SheetRow, Tile

HOSTILE = "<script>alert(\"1\")</script> & 'more' $x_1$ {{ 7 * 7 }}"


def interval(mean: float, *, margin: float = 0.01, count: int = 1200) -> Interval:
    return Interval(mean=mean, low=mean - margin, high=mean + margin, count=count)


def setup(
    text: str = "text", *, criteria: tuple[str, ...] = ("articleType",), task: str = "leave one out"
) -> Setup:
    return Setup(
        task=task,
        gallery=text,
        queries=text,
        products=4000,
        photos=4100,
        asked=1200,
        criteria=criteria,
        ks=(1, 10),
        seed=7,
        dials=None,
        command=f"sartor evaluate {text}",
        versions={"python": "3.11.7", "numpy": "2.4.6"},
        machine=text,
        made_at="2026-11-22T00:00:00Z",
    )


def lists(text: str = "p") -> ListStatistics:
    return ListStatistics(
        k=10,
        coverage=0.875,
        never_shown=500,
        never_shown_ids=(f"{text}1", f"{text}2"),
        hubness=2.25,
        most_shown=((f"{text}3", 120), (f"{text}4", 80)),
        in_most_lists=0.0625,
        copies=0.01,
    )


def criterion(name: str = "articleType", mean: float = 0.8) -> CriterionResult:
    metrics = {"precision@10": interval(mean), "hit rate@10": interval(mean + 0.1), "mAP@R": interval(mean - 0.2)}
    return CriterionResult(criterion=name, metrics=metrics, queries=1200, without_relevant=12)


def minimal(*, models: int = 1, mean: float = 0.8) -> Evaluation:
    """Models without all that can be absent; each is 0.05 better than the one before."""
    return Evaluation(
        setup=setup(),
        models=tuple(
            ModelResult(
                model=f"model-{number}",
                dimension=128,
                criteria=(criterion(mean=mean + 0.05 * number),),
                categories=(),
                macro={},
                lists=lists(),
            )
            for number in range(models)
        ),
    )


def compared(
    difference: float, *, model: str = "model-1", against: str = "model-0", margin: float = 0.01
) -> Comparison:
    test = PairedTest(
        difference=difference, low=difference - margin, high=difference + margin, p_value=0.0005, count=1188
    )
    return Comparison(model=model, against=against, criterion="articleType", metric="precision@10", test=test)


def tile(text: str) -> Tile:
    return Tile(image=Image.new("RGB", (300, 400), (180, 60, 40)), caption=(text, "p1"))


def sheet(text: str) -> tuple[SheetRow, ...]:
    return (SheetRow(query=(tile(text),), hits=(tile(text), tile(text))),)


def confusion(names: tuple[str, ...] = ("Shirts", "Tops")) -> Confusion:
    shares = np.array([[0.7, 0.25, 0.05], [0.1, 0.9, 0.0]])
    return Confusion(categories=names, found=(*names, "other"), shares=shares)


def catalog_map(labels: list[str], *, attribute: str = "articleType") -> MapOfCatalog:
    points = np.random.default_rng(1).normal(size=(len(labels), 2))
    return MapOfCatalog(points=points, labels=np.array(labels, np.str_), attribute=attribute, method="t-SNE")


def model(name: str, text: str, *, mean: float = 0.8) -> ModelResult:
    """All that a result of a model can have."""
    bins = (ReliabilityBin(said=0.25, right=0.2, count=40), ReliabilityBin(said=0.95, right=0.9, count=160))
    categories = tuple(
        CategoryResult(
            category=f"{text} {number}",
            queries=100 - number,
            in_gallery=12.5,
            metrics={"precision@10": math.nan if number == 3 else mean - number / 100, "mAP@R": 0.5},
        )
        for number in range(25)
    )
    return ModelResult(
        model=name,
        dimension=256,
        criteria=(criterion(mean=mean), criterion(f"{text} + gender", mean - 0.1)),
        categories=categories,
        macro={"precision@10": mean - 0.05, "mAP@R": math.nan},
        lists=lists(text),
        confusion=confusion((f"{text} a", f"{text} b")),
        calibration=(Calibration(name="match", bins=bins, error=0.05, accuracy=0.76),),
        ann_recall=0.995,
        robustness=tuple(
            Robustness(
                damage=text, level=level, metrics={"hit rate@1": interval(0.9), "hit rate@5": interval(0.95)}
            )
            for level in ("15°", "30°")
        ),
        best=sheet(text),
        median=sheet(text),
        worst=sheet(text),
        map=catalog_map([f"{text} {number % 15}" for number in range(60)] + [""]),
        embedded=4100,
        seconds={"embedding": 12.25, "else": 3.0},
    )


def health(text: str = "products without color") -> CatalogHealth:
    return CatalogHealth(
        products=4000,
        photos=4100,
        model=text,
        k=10,
        findings=(
            HealthFinding(
                name="missing_attribute", what=text, count=40, of=4000, examples=(text, "p2"), meaning=f"{text}."
            ),
            HealthFinding(
                name="copies", what="copies", count=0, of=4000, examples=(), meaning="Shoppers see them twice."
            ),
        ),
    )


def full(text: str = "text") -> Evaluation:
    """Two models with all that there can be; ``text`` is in every place that a catalog or a caller fills."""
    names = (f"{text} one", f"{text} two")
    base = setup(text, criteria=("articleType", f"{text} + gender"))
    return Evaluation(
        setup=replace(base, notes=(text,), dials=(0.5, 0.25, 0.25)),
        models=(model(names[0], text), model(names[1], text, mean=0.85)),
        comparisons=(compared(0.05, model=names[1], against=names[0]),),
        health=health(text),
    )
