"""A network finds its weights in what was saved, wherever they lie in it, and takes nothing else."""

import numpy as np
import pytest

from sartor.choices import Pooling
from sartor.config import Settings
from sartor.encoders.networks import network
from sartor.errors import UnusableModel
from sartor.shop.library import export_model, open_models
from tests.cli.conftest import sartor  # noqa: F401 - the fixture

NEEDS_KERAS = "needs Keras: pip install 'sartor[keras]'"
random_weights = pytest.importorskip("tools.random_weights", reason=NEEDS_KERAS)
keras_export = pytest.importorskip("sartor.encoders.keras.export", reason=NEEDS_KERAS)
keras = random_weights.keras
h5py = pytest.importorskip("h5py")

from sartor.encoders.keras.model import DoesNotFit, fill, fill_older  # noqa: E402 - needs Keras

layers = keras.layers

# TensorFlow 2.21 has not caught up with NumPy 2's protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def small_network():
    """A network as those of keras.applications are made: named layers, a Sequential inside, a pooling inside."""
    photo = keras.Input((8, 8, 3))
    first = layers.Conv2D(4, 3, name="stem_conv")(photo)
    first = layers.BatchNormalization(name="stem_bn")(first)
    inner = keras.Sequential([keras.Input((6, 6, 4)), layers.Conv2D(4, 1, name="inner_conv")], name="inner")
    second = inner(first)
    squeezed = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(second)
    second = layers.Multiply(name="excite")([second, layers.Conv2D(4, 1, name="squeeze_conv")(squeezed)])
    third = layers.BatchNormalization(name="top_bn")(layers.Conv2D(5, 3, name="top_conv")(second))
    model = keras.Model(photo, third, name="small")
    rng = np.random.default_rng(len(model.weights))
    model.set_weights([rng.uniform(0.5, 1.5, each.shape) for each in model.get_weights()])
    return model


def alone(base):
    return base


def in_a_sequential(base):
    return keras.Sequential([keras.Input((8, 8, 3)), base, layers.GlobalMaxPooling2D()])


def with_a_classifier(base):
    return keras.Sequential([base, layers.GlobalAveragePooling2D(), layers.Dropout(0.5), layers.Dense(7)])


def grown_on_top(base):
    pooled = layers.GlobalMaxPooling2D()(base.output)
    return keras.Model(base.inputs, layers.Dense(7)(layers.BatchNormalization(name="neck")(pooled)))


def called_in_a_model(base):
    photo = keras.Input((8, 8, 3))
    flipped = layers.RandomFlip()(photo)
    return keras.Model(photo, layers.Dense(7)(layers.GlobalAveragePooling2D()(base(flipped))))


def frozen_below(base):
    for layer in base.layers[:4]:
        layer.trainable = False
    return with_a_classifier(base)


def frozen(base):
    base.trainable = False
    return with_a_classifier(base)


WAYS = {
    alone: (None, []),
    in_a_sequential: (Pooling.MAX, []),
    with_a_classifier: (Pooling.AVG, ["(5, 7)"]),
    grown_on_top: (Pooling.MAX, ["(5, 7)", "(5,)"]),
    called_in_a_model: (Pooling.AVG, ["(5, 7)"]),
    frozen_below: (Pooling.AVG, ["(5, 7)"]),
    frozen: (Pooling.AVG, ["(5, 7)"]),
}


@pytest.mark.parametrize("is_older", [False, True], ids=["keras 3", "older"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_weights_are_found_wherever_the_network_lies(tmp_path, way, is_older):
    base = small_network()
    file = saved(way(base), tmp_path, is_older=is_older)
    fresh = small_network()
    fresh.set_weights([np.zeros_like(each) for each in fresh.get_weights()])
    with h5py.File(file) as archive:
        told = (fill_older if is_older else fill)(fresh, archive)
    base.trainable = True
    for layer in base.layers:
        layer.trainable = True
    np.testing.assert_equal([each.numpy() for each in fresh.weights], [each.numpy() for each in base.weights])
    pooling, shapes = WAYS[way]
    assert told.pooling is pooling
    assert sorted(entry[entry.index("(") :] for entry in told.left_out) == shapes


@pytest.mark.parametrize("is_older", [False, True], ids=["keras 3", "older"])
def test_weights_of_another_shape_are_not_taken(tmp_path, is_older):
    other = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.Conv2D(5, 3)])
    with (
        h5py.File(saved(other, tmp_path, is_older=is_older)) as archive,
        pytest.raises(DoesNotFit),
    ):
        (fill_older if is_older else fill)(small_network(), archive)


