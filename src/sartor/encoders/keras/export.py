"""Exports an ImageNet network of ``keras.applications`` to one ONNX file and its card.

Serving needs only these two and never imports Keras.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

# Before tf2onnx, which loads TensorFlow: the backend sets the environment that TensorFlow reads when loaded.
from sartor.encoders.keras.backend import keras, plain_keras, tf

# isort: split
import onnx
import tf2onnx
from onnx import TensorProto, helper, numpy_helper
from tf2onnx.optimizer import optimize_graph
from tf2onnx.tf_loader import tf_optimize
from tf2onnx.tfonnx import process_tf_graph

from sartor.choices import Layout, Pooling
from sartor.encoders.add import synthetic_photos, try_out
from sartor.encoders.card import MODEL_FILE, MODEL_ID, ModelCard, PixelScaling
from sartor.encoders.encoder import unit_norm
from sartor.encoders.keras.model import Loaded, pooled, read
from sartor.encoders.keras.weights import official_weights
from sartor.errors import UnusableModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.encoders.base import LoadRuntime, Runtime
    from sartor.encoders.networks import KerasNetwork

    Floats = npt.NDArray[np.float32]

_MIN_NUMBERS = 1024  # smaller weights, mostly biases, save almost nothing
_MAX_HALF = float(np.finfo(np.float16).max)
_MATRIX_AXES = 2
_MAX_BYTE = 127
_TINY = 2.0**-100  # columns with no larger number become 0

logger = logging.getLogger(__name__)

_Stored = tuple["Sequence[onnx.TensorProto]", "Sequence[onnx.NodeProto]"]
INPUT = "photo"
OUTPUT = "embedding"
_PHOTO = f"{INPUT}:0"  # TensorFlow's name of the tensor
_IMAGE_AXES = 4
_OPSET = 17
_IR_VERSION = 8  # with opset 17: ONNX Runtime from 1.12
_MIN_COSINE = 0.9999  # between the embeddings of a photo by Keras and by the exported network


def in_eight_bits(matrix: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """The nearest numbers of eight bits, and a power of two for each column to multiply them by.

    Args:
        matrix: ``(n, c)``.

    Returns:
        ``(n, c)`` from -127 to 127 and ``(c,)``. Their product is exact in float32 and in bf16.
    """
    largest = np.abs(matrix).max(axis=0)
    factors = np.exp2(np.ceil(np.log2(np.maximum(largest, _TINY) / _MAX_BYTE))).astype(np.float32)
    return np.rint(matrix / factors).astype(np.int8), factors


def with_small_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The network with its large float32 weights in fewer bytes; those beyond float16's range stay."""
    small = onnx.ModelProto()
    small.CopyFrom(model)
    before: list[onnx.NodeProto] = []
    for weight in list(small.graph.initializer):
        numbers = numpy_helper.to_array(weight)
        if numbers.dtype != np.float32 or numbers.size < _MIN_NUMBERS:
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
    if np.abs(numbers).max() > _MAX_HALF:
        return None
    stored = f"{name}_half"
    node = helper.make_node("Cast", [stored], [name], name=f"{name}_cast", to=TensorProto.FLOAT)
    return (numpy_helper.from_array(numbers.astype(np.float16), stored),), (node,)


def to_onnx(model: keras.Model, *, name: str) -> onnx.ModelProto:
    """Convert a network in inference mode.

    Args:
        model: Takes ``(n, h, w, 3)`` float32, gives float32: one tensor, or a dict of them.
        name: Name of the network.

    Returns:
        The network with input ``photo``, for batches of any size. Its outputs have the names of the dict; a single
        tensor is called ``embedding``.

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
        outcome, _ = model.stateless_call(trainable, others, photo, training=False)
        for output in outputs:
            tf.identity(outcome[output] if isinstance(outcome, dict) else outcome, name=_graph_name(output))
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
    """Order and name nodes by their path to the outputs; tf2onnx uses counters that differ in each run."""
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
    """The nodes in topological order; depth first, inputs in their order."""
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


def export(  # noqa: PLR0913 - each is one option of the user, or the target
    network: KerasNetwork,
    *,
    directory: Path,
    pooling: Pooling | None = None,
    weights: Path | None = None,
    model_id: str | None = None,
    runtime: LoadRuntime | None = None,
) -> ModelCard:
    """Write a network as ``model.onnx`` and return its card.

    The same weights give the same bytes again, with the same packages on the same kind of processor.

    Args:
        network: The network.
        directory: An existing directory for the file.
        pooling: How the last feature map becomes the embedding, which is not normalized yet. Defaults to the
            weights file's pooling, else the average.
        weights: A Keras weights file. Defaults to the official ImageNet weights, fetched if needed.
        model_id: Id of the model. Defaults to the network's name, with ``-max`` for max pooling.
        runtime: Loads the exported network, to compare it with Keras on two synthetic photos.

    Raises:
        WeightsUnavailable: The official weights are not cached and cannot be fetched.
        UnusableModel: The weights file is missing or does not fit, the id is not valid, or the exported network
            gives other embeddings than Keras.
    """
    _check(network, model_id or network.name)
    file = weights or official_weights(network)
    started = time.perf_counter()
    loaded = read(network, file)
    pooling = pooling or (loaded.facts.pooling if weights else None) or Pooling.AVG
    model = pooled(network, loaded.model, pooling)
    content = to_onnx(model, name=network.name).SerializeToString()
    (directory / MODEL_FILE).write_bytes(content)
    card = ModelCard(
        id=model_id or network.model_id(pooling),
        sha256=hashlib.sha256(content).hexdigest(),
        size_px=(network.size_px, network.size_px),
        layout=Layout.NHWC,
        scaling=PixelScaling.named(network.scaling),
        output=OUTPUT,
        dimension=model.output_shape[1],
        license=network.license if weights is None else "unknown",
        origin=_origin(network, file, loaded, is_official=weights is None),
    )
    if runtime is not None:
        _compare(model, card, file, runtime=lambda: runtime(directory / MODEL_FILE, card))
    logger.info("exported %s: %.1f MB in %.1f s", card.id, len(content) / 1e6, time.perf_counter() - started)
    return card


def _check(network: KerasNetwork, model_id: str) -> None:
    if not MODEL_ID.fullmatch(model_id):
        raise UnusableModel(
            network.name,
            reason=f"its id {model_id!r} must be of lower-case letters, digits, dot, dash and underscore",
        )
    if keras.config.backend() != "tensorflow":
        raise UnusableModel(
            network.name,
            reason=f"this process already uses Keras with {keras.config.backend()}; export from a new one",
        )


def _compare(model: keras.Model, card: ModelCard, file: Path, *, runtime: Callable[[], Runtime]) -> None:
    embeddings = try_out(runtime(), card, named=file)  # (2, d), norm 1
    scaled = card.scaling.applied(synthetic_photos(*card.size_px))
    expected = unit_norm(np.asarray(keras.ops.convert_to_numpy(model(scaled, training=False))))
    cosines = (embeddings * expected).sum(axis=1)
    if cosines.min() < _MIN_COSINE:
        raise UnusableModel(
            file, reason=f"exported, it gives other embeddings than Keras itself (cosine {cosines.min():.4f})"
        )


def _origin(network: KerasNetwork, file: Path, loaded: Loaded, *, is_official: bool) -> str:
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    kind = "ImageNet weights" if is_official else "weights from"
    without = f", without its {', '.join(loaded.facts.left_out)}" if loaded.facts.left_out else ""
    return f"keras.applications.{network.class_name}, {kind} {file.name} (sha256 {sha256}){without}"
