"""What a training minimizes: attributes by class vectors, and products by their own views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sartor.encoders.keras_backend import keras
from sartor.training.network import EMBEDDING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sartor.training.recipe import Objective

PRODUCT = "product"
_FAR = -1e9


class Learner(keras.Model):  # type: ignore[misc]  # Keras has no types
    """An encoder together with its objective; the targets of a step are one dict.

    The dict has ``product``, ``(v,)`` int32, and for each attribute ``(v, c)`` float32: 1 for the classes that
    a product may have, and all 1 where nothing is known.
    """

    def set_objective(self, objective: Objective, weights: Mapping[str, float]) -> None:
        """Choose what is minimized, and how much each attribute counts."""
        self._objective = objective
        self._weights = dict(weights)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any) -> Any:  # noqa: ARG002
        """The loss of a step, a scalar."""
        loss = 0.0
        for name, weight in self._weights.items():
            smoothing = self._objective.label_smoothing
            loss = loss + weight * attribute_loss(y_pred[name], y[name], smoothing=smoothing)
        if self._objective.instance_weight:
            term = instance_loss(y_pred[EMBEDDING], y[PRODUCT], temperature=self._objective.temperature)
            loss = loss + self._objective.instance_weight * term
        return loss


def attribute_loss(logits: Any, allowed: Any, *, smoothing: float) -> Any:
    """Mean of ``-log p(one of the allowed classes)`` over the views of which something is known.

    Args:
        logits: ``(v, c)``.
        allowed: ``(v, c)`` of 0 and 1.
        smoothing: Share of the target that all classes have; it bears wrong labels.
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
    ops = keras.ops
    similarity = ops.matmul(embeddings, ops.transpose(embeddings)) / temperature
    itself = ops.eye(ops.shape(similarity)[0])
    similarity = ops.where(itself > 0, _FAR, similarity)
    log_p = ops.log_softmax(similarity, axis=-1)
    same = ops.cast(ops.equal(products[:, None], products[None, :]), "float32") * (1 - itself)
    others = ops.sum(same, axis=-1)
    losses = -ops.sum(ops.where(same > 0, log_p, 0.0), axis=-1) / ops.maximum(others, 1.0)
    paired = ops.cast(others > 0, "float32")
    return ops.sum(losses * paired) / ops.maximum(ops.sum(paired), 1.0)
