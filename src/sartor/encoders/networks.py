"""The ImageNet networks that can be exported by name, as data: what each expects and where its weights come from.

It imports no Keras, so that names are listed and checked at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from sartor.choices import Pooling, Scaling
from sartor.errors import ModelNotFound

_APPLICATIONS = "https://storage.googleapis.com/tensorflow/keras-applications"


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasNetwork:
    """A network of ``keras.applications``, without its classifier.

    Attributes:
        class_name: Name of the function in ``keras.applications``.
        dimension: Length of an embedding with average or maximum pooling.
        parameters: Number of weights, float32 each.
        size_px: Height and width of the input that the weights were trained for.
        scaling: From pixels in 0..255 to the input that the weights were trained for.
        weights_url: The official ImageNet weights, the file that Keras itself fetches.
        weights_hash: MD5 or SHA-256 of that file, as Keras has it; None if Keras has none.
        license: License of those weights, as an SPDX id.
        early_until: Last layer of the early part, down to an eighth of the photo's side. It sees edges and
            colors, which fashion needs as ImageNet does, and takes more than half of a training step.
        imagenet_scale: Factors for red, green and blue after the network's own normalization. Keras adds
            this layer only with the ImageNet weights, which were trained with it.
    """

    name: str
    class_name: str
    dimension: int
    parameters: int
    size_px: int = 224
    scaling: Scaling
    weights_url: str
    weights_hash: str | None
    license: str
    early_until: str
    imagenet_scale: tuple[float, float, float] | None = None

    def model_id(self, pooling: Pooling) -> str:
        """Default id of an exported model: ``resnet50``, or ``resnet50-max``."""
        return self.name if pooling is Pooling.AVG else f"{self.name}-{pooling}"


# Licenses as the weights' first publishers gave them: He et al. (ResNet), the VGG group at Oxford, Google's
# tensorflow/models (Inception, MobileNet) and tensorflow/tpu (EfficientNet), Meta's ConvNeXt repository.
_NETWORKS = (
    KerasNetwork(
        name="resnet50",
        class_name="ResNet50",
        dimension=2048,
        parameters=23_587_712,
        scaling=Scaling.CAFFE,
        weights_url=f"{_APPLICATIONS}/resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        weights_hash="4d473c1dd8becc155b73f8504c6f6626",
        license="MIT",
        early_until="conv3_block4_out",
    ),
    KerasNetwork(
        name="vgg16",
        class_name="VGG16",
        dimension=512,
        parameters=14_714_688,
        scaling=Scaling.CAFFE,
        weights_url=f"{_APPLICATIONS}/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        weights_hash="6d6bbae143d832006294945121d1f1fc",
        license="CC-BY-4.0",
        early_until="block3_pool",
    ),
    KerasNetwork(
        name="inception_v3",
        class_name="InceptionV3",
        dimension=2048,
        parameters=21_802_784,
        size_px=299,
        scaling=Scaling.TF,
        weights_url=f"{_APPLICATIONS}/inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
        weights_hash="bcbd6486424b2319ff4ef7d526e38f63",
        license="Apache-2.0",
        early_until="mixed2",
    ),
    KerasNetwork(
        name="mobilenet_v2",
        class_name="MobileNetV2",
        dimension=1280,
        parameters=2_257_984,
        scaling=Scaling.TF,
        weights_url=(
            f"{_APPLICATIONS}/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
        ),
        weights_hash=None,
        license="Apache-2.0",
        early_until="block_5_add",
    ),
    KerasNetwork(
        name="efficientnet_b0",
        class_name="EfficientNetB0",
        dimension=1280,
        parameters=4_049_571,
        scaling=Scaling.RAW,
        weights_url="https://storage.googleapis.com/keras-applications/efficientnetb0_notop.h5",
        weights_hash="50bc09e76180e00e4465e1a485ddc09d",
        license="Apache-2.0",
        early_until="block3b_add",
        # 1 / sqrt(standard deviation): tensorflow issue 49930 tells why the weights need it
        imagenet_scale=(0.229**-0.5, 0.224**-0.5, 0.225**-0.5),
    ),
    KerasNetwork(
        name="convnext_tiny",
        class_name="ConvNeXtTiny",
        dimension=768,
        parameters=27_820_128,
        scaling=Scaling.RAW,
        weights_url=f"{_APPLICATIONS}/convnext/convnext_tiny_notop.h5",
        weights_hash="d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
        license="MIT",
        early_until="convnext_tiny_stage_1_block_2_identity",
    ),
)

NETWORKS = {network.name: network for network in _NETWORKS}


def network(name: str) -> KerasNetwork:
    """A network by name.

    Raises:
        ModelNotFound: No network has this name.
    """
    try:
        return NETWORKS[name]
    except KeyError:
        raise ModelNotFound(name, known=tuple(NETWORKS)) from None
