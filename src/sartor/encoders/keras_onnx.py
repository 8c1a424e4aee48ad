"""A Keras network as an ONNX graph that every runtime reads, and that is the same bytes each time.

tf2onnx converts TensorFlow's graph. A few layers of Keras 3 become operations there that it does not know, or
that make a slow graph; they are exchanged first for layers that compute the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import tf2onnx
from onnx import TensorProto, helper
from tf2onnx.optimizer import optimize_graph
from tf2onnx.tf_loader import tf_optimize
from tf2onnx.tfonnx import process_tf_graph

from sartor.encoders.keras_backend import keras, plain_keras, tf
from sartor.errors import UnusableModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

INPUT = "photo"
OUTPUT = "embedding"
_PHOTO = f"{INPUT}:0"  # TensorFlow's name of the tensor

_IMAGE_AXES = 4
_OPSET = 17
_IR_VERSION = 8  # with opset 17: ONNX Runtime from 1.12


def to_onnx(model: keras.Model, *, name: str) -> onnx.ModelProto:
    """Convert a network in inference mode.

    Args:
        model: Takes ``(n, h, w, 3)`` float32, gives float32: one tensor, or a dict of them.
        name: Name of the network.

    Returns:
        The network with input ``photo``, for batches of any size. Its outputs have the names of the dict; one
        tensor alone is called ``embedding``.

    Raises:
        UnusableModel: The installed TensorFlow has operations that the installed tf2onnx does not know.
    """
    with plain_keras():
        convertible = keras.models.clone_model(
            model, clone_function=lambda layer: layer, call_function=_call_convertible
        )
        shapes = _output_shapes(model)
        graph = _frozen_graph(convertible, tuple(shapes))
    with graph.as_default():
        converted = process_tf_graph(
            graph, opset=_OPSET, input_names=[_PHOTO], output_names=[_tensor(output) for output in shapes]
        )
    converted = optimize_graph(converted, catch_errors=False).make_model(name)
    tidy = _tidy(converted.graph, name=name, input_shape=model.input_shape, output_shapes=shapes)
    try:
        onnx.checker.check_model(tidy)  # tf2onnx only logs what it does not know
    except onnx.checker.ValidationError as error:
        reason = f"TensorFlow {tf.__version__} and tf2onnx {tf2onnx.__version__} do not convert it to ONNX"
        raise UnusableModel(name, reason=reason) from error
    return tidy


def _output_shapes(model: keras.Model) -> dict[str, tuple[int | None, ...]]:
    outputs = model.output if isinstance(model.output, dict) else {OUTPUT: model.output}
    return {name: tuple(tensor.shape) for name, tensor in outputs.items()}


def _frozen_graph(model: keras.Model, outputs: Sequence[str]) -> tf.Graph:
    # With the weights as constants from the start, nothing has to be frozen: that takes tf2onnx's own
    # from_function half of its time, 16 s instead of 9 for ResNet50.
    trainable = [variable.numpy() for variable in model.trainable_variables]
    others = [variable.numpy() for variable in model.non_trainable_variables]
    with tf.Graph().as_default() as traced:
        photo = tf.compat.v1.placeholder(tf.float32, model.input_shape, name=INPUT)
        found, _ = model.stateless_call(trainable, others, photo, training=False)
        for output in outputs:
            tf.identity(found[output] if isinstance(found, dict) else found, name=_graph_name(output))
        folded = tf_optimize(
            [_PHOTO], [_tensor(output) for output in outputs], traced.as_graph_def(add_shapes=True)
        )
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(folded, name="")
    return graph


def _graph_name(output: str) -> str:
    return f"output_{output}"  # a layer may have the output's own name


def _tensor(output: str) -> str:
    return f"{_graph_name(output)}:0"


def _call_convertible(layer: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
    layers = keras.layers
    match layer:
        case layers.Normalization():
            return _rescaling(layer)(inputs)
        case layers.Conv2D() if 1 < layer.groups == layer.filters == inputs.shape[-1]:
            return _depthwise(layer, inputs)
        case layers.Dense() if len(inputs.shape) == _IMAGE_AXES:
            return _pointwise(layer, inputs)
        case layers.Activation() if layer.activation is keras.activations.gelu:
            return layers.Activation(_gelu)(inputs)
    return layer(inputs, *args, **kwargs)


def _rescaling(layer: Any) -> Any:
    # Its mean and variance are tensors beside the graph, which would become further inputs of it.
    mean = np.ravel(keras.ops.convert_to_numpy(layer.mean)).astype(np.float64)
    std = np.sqrt(np.ravel(keras.ops.convert_to_numpy(layer.variance)).astype(np.float64))
    return keras.layers.Rescaling(scale=(1 / std).tolist(), offset=(-mean / std).tolist())


def _depthwise(layer: Any, inputs: Any) -> Any:
    # TensorFlow compiles a convolution in groups with XLA, which tf2onnx cannot look into.
    depthwise = keras.layers.DepthwiseConv2D(
        layer.kernel_size,
        strides=layer.strides,
        padding=layer.padding,
        dilation_rate=layer.dilation_rate,
        activation=layer.activation,
        use_bias=layer.use_bias,
    )
    outputs = depthwise(inputs)
    kernel, *bias = layer.get_weights()
    depthwise.set_weights([np.swapaxes(kernel, 2, 3), *bias])  # (h, w, 1, c) -> (h, w, c, 1)
    return outputs


def _pointwise(layer: Any, inputs: Any) -> Any:
    # On (n, h, w, c) a dense layer becomes reshapes to shapes that are computed at run time. As a convolution
    # it is plain: ConvNeXt-Tiny takes OpenVINO 72 ms a photo instead of 93.
    pointwise = keras.layers.Conv2D(layer.units, 1, activation=layer.activation, use_bias=layer.use_bias)
    outputs = pointwise(inputs)
    kernel, *bias = layer.get_weights()
    pointwise.set_weights([kernel[None, None], *bias])  # (c, d) -> (1, 1, c, d)
    return outputs


def _gelu(inputs: Any) -> Any:
    # TensorFlow's own uses erfc, which ONNX does not have.
    return 0.5 * inputs * (1 + keras.ops.erf(inputs / math.sqrt(2)))


def _tidy(graph: Any, *, name: str, input_shape: Any, output_shapes: Mapping[str, Any]) -> onnx.ModelProto:
    """Order and name everything by its way to the outputs; tf2onnx does so by counters, new in each run."""
    names = {"": "", _PHOTO: INPUT} | {_tensor(output): output for output in output_shapes}
    nodes = _from_the_outputs(graph, output_shapes)
    for index, node in enumerate(nodes):
        for tensor in (*node.input, *node.output):
            names.setdefault(tensor, f"{node.op_type}_{index}_{len(names)}")
        node.name = f"{node.op_type}_{index}"
        node.input[:] = [names[tensor] for tensor in node.input]
        node.output[:] = [names[tensor] for tensor in node.output]
    weights = {names[weight.name]: weight for weight in graph.initializer if weight.name in names}
    for tensor, weight in weights.items():
        weight.name = tensor
    tidy = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", *input_shape[1:]])],
        [
            helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", *shape[1:]])
            for output, shape in output_shapes.items()
        ],
        [weights[tensor] for tensor in names.values() if tensor in weights],
    )
    return helper.make_model(
        tidy,
        producer_name="sartor",
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )


def _from_the_outputs(graph: Any, outputs: Iterable[str]) -> list[onnx.NodeProto]:
    """The nodes in an order in which each comes after those it needs; depth first, inputs in their order."""
    makers = {tensor: node for node in graph.node for tensor in node.output}
    ordered: dict[str, onnx.NodeProto] = {}
    path = [makers[_tensor(output)] for output in outputs][::-1]
    while path:
        node = path[-1]
        needs = (makers[tensor] for tensor in node.input if tensor in makers)
        missing = next((need for need in needs if need.name not in ordered), None)
        if missing is None:
            ordered.setdefault(node.name, path.pop())
        else:
            path.append(missing)
    return list(ordered.values())