def test_a_link_to_another_file_is_not_followed(tmp_path):
    file = saved(small_network(), tmp_path, is_older=False)
    with h5py.File(tmp_path / "secret.h5", "w") as secret:
        secret["numbers"] = np.zeros((3, 3, 3, 4), np.float32)
    with h5py.File(file, "a") as archive:
        del archive["layers/conv2d/vars/0"]
        archive["layers/conv2d/vars/0"] = h5py.ExternalLink(tmp_path / "secret.h5", "numbers")
    with h5py.File(file) as archive, pytest.raises(DoesNotFit):
        fill(small_network(), archive)


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory):
    """The model of the usual tutorial, on the smallest network, with random weights."""
    folder = tmp_path_factory.mktemp("tutorial")
    random_weights.save_random_weights(
        network("mobilenet_v2"), folder / "base.weights.h5", rng=np.random.default_rng(3)
    )
    base = keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=(224, 224, 3))
    model = keras.Sequential([base, layers.GlobalMaxPooling2D()])
    model.load_weights(_wrapped(folder / "base.weights.h5", folder / "tutorial.weights.h5"))
    return model, folder / "tutorial.weights.h5"


def test_the_model_of_the_tutorial_is_added_and_computes_what_keras_computes(tutorial, tmp_path, sartor):  # noqa: F811
    model, file = tutorial
    added = ("models", "add", file, "--network", "mobilenet_v2", "--id", "mine", "--json")
    card = sartor(*added, "--home", tmp_path / "home").json()
    assert (card["dimension"], card["license"], card["resizing"]) == (1280, "unknown", None)
    assert card["origin"].startswith("keras.applications.MobileNetV2, weights from tutorial.weights.h5 (sha256 ")
    ort = pytest.importorskip("onnxruntime", reason="needs ONNX Runtime: pip install 'sartor[onnxruntime]'")
    photos = np.random.default_rng(5).uniform(-1, 1, (4, 7, 7, 3)).repeat(32, axis=1).repeat(32, axis=2)
    scaled = photos.astype(np.float32)
    session = ort.InferenceSession(tmp_path / "home" / "models" / "mine" / "model.onnx")
    (ours,) = session.run(["embedding"], {"photo": scaled})
    theirs = model(scaled, training=False).numpy()
    cosines = (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert cosines.min() > 0.9999
    assert np.allclose(ours, theirs, rtol=1e-2, atol=1e-2)


def test_an_export_that_computes_something_else_is_refused(tutorial, tmp_path, monkeypatch):
    monkeypatch.setattr(keras_export, "to_onnx", _with_other_weights(keras_export.to_onnx))
    settings = Settings(home=tmp_path / "home")
    with pytest.raises(UnusableModel, match=r"tutorial\.weights\.h5 .* gives other embeddings than Keras itself"):
        export_model(settings, "mobilenet_v2", pooling=None, weights=tutorial[1], model_id="mine")
    assert open_models(settings).cards() == ()


def test_a_keras_file_without_its_network_is_wrong_usage(sartor, tmp_path):  # noqa: F811
    (tmp_path / "mine.weights.h5").write_bytes(b"")
    outcome = sartor("models", "add", tmp_path / "mine.weights.h5", "--id", "mine")
    assert outcome.code == 2
    assert "--network resnet50" in " ".join(outcome.err.replace("│", " ").split())


def saved(model, folder, *, is_older):
    if not is_older:
        model.save_weights(folder / "saved.weights.h5")
        return folder / "saved.weights.h5"
    from keras.src.legacy.saving import legacy_h5_format  # Keras 3 reads the format, and writes it nowhere else

    with h5py.File(folder / "saved.h5", "w") as archive:
        legacy_h5_format.save_weights_to_hdf5_group(archive, model)
    return folder / "saved.h5"


def _wrapped(base, file):
    """The weights of a network as those of a Sequential with pooling behind it."""
    with h5py.File(base) as inner, h5py.File(file, "w") as outer:
        inner.copy(inner["layers"], outer.create_group("layers/functional"), "layers")
        del outer[
            "layers/functional/layers/global_average_pooling2d"
        ]  # of the random network, not of the tutorial's
        outer.create_group("layers/global_max_pooling2d/vars")
        outer.create_group("layers/functional/vars")
    return file


def _with_other_weights(to_onnx):
    def convert(model, *, name):
        before = model.get_weights()
        model.set_weights([each[::-1] if each.ndim == 4 else each for each in before])
        try:
            return to_onnx(model, name=name)
        finally:
            model.set_weights(before)

    return convert
