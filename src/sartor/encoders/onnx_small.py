"""An ONNX network with its large weights in fewer bytes; every runtime computes with them as float32.

A matrix that eight bits hold exactly is stored in eight bits, with a factor for each column, any other large
weight as float16. Runtimes fold what makes float32 of them away when they load the network. DequantizeLinear
would say the same in one operation, but has ONNX Runtime round what is multiplied with it as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

_LEAST_NUMBERS = 1024  # smaller weights, biases for the most part, save next to nothing
_LARGEST = float(np.finfo(np.float16).max)
_MATRIX_AXES = 2
_LARGEST_BYTE = 127
_TINY = 2.0**-100  # columns without anything larger become 0


def in_eight_bits(matrix: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """The nearest numbers of eight bits, and the power of two that each column of them is multiplied with.

    Args:
        matrix: ``(n, c)``.

    Returns:
        ``(n, c)`` from -127 to 127 and ``(c,)``. Their product is exact in float32 and in bf16.
    """
    largest = np.abs(matrix).max(axis=0)
    factors = np.exp2(np.ceil(np.log2(np.maximum(largest, _TINY) / _LARGEST_BYTE))).astype(np.float32)
    return np.rint(matrix / factors).astype(np.int8), factors


def with_small_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with its large float32 weights in fewer bytes; those beyond float16's range stay."""
    small = onnx.ModelProto()
    small.CopyFrom(model)
    before: list[onnx.NodeProto] = []
    for weight in list(small.graph.initializer):
        numbers = numpy_helper.to_array(weight)
        if numbers.dtype != np.float32 or numbers.size < _LEAST_NUMBERS:
            continue
        stored = _eight_bits(weight.name, numbers) or _half(weight.name, numbers)
        if stored is not None:
            small.graph.initializer.remove(weight)
            small.graph.initializer.extend(stored[0])
            before += stored[1]
    nodes = [*before, *small.graph.node]
    del small.graph.node[:]
    small.graph.node.extend(nodes)
    onnx.checker.check_model(small)
    return small


_Stored = tuple["Sequence[onnx.TensorProto]", "Sequence[onnx.NodeProto]"]


def _eight_bits(name: str, numbers: Floats) -> _Stored | None:
    if numbers.ndim != _MATRIX_AXES:
        return None
    levels, factors = in_eight_bits(numbers)
    if not np.array_equal(levels * factors, numbers):
        return None
    stored, scale, floats = f"{name}_eight_bits", f"{name}_factors", f"{name}_levels"
    nodes = (
        helper.make_node("Cast", [stored], [floats], name=f"{name}_cast", to=TensorProto.FLOAT),
        helper.make_node("Mul", [floats, scale], [name], name=f"{name}_scaled"),
    )
    return (numpy_helper.from_array(levels, stored), numpy_helper.from_array(factors, scale)), nodes


def _half(name: str, numbers: Floats) -> _Stored | None:
    if np.abs(numbers).max() > _LARGEST:
        return None
    stored = f"{name}_half"
    node = helper.make_node("Cast", [stored], [name], name=f"{name}_cast", to=TensorProto.FLOAT)
    return (numpy_helper.from_array(numbers.astype(np.float16), stored),), (node,)
