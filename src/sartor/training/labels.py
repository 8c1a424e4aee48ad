"""Attributes as targets: which ones to learn, their classes, and for each product the classes it may have."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.errors import NothingToLearn
from sartor.evaluation.labels import choose_labels
from sartor.training.recipe import Label

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from sartor.training.dataset import Item
    from sartor.training.recipe import LabelMap, Recipe

_FEWEST_CLASSES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An attribute to learn.

    Attributes:
        name: The attribute.
        weight: How much it counts.
        describes: Whether products and photos are described by it later.
        classes: Its values, the most frequent first.
        allowed: ``(n, c)`` bool, which classes each product may have; all where nothing is known of it.
        known: ``(n,)`` bool, where something is known.
    """

    name: str
    weight: float
    classes: tuple[str, ...]
    allowed: npt.NDArray[np.bool_]
    known: npt.NDArray[np.bool_]
    describes: bool = True


def targets_of(items: Sequence[Item], recipe: Recipe) -> tuple[Target, ...]:
    """The targets of the training products, in the recipe's order.

    Raises:
        NothingToLearn: No attribute has two classes.
    """
    targets = tuple(
        target
        for label in labels_of(items, recipe)
        if len((target := _target(items, label, recipe.maps)).classes) >= _FEWEST_CLASSES
    )
    if not targets:
        if recipe.labels:
            wanted = ", ".join(label.name for label in recipe.labels)
            raise NothingToLearn(reason=f"{wanted} has not two values; name other columns with --labels")
        raise NothingToLearn(
            reason="no column looks like a category, with two values or more that many products share each; "
            "name columns with --labels"
        )
    return targets


def judges(recipe: Recipe, targets: Sequence[Target]) -> tuple[str, ...]:
    """The attributes that decide whether an encoder is better."""
    return recipe.judge_by or tuple(target.name for target in targets)


def labels_of(items: Sequence[Item], recipe: Recipe) -> tuple[Label, ...]:
    """The recipe's labels, or those chosen by coverage and number of values."""
    if recipe.labels:
        return recipe.labels
    return tuple(Label(name=name) for name in choose_labels([item.attributes for item in items]))


def values_of(items: Sequence[Item], label: str, maps: Sequence[LabelMap] = ()) -> npt.NDArray[np.str_]:
    """The class of each product, ``(n,)``; empty where it has none or may have several."""
    classes = [item.classes(label, maps) for item in items]
    return np.array([own[0] if len(own) == 1 else "" for own in classes], dtype=np.str_)


def _target(items: Sequence[Item], label: Label, maps: Sequence[LabelMap]) -> Target:
    possible = [item.classes(label.name, maps) for item in items]
    counts = Counter(own[0] for own in possible if len(own) == 1)
    classes = tuple(name for name, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
    place = {name: index for index, name in enumerate(classes)}
    allowed = np.zeros((len(items), len(classes)), dtype=np.bool_)
    for row, own in enumerate(possible):
        allowed[row, [place[name] for name in own if name in place]] = True
    known = np.asarray(allowed.any(axis=1), dtype=np.bool_)
    allowed[~known] = True
    return Target(
        name=label.name,
        weight=label.weight,
        classes=classes,
        allowed=allowed,
        known=known,
        describes=label.describes,
    )
