"""The table of networks: its names and ids, and the scaling that Keras uses for each."""

import numpy as np
import pytest

from sartor.choices import ChannelOrder, Pooling, Scaling
from sartor.encoders.card import MODEL_ID, PixelScaling
from sartor.encoders.networks import NETWORKS, network
from sartor.errors import ModelNotFound

MODULES = {  # of keras.applications
    "resnet50": "resnet50",
    "vgg16": "vgg16",
    "inception_v3": "inception_v3",
    "mobilenet_v2": "mobilenet_v2",
    "efficientnet_b0": "efficientnet",
    "convnext_tiny": "convnext",
}


def test_the_six_networks_are_known_by_name():
    assert list(NETWORKS) == list(MODULES)
    assert all(network(name).name == name for name in NETWORKS)


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ModelNotFound, match=r"'resnet'.*resnet50, vgg16"):
        network("resnet")


def test_average_pooling_gives_the_plain_id_and_max_pooling_says_so():
    assert network("resnet50").model_id(Pooling.AVG) == "resnet50"
    assert network("resnet50").model_id(Pooling.MAX) == "resnet50-max"


@pytest.mark.parametrize("name", NETWORKS)
def test_every_id_is_one_that_a_card_takes(name):
    assert all(MODEL_ID.fullmatch(network(name).model_id(pooling)) for pooling in Pooling)


@pytest.mark.parametrize("name", NETWORKS)
def test_only_inception_takes_larger_photos(name):
    assert network(name).size_px == (299 if name == "inception_v3" else 224)


@pytest.mark.parametrize(
    ("scaling", "names"),
    [
        (Scaling.CAFFE, ["resnet50", "vgg16"]),
        (Scaling.TF, ["inception_v3", "mobilenet_v2"]),
        (Scaling.RAW, ["efficientnet_b0", "convnext_tiny"]),
    ],
)
def test_each_network_has_the_scaling_that_it_was_trained_with(scaling, names):
    assert [name for name in NETWORKS if network(name).scaling is scaling] == names


@pytest.mark.parametrize("name", NETWORKS)
def test_pixels_are_scaled_as_keras_does_for_that_network(name):
    backend = pytest.importorskip(
        "sartor.encoders.keras.backend", reason="needs Keras: pip install 'sartor[keras]'"
    )
    preprocess = getattr(backend.keras.applications, MODULES[name]).preprocess_input
    photos = np.random.default_rng(7).integers(0, 256, (2, 5, 4, 3)).astype(np.float32)
    scaling = PixelScaling.named(network(name).scaling)
    ordered = photos[..., ::-1] if scaling.channel_order is ChannelOrder.BGR else photos
    scaled = (ordered - np.float32(scaling.mean)) / np.float32(scaling.std)
    np.testing.assert_allclose(scaled, preprocess(photos.copy()), atol=1e-4)
