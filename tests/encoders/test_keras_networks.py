"""The table of networks is right: in itself, and about the Keras that is installed."""

import numpy as np
import pytest

from sartor.encoders.card import MODEL_ID, ChannelOrder, PixelScaling
from sartor.encoders.choices import Pooling, Scaling
from sartor.encoders.keras_networks import NETWORKS, network
from sartor.errors import ModelNotFound

NAMES = ["resnet50", "vgg16", "inception_v3", "mobilenet_v2", "efficientnet_b0", "convnext_tiny"]

# TensorFlow 2.21 has not caught up with NumPy 2's protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.fixture(scope="module")
def keras():
    backend = pytest.importorskip(
        "sartor.encoders.keras_backend", reason="needs Keras: pip install 'sartor[keras]'"
    )
    return backend.keras


def test_the_six_networks_are_known_by_name():
    assert list(NETWORKS) == NAMES
    assert all(network(name).name == name for name in NAMES)


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ModelNotFound, match=r"'resnet'.*resnet50, vgg16"):
        network("resnet")


def test_average_pooling_gives_the_plain_id_and_max_pooling_says_so():
    assert network("resnet50").model_id(Pooling.AVG) == "resnet50"
    assert network("resnet50").model_id(Pooling.MAX) == "resnet50-max"


@pytest.mark.parametrize("name", NAMES)
def test_every_id_is_one_that_a_card_takes(name):
    assert all(MODEL_ID.fullmatch(network(name).model_id(pooling)) for pooling in Pooling)


@pytest.mark.parametrize(
    ("name", "scaling"),
    [
        ("resnet50", Scaling.CAFFE),
        ("vgg16", Scaling.CAFFE),
        ("inception_v3", Scaling.TF),
        ("mobilenet_v2", Scaling.TF),
        ("efficientnet_b0", Scaling.RAW),
        ("convnext_tiny", Scaling.RAW),
    ],
)
def test_pixels_are_scaled_as_the_paper_of_the_network_has_it(name, scaling):
    assert network(name).scaling is scaling


@pytest.mark.parametrize("name", NAMES)
def test_pixels_are_scaled_as_keras_does_for_that_network(keras, name):
    photos = np.random.default_rng(7).integers(0, 256, (2, 5, 4, 3)).astype(np.float32)
    preprocess = _module(keras, network(name)).preprocess_input
    scaling = PixelScaling.named(network(name).scaling)
    ordered = photos[..., ::-1] if scaling.channel_order is ChannelOrder.BGR else photos
    scaled = (ordered - np.float32(scaling.mean)) / np.float32(scaling.std)
    np.testing.assert_allclose(scaled, preprocess(photos.copy()), atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_input_size_is_the_one_keras_takes_by_default(keras, name):
    application = getattr(keras.applications, network(name).class_name)
    assert application(weights=None).input_shape == (None, network(name).size_px, network(name).size_px, 3)


@pytest.mark.parametrize("name", NAMES)
def test_the_official_weights_are_the_file_that_keras_fetches(keras, name, monkeypatch):
    asked = {}

    class Asked(Exception):
        pass

    def get_file(fname, origin, *, cache_subdir, file_hash=None):
        asked.update(fname=fname, origin=origin, cache_subdir=cache_subdir, file_hash=file_hash)
        raise Asked

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)
    with pytest.raises(Asked):
        getattr(keras.applications, network(name).class_name)(weights="imagenet", include_top=False)
    assert asked["origin"] == network(name).weights_url
    assert asked["fname"] == network(name).weights_url.rpartition("/")[2]
    assert asked["file_hash"] == network(name).weights_hash
    assert asked["cache_subdir"] == "models"


def _module(keras, net):
    by_class = {
        "ResNet50": "resnet50",
        "VGG16": "vgg16",
        "InceptionV3": "inception_v3",
        "MobileNetV2": "mobilenet_v2",
        "EfficientNetB0": "efficientnet",
        "ConvNeXtTiny": "convnext",
    }
    return getattr(keras.applications, by_class[net.class_name])
