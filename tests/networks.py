"""Tiny ONNX networks whose answers can be computed by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE_PX = 32


def color_network(path: Path, *, layout: str = "NHWC", batch: int | None = None) -> Path:
    """A network that gives the mean of each channel: input ``photo``, outputs ``embedding`` (n, 3) and ``map``."""
    sizes = {"N": batch or "n", "H": SIDE_PX, "W": SIDE_PX, "C": 3}
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [layout.index("H"), layout.index("W")])
    nodes = [
        helper.make_node("ReduceMean", ["photo", "axes"], ["embedding"], keepdims=0),
        helper.make_node("Identity", ["photo"], ["map"]),
    ]
    shape = [sizes[axis] for axis in layout]
    graph = helper.make_graph(
        nodes,
        "color",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [sizes["N"], 3]),
            helper.make_tensor_value_info("map", TensorProto.FLOAT, shape),
        ],
        [axes],
    )
    return _save(graph, path)


def tower_network(path: Path, *, outputs: dict[str, int], inputs: tuple[str, ...] = ()) -> Path:
    """A network as Hugging Face exports an image tower: ``pixel_values`` (n, c, h, w), of any sizes.

    Each output is the mean of each channel: of 2 axes ``(n, 3)``, of 3 ``(n, 1, 3)``. Its weight, which is
    multiplied with the pixels, may be stored beside it. More inputs are not used.
    """
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3])
    one = helper.make_tensor("one", TensorProto.INT64, [1], [1])
    weight = numpy_helper.from_array(np.array([1, 2, 3], np.float32).reshape(1, 3, 1, 1), "weight")
    nodes = [
        helper.make_node("Mul", ["pixel_values", "weight"], ["weighted"]),
        helper.make_node("ReduceMean", ["weighted", "axes"], ["mean"], keepdims=0),
        *(
            helper.make_node(*(("Identity", ["mean"]) if rank == 2 else ("Unsqueeze", ["mean", "one"])), [name])
            for name, rank in outputs.items()
        ),
    ]
    graph = helper.make_graph(
        nodes,
        "tower",
        [
            helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["n", "c", "h", "w"]),
            *(helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"]) for name in inputs),
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3] if rank == 2 else ["n", 1, 3])
            for name, rank in outputs.items()
        ],
        [axes, one, weight],
    )
    return _save(graph, path)


def constant_network(path: Path) -> Path:
    """A network that gives the same numbers whatever the photo."""
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2])
    nodes = [
        helper.make_node("ReduceMean", ["photo", "axes"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "one"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, ["n", SIDE_PX, SIDE_PX, 3])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 3])],
        [
            axes,
            helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
            helper.make_tensor("one", TensorProto.FLOAT, [], [1.0]),
        ],
    )
    return _save(graph, path)


def batch_mixing_network(path: Path) -> Path:
    """A network that takes the mean over the batch away: an embedding depends on its neighbors."""
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2])
    first = helper.make_tensor("first", TensorProto.INT64, [1], [0])
    nodes = [
        helper.make_node("ReduceMean", ["photo", "axes"], ["mean"], keepdims=0),
        helper.make_node("ReduceSum", ["mean", "first"], ["sum"], keepdims=1),
        helper.make_node("Mul", ["mean", "mean"], ["squared"]),
        helper.make_node("Sub", ["squared", "sum"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "mixing",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, ["n", SIDE_PX, SIDE_PX, 3])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 3])],
        [axes, first],
    )
    return _save(graph, path)


def resizing_network(path: Path, *, opset: int = 19, ir_version: int = 10, **resize: int | str) -> Path:
    """A network that makes a photo smaller by a ``Resize`` with these attributes, then gives the squared sum."""
    nodes = [
        helper.make_node("Resize", ["photo", "", "scales"], ["small"], mode="linear", **resize),
        helper.make_node("Mul", ["small", "small"], ["squared"]),
        helper.make_node("ReduceMean", ["squared", "axes"], ["embedding"], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "resizing",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, ["n", 3, SIDE_PX, SIDE_PX])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 3])],
        [
            helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3]),
            helper.make_tensor("scales", TensorProto.FLOAT, [4], [1, 1, 0.25, 0.25]),
        ],
    )
    return _save(graph, path, opset=opset, ir_version=ir_version)


def _save(graph: onnx.GraphProto, path: Path, *, opset: int = 18, ir_version: int = 9) -> Path:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
