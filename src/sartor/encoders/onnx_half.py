"""An ONNX network with its weights in half the bytes: stored as float16, computed with as float32.

Each large weight becomes a float16 tensor and a cast, which every runtime folds away when it loads the network.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_LEAST_NUMBERS = 1024  # smaller weights, biases for the most part, save next to nothing
_LARGEST = float(np.finfo(np.float16).max)


def with_half_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with its large float32 weights as float16; weights beyond float16's range stay."""
    half = onnx.ModelProto()
    half.CopyFrom(model)
    casts = []
    for weight in half.graph.initializer:
        numbers = numpy_helper.to_array(weight)
        if numbers.dtype != np.float32 or numbers.size < _LEAST_NUMBERS or np.abs(numbers).max() > _LARGEST:
            continue
        name = weight.name
        stored = f"{name}_half"
        weight.CopyFrom(numpy_helper.from_array(numbers.astype(np.float16), stored))
        casts.append(helper.make_node("Cast", [stored], [name], name=f"{name}_cast", to=TensorProto.FLOAT))
    nodes = [*casts, *half.graph.node]
    del half.graph.node[:]
    half.graph.node.extend(nodes)
    onnx.checker.check_model(half)
    return half
