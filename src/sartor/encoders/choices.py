"""The choices that a network leaves open, by the names that the field uses; light enough for a command line."""

from __future__ import annotations

from enum import StrEnum


class Layout(StrEnum):
    """Order of the axes that a network's input has."""

    NHWC = "NHWC"
    NCHW = "NCHW"


class ChannelOrder(StrEnum):
    """Order of the color channels that a network expects."""

    RGB = "RGB"
    BGR = "BGR"


class ResizePolicy(StrEnum):
    """How a photo of any shape becomes the network's input size."""

    STRETCH = "stretch"  # to the size, ignoring the aspect ratio, as Keras' load_img(target_size=...) does
    CROP = "crop"  # shorter side to the size, then the center
    PAD = "pad"  # longer side to the size, then white bars


class Resampling(StrEnum):
    """How pixels are made from others where a photo gets another size, by Pillow's names."""

    NEAREST = "nearest"
    BOX = "box"
    BILINEAR = "bilinear"
    HAMMING = "hamming"
    BICUBIC = "bicubic"
    LANCZOS = "lanczos"


class Scaling(StrEnum):
    """Usual ways from a pixel in 0..255 to a network's input, by the names that the field uses.

    Source: ``keras.applications.imagenet_utils.preprocess_input`` for ``caffe``, ``tf`` and ``torch``.
    """

    CAFFE = "caffe"  # BGR, the ImageNet mean subtracted
    TF = "tf"  # to [-1, 1]
    TORCH = "torch"  # ImageNet mean and standard deviation
    UNIT = "unit"  # to [0, 1]
    RAW = "raw"  # as they are; the network scales for itself
    CLIP = "clip"  # mean and standard deviation of CLIP's training set


class Precision(StrEnum):
    """Arithmetic of the inference; ``AUTO`` is bf16 where there are matrix units for it (AMX), else float32."""

    AUTO = "auto"
    F32 = "f32"
    BF16 = "bf16"


class RuntimeChoice(StrEnum):
    """Which inference runtime runs the networks; ``AUTO`` takes OpenVINO where it is installed."""

    AUTO = "auto"
    OPENVINO = "openvino"
    ONNXRUNTIME = "onnxruntime"


class Pooling(StrEnum):
    """How a network's last feature map ``(n, h, w, d)`` becomes one vector for each photo."""

    AVG = "avg"
    MAX = "max"
    FLATTEN = "flatten"  # no pooling: the whole map in one row, (n, h * w * d)
