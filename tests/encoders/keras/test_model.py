"""Weights are read from the files that Keras writes, and every other file is refused in one sentence."""

import numpy as np
import pytest

from sartor.choices import Pooling
from sartor.encoders.networks import network
from sartor.errors import UnusableModel

NEEDS_KERAS = "needs Keras: pip install 'sartor[keras]'"
keras_model = pytest.importorskip("sartor.encoders.keras.model", reason=NEEDS_KERAS)
random_weights = pytest.importorskip("tools.random_weights", reason=NEEDS_KERAS)
keras = keras_model.keras

# TensorFlow 2.21 has not caught up with NumPy 2's protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.fixture(scope="module")
def mobilenet_weights(tmp_path_factory):
    return _random_weights("mobilenet_v2", tmp_path_factory.mktemp("weights"))


def test_random_weights_follow_their_seed(mobilenet_weights, tmp_path):
    again = _load(_random_weights("mobilenet_v2", tmp_path)).get_weights()
    np.testing.assert_equal(again, _load(mobilenet_weights).get_weights())


def test_the_older_format_of_keras_applications_is_read(tmp_path):
    model = keras_model.build(network("efficientnet_b0"), pooling=Pooling.AVG)
    older = _save_older_format(model, tmp_path / "random_notop.h5")
    again = keras_model.load(network("efficientnet_b0"), older, pooling=Pooling.AVG)
    np.testing.assert_equal(again.get_weights(), model.get_weights())


def test_a_network_is_built_channels_last_and_the_settings_of_keras_are_the_callers_again():
    keras.config.set_image_data_format("channels_first")
    try:
        model = keras_model.build(network("vgg16"), pooling=Pooling.AVG)
        assert model.input_shape == (None, 224, 224, 3)
        assert keras.config.image_data_format() == "channels_first"
    finally:
        keras.config.set_image_data_format("channels_last")


def test_weights_of_another_network_are_refused(mobilenet_weights):
    with pytest.raises(UnusableModel, match="do not fit vgg16; is it another network's file") as caught:
        keras_model.load(network("vgg16"), mobilenet_weights, pooling=Pooling.AVG)
    assert "\n" not in str(caught.value)


def test_the_classifier_of_keras_applications_is_left_out(tmp_path):
    model = keras.applications.MobileNetV2(weights=None)
    older = _save_older_format(model, tmp_path / "with_top.h5")
    loaded = keras_model.read(network("mobilenet_v2"), older)
    np.testing.assert_equal(loaded.model.get_weights(), model.get_weights()[:-2])
    assert loaded.facts.left_out == ("predictions (1280, 1000)",)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UnusableModel, match=r"none\.weights\.h5 cannot be used as a model: there is no such file"):
        _load(tmp_path / "none.weights.h5")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(UnusableModel, match="there is no such file"):
        _load(tmp_path)


def test_a_text_file_is_refused(tmp_path):
    (tmp_path / "text.weights.h5").write_text("not HDF5")
    with pytest.raises(UnusableModel, match="not a whole HDF5 file"):
        _load(tmp_path / "text.weights.h5")


def test_half_a_file_is_refused(mobilenet_weights, tmp_path):
    (tmp_path / "half.weights.h5").write_bytes(mobilenet_weights.read_bytes()[:1_000_000])
    with pytest.raises(UnusableModel, match="not a whole HDF5 file"):
        _load(tmp_path / "half.weights.h5")


def test_a_file_whose_name_hides_its_format_is_read(mobilenet_weights, tmp_path):
    (tmp_path / "renamed.h5").write_bytes(mobilenet_weights.read_bytes())
    np.testing.assert_equal(_load(tmp_path / "renamed.h5").get_weights(), _load(mobilenet_weights).get_weights())


@pytest.mark.parametrize("name", ["m.h5", "m.keras"])
def test_a_file_that_holds_a_whole_model_is_never_loaded(tmp_path, name):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / name)
    with pytest.raises(UnusableModel, match=r"may carry code; save its weights alone: model\.save_weights"):
        _load(tmp_path / name)


def _random_weights(name, directory):
    file = directory / "random.weights.h5"
    random_weights.save_random_weights(network(name), file, rng=np.random.default_rng(3))
    return file


def _load(file):
    return keras_model.load(network("mobilenet_v2"), file, pooling=Pooling.AVG)


def _save_older_format(model, file):
    from keras.src.legacy.saving import legacy_h5_format  # Keras 3 reads the format, and writes it nowhere else

    with keras_model.h5py.File(file, "w") as archive:
        legacy_h5_format.save_weights_to_hdf5_group(archive, model)
    return file
