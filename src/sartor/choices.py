"""What settings and options offer to choose from. The command line reads these without loading anything heavy."""

from __future__ import annotations

from enum import StrEnum


class CatalogChoice(StrEnum):
    """Where a process reads the catalog: from a replica of its own, or from the servers that all share."""

    LOCAL = "local"
    SHARED = "shared"


class RuntimeChoice(StrEnum):
    """The inference runtime; ``AUTO`` is OpenVINO if it is installed."""

    AUTO = "auto"
    OPENVINO = "openvino"
    ONNXRUNTIME = "onnxruntime"


class Precision(StrEnum):
    """Arithmetic of the inference; ``AUTO`` is bf16 on CPUs with matrix units (AMX), else float32."""

    AUTO = "auto"
    F32 = "f32"
    BF16 = "bf16"


class Scaling(StrEnum):
    """Common scalings from a pixel in 0..255 to a network's input.

    Source: ``keras.applications.imagenet_utils.preprocess_input`` for ``caffe``, ``tf`` and ``torch``.
    """

    CAFFE = "caffe"  # BGR, the ImageNet mean subtracted
    TF = "tf"  # to [-1, 1]
    TORCH = "torch"  # ImageNet mean and standard deviation
    UNIT = "unit"  # to [0, 1]
    RAW = "raw"  # unchanged; the network scales them
    CLIP = "clip"  # mean and standard deviation of CLIP's training set


class ChannelOrder(StrEnum):
    """Order of the color channels that a network expects."""

    RGB = "RGB"
    BGR = "BGR"


class Layout(StrEnum):
    """Order of the axes of a network's input."""

    NHWC = "NHWC"
    NCHW = "NCHW"


class ResizePolicy(StrEnum):
    """How a photo of any shape becomes the network's input size."""

    STRETCH = "stretch"  # to the size, ignoring the aspect ratio, as Keras' load_img(target_size=...) does
    CROP = "crop"  # shorter side to the size, then the center
    PAD = "pad"  # longer side to the size, then white bars


class Resampling(StrEnum):
    """Filters for resizing, by Pillow's names."""

    NEAREST = "nearest"
    BOX = "box"
    BILINEAR = "bilinear"
    HAMMING = "hamming"
    BICUBIC = "bicubic"
    LANCZOS = "lanczos"


class Pooling(StrEnum):
    """How a network's last feature map ``(n, h, w, d)`` becomes one vector for each photo."""

    AVG = "avg"
    MAX = "max"
    FLATTEN = "flatten"  # no pooling: the whole map in one row, (n, h * w * d)


class ExportFormat(StrEnum):
    """The format of an export."""

    PICKLE = "pickle"
    NPZ = "npz"
    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"
    ANNOY = "annoy"
    FAISS = "faiss"
    QDRANT_EDGE = "qdrant-edge"

    @property
    def is_table(self) -> bool:
        """Whether it has the catalog without embeddings, which ``sartor index`` reads again."""
        return self in {ExportFormat.CSV, ExportFormat.JSONL}

    @property
    def suffix(self) -> str:
        """Suffix of the file; empty for a folder."""
        return f".{self}" if self.is_table or self in {ExportFormat.NPZ, ExportFormat.PARQUET} else ""

    @property
    def package(self) -> str:
        """The optional package that it needs; empty if it needs none."""
        return _PACKAGES.get(self, "")


_PACKAGES = {ExportFormat.PARQUET: "pyarrow", ExportFormat.ANNOY: "annoy", ExportFormat.FAISS: "faiss"}
SNAPSHOT = "qdrant-snapshot"  # not a format; a command that gets it explains why
