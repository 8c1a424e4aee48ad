"""The objective: a normalized softmax for each attribute, an instance term, and an agreement term."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sartor.encoders.keras.backend import keras
from sartor.training.dataset import judges
from sartor.training.network import EMBEDDING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.training.dataset import Target
    from sartor.training.recipe import Recipe

PRODUCT = "product"
_FAR = -1e9


class Learner(keras.Model):  # type: ignore[misc]  # Keras has no types
    """An encoder with its objective.

    The targets of a step are a dict of ``product``, ``(v,)`` int32, and for each attribute ``(v, c)`` float32: 1
    for the classes that a product may have, 1 for all if nothing is known.
    """

    def set_objective(self, recipe: Recipe, targets: Sequence[Target]) -> None:
        """Set what is minimized, the weight of each attribute, and the attributes in which products agree."""
        self._objective = recipe.objective
        self._weights = {target.name: target.weight for target in targets}
        self._judges = [name for name in judges(recipe, targets) if name in self._weights]

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any) -> Any:  # noqa: ARG002
        """The loss of a step, a scalar."""
        loss = 0.0
        for name, weight in self._weights.items():
            smoothing = self._objective.label_smoothing
            loss = loss + weight * attribute_loss(y_pred[name], y[name], smoothing=smoothing)
        if self._objective.instance_weight:
            term = instance_loss(y_pred[EMBEDDING], y[PRODUCT], temperature=self._objective.temperature)
            loss = loss + self._objective.instance_weight * term
        if self._objective.agreement_weight and self._judges:
            allowed = [y[name] for name in self._judges]
            term = agreement_loss(y_pred[EMBEDDING], allowed, temperature=self._objective.agreement_temperature)
            loss = loss + self._objective.agreement_weight * term
        return loss


def attribute_loss(logits: Any, allowed: Any, *, smoothing: float) -> Any:
    """Mean of ``-log p(one of the allowed classes)`` over the views about which something is known.

    Args:
        logits: ``(v, c)``.
        allowed: ``(v, c)`` of 0 and 1.
        smoothing: Share of the target that all classes have, against wrong labels.
    """
    ops = keras.ops
    log_p = ops.log_softmax(logits, axis=-1)
    hit = -ops.logsumexp(ops.where(allowed > 0, log_p, _FAR), axis=-1)
    spread = -ops.mean(log_p, axis=-1)
    known = ops.cast(ops.min(allowed, axis=-1) < 1, "float32")
    losses = (1 - smoothing) * hit + smoothing * spread
    return ops.sum(losses * known) / ops.maximum(ops.sum(known), 1.0)


def instance_loss(embeddings: Any, products: Any, *, temperature: float) -> Any:
    """How hard it is to find a product's other view among the views of a step.

    Source: the supervised contrastive loss of Khosla et al. (NeurIPS 2020), with each product as a class.

    Args:
        embeddings: ``(v, d)`` with unit norm.
        products: ``(v,)``; views with the same number show the same product.
        temperature: Divides the cosines.
    """
    same = keras.ops.equal(products[:, None], products[None, :])
    return _contrastive(embeddings, same, same, temperature=temperature)


def agreement_loss(embeddings: Any, allowed: Sequence[Any], *, temperature: float) -> Any:
    """How hard it is to find, among the views of a step, those that agree in all attributes.

    Two views may agree if the first attribute of both is known and no attribute leaves them without a common
    class; they do agree if all attributes of both are known. A view whose attributes are all known looks for those
    that do agree, and those that only may agree do not count. A view with fewer known ones, such as a person's
    photo without a color's name, looks for all that may agree.

    Source: as ``instance_loss``.

    Args:
        embeddings: ``(v, d)`` with unit norm.
        allowed: For each attribute ``(v, c)`` of 0 and 1: the classes that a view may have, all if nothing is
            known.
        temperature: Divides the cosines.
    """
    ops = keras.ops
    known = [ops.min(classes, axis=-1) < 1 for classes in allowed]  # (v,) each
    may = _both(known[0])
    whole = known[0]
    for classes, is_known in zip(allowed, known, strict=True):
        may = ops.logical_and(may, ops.matmul(classes, ops.transpose(classes)) > 0)
        whole = ops.logical_and(whole, is_known)
    do = ops.logical_and(may, _both(whole))
    return _contrastive(embeddings, ops.where(whole[:, None], do, may), may, temperature=temperature)


def _both(flags: Any) -> Any:
    return keras.ops.logical_and(flags[:, None], flags[None, :])


def _contrastive(embeddings: Any, positive: Any, alike: Any, *, temperature: float) -> Any:
    """Mean of ``-log p(positive)`` among positives and what is not alike, over the views that have positives."""
    ops = keras.ops
    similarity = ops.matmul(embeddings, ops.transpose(embeddings)) / temperature
    other = ops.logical_not(ops.eye(ops.shape(similarity)[0], dtype="bool"))
    positive = ops.logical_and(positive, other)
    counted = ops.logical_and(other, ops.logical_or(positive, ops.logical_not(alike)))
    log_p = ops.log_softmax(ops.where(counted, similarity, _FAR), axis=-1)
    count = ops.sum(ops.cast(positive, "float32"), axis=-1)
    losses = -ops.sum(ops.where(positive, log_p, 0.0), axis=-1) / ops.maximum(count, 1.0)
    has_any = ops.cast(count > 0, "float32")
    return ops.sum(losses * has_any) / ops.maximum(ops.sum(has_any), 1.0)
