"""The network alone: the bound of what any pipeline around it can reach.

It runs in a process of its own, whose first call for a network compiles it.
"""

from __future__ import annotations

import time
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

BATCH_SIZE = 16

_SIDE_PX = 224


def photos_per_second(network: Path, *, photos: int) -> float:
    """Rate of OpenVINO on random input: no photos are decoded, nothing is kept."""
    program = _program(network)
    batches = -(-photos // BATCH_SIZE)
    started_s = time.perf_counter()
    for _ in range(batches):
        program.start_async()
    program.wait_all()
    return batches * BATCH_SIZE / (time.perf_counter() - started_s)


def gflop_per_photo(network: Path) -> float:
    """Arithmetic of a network's convolutions for one photo, a multiplication and an addition being two."""
    import openvino as ov

    model = ov.Core().read_model(network)
    model.reshape([1, _SIDE_PX, _SIDE_PX, 3])
    products = 0
    for node in model.get_ops():
        if node.get_type_name() in {"Convolution", "GroupConvolution"}:
            kernel = tuple(node.input_value(1).get_shape())  # ([groups,] out, in, height, width)
            products += prod(node.output(0).get_shape()) * prod(kernel[-3:])
    return 2 * products / 1e9


@cache
def _program(network: Path) -> Any:
    """Requests that run the network side by side, with the same random photos each time."""
    import openvino as ov

    core = ov.Core()
    model = core.read_model(network)
    model.reshape([BATCH_SIZE, _SIDE_PX, _SIDE_PX, 3])
    requests = ov.AsyncInferQueue(core.compile_model(model, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"}))
    photos = np.random.default_rng(0).normal(size=(BATCH_SIZE, _SIDE_PX, _SIDE_PX, 3)).astype(np.float32)
    for request in requests:
        request.set_input_tensor(ov.Tensor(photos))
    for _ in range(len(requests)):
        requests.start_async()
    requests.wait_all()
    return requests
