from __future__ import annotations

import math

import numpy as np
import pytest

from sartor.training.objective import agreement_loss, attribute_loss, instance_loss


def test_an_attribute_costs_the_logarithm_of_the_right_class() -> None:
    logits = np.log(np.array([[0.5, 0.25, 0.25]], np.float32))

    loss = attribute_loss(logits, np.array([[0, 1, 0]], np.float32), smoothing=0.0)

    assert float(loss) == pytest.approx(-math.log(0.25))


def test_several_allowed_classes_are_one_together() -> None:
    logits = np.log(np.array([[0.5, 0.25, 0.25]], np.float32))

    loss = attribute_loss(logits, np.array([[1, 1, 0]], np.float32), smoothing=0.0)

    assert float(loss) == pytest.approx(-math.log(0.75))


def test_what_is_not_known_costs_nothing() -> None:
    logits = np.log(np.array([[0.5, 0.5], [0.1, 0.9]], np.float32))

    loss = attribute_loss(logits, np.array([[1, 0], [1, 1]], np.float32), smoothing=0.1)
    nothing = attribute_loss(logits, np.ones((2, 2), np.float32), smoothing=0.1)

    assert float(loss) == pytest.approx(math.log(2))
    assert float(nothing) == 0


def test_smoothing_bounds_what_a_wrong_label_costs() -> None:
    logits = np.array([[50.0, 0.0]], np.float32)
    wrong = np.array([[0, 1]], np.float32)

    assert float(attribute_loss(logits, wrong, smoothing=0.5)) < float(attribute_loss(logits, wrong, smoothing=0))


def test_two_views_that_find_each_other_cost_little() -> None:
    near = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    far = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32)
    products = np.array([0, 0, 1, 1], np.int32)

    assert float(instance_loss(near, products, temperature=0.1)) < 0.01
    assert float(instance_loss(far, products, temperature=0.1)) > 5


def test_a_view_without_another_has_no_instance_term() -> None:
    views = np.eye(3, dtype=np.float32)

    assert float(instance_loss(views, np.arange(3, dtype=np.int32), temperature=0.1)) == 0


TYPES = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
COLORS = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], np.float32)
UNKNOWN = np.ones((4, 2), np.float32)


def test_products_that_agree_in_all_attributes_shall_be_near() -> None:
    together = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    apart = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32)

    assert float(agreement_loss(together, [TYPES, COLORS], temperature=0.1)) < 0.01
    assert float(agreement_loss(apart, [TYPES, COLORS], temperature=0.1)) > 5


def test_what_differs_in_one_attribute_does_not_agree() -> None:
    far = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    colors = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32)

    assert float(agreement_loss(far, [TYPES, colors], temperature=0.1)) == 0  # no two agree


def test_a_view_without_a_color_looks_for_its_type() -> None:
    colors = COLORS.copy()
    colors[3] = 1  # nothing is known of it
    near = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    far = np.array([[1, 0], [1, 0], [0, 1], [1, 0]], np.float32)

    assert float(agreement_loss(near, [TYPES, colors], temperature=0.1)) < 0.01
    assert float(agreement_loss(far, [TYPES, colors], temperature=0.1)) > 1


def test_what_only_may_agree_counts_neither_for_nor_against() -> None:
    colors = COLORS.copy()
    colors[1] = 1
    views = np.array([[1, 0], [1, 0], [0.6, 0.8], [0, 1]], np.float32)
    alone = [TYPES[[0, 2, 3]], COLORS[[0, 2, 3]]]

    with_it = np.array(agreement_loss(views[[0, 2, 3]], alone, temperature=0.1))
    assert float(with_it) == 0  # without the one that may agree, none looks for another
    assert float(agreement_loss(views, [TYPES, colors], temperature=0.1)) < 0.05  # only that one looks, and finds


def test_without_the_first_attribute_nothing_is_concluded() -> None:
    views = np.eye(4, dtype=np.float32)

    assert float(agreement_loss(views, [UNKNOWN, COLORS], temperature=0.1)) == 0
