from __future__ import annotations

import numpy as np
from PIL import Image

from sartor.imaging.thumbnail import heated


def test_a_hot_place_is_warm_and_a_cold_one_pale() -> None:
    heat = np.zeros((4, 4), np.float32)
    heat[0, 0] = 1
    shown = np.asarray(heated(Image.new("RGB", (40, 60), (30, 60, 160)), heat), np.int16)

    assert shown.shape == (60, 40, 3)
    hot, cold = shown[2, 2], shown[-3, -3]
    assert hot[0] > hot[2] + 50
    assert abs(cold[0] - cold[2]) < 60
