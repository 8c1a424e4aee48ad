"""An exported network computes what Keras computes, and its card says what has to be known of it."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest

from sartor.choices import ChannelOrder, Layout, Pooling
from sartor.encoders.card import ModelCard, PixelScaling
from sartor.encoders.networks import NETWORKS, network
from sartor.errors import UnusableModel

NEEDS_KERAS = "needs Keras: pip install 'sartor[keras]'"
keras_export = pytest.importorskip("sartor.encoders.keras.export", reason=NEEDS_KERAS)
random_weights = pytest.importorskip("tools.random_weights", reason=NEEDS_KERAS)
keras = random_weights.keras

REAL_WEIGHTS = (
    Path(__file__).resolve().parents[3].parent / "shared" / "data" / "mobilenet_v2_imagenet_notop.weights.h5"
)

# TensorFlow 2.21 has not caught up with NumPy 2's protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@dataclass(frozen=True, kw_only=True)
class Said:
    """What Keras itself does: what it fetches, and the embeddings (n, d) that it computes."""

    fetched: dict
    embeddings: np.ndarray


@dataclass(kw_only=True)
class Exported:
    """An exported network with random weights, beside what Keras says of the same weights."""

    card: ModelCard
    file: Path
    weights: Path
    said: Said

    @cached_property
    def run(self):
        return _onnx_runtime(self.file)


@pytest.fixture(scope="module")
def export_once(tmp_path_factory):
    """Exports a network with random weights when it is first asked for."""
    done = {}

    def export(name):
        if name not in done:
            directory = tmp_path_factory.mktemp(name)
            weights = directory / "random.weights.h5"
            random_weights.save_random_weights(network(name), weights, rng=np.random.default_rng(3))
            card = keras_export.export(network(name), directory=directory, weights=weights)
            said = _keras_says(name, weights)
            done[name] = Exported(card=card, file=directory / "model.onnx", weights=weights, said=said)
        return done[name]

    yield export
    for exported in done.values():  # pytest keeps its folders, and these are 700 MB
        exported.file.unlink()
        exported.weights.unlink()


@pytest.fixture(params=list(NETWORKS))
def exported(request, export_once):
    return export_once(request.param)


def test_onnx_runtime_gives_what_keras_gives(exported):
    _assert_same(exported.run(_scaled(exported.card)), exported.said.embeddings)


def test_openvino_gives_what_keras_gives(exported):
    ov = pytest.importorskip("openvino")
    compiled = ov.Core().compile_model(exported.file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    _assert_same(compiled(_scaled(exported.card))["embedding"], exported.said.embeddings)


def test_different_photos_get_different_embeddings(exported):
    embeddings = exported.said.embeddings
    assert _cosines(embeddings, np.roll(embeddings, 1, axis=0)).max() < 0.999


def test_an_embedding_does_not_depend_on_its_batch(exported):
    alone = np.concatenate([exported.run(photo[None]) for photo in _scaled(exported.card)])
    _assert_same(alone, exported.said.embeddings)


def test_a_graph_has_one_input_one_output_and_a_free_batch_size(exported):
    graph = pytest.importorskip("onnx").load(exported.file).graph
    assert [_port(value) for value in graph.input] == [("photo", "n", *exported.card.size_px, 3)]
    assert [_port(value) for value in graph.output] == [("embedding", "n", exported.card.dimension)]


def test_a_card_describes_its_network(exported):
    net = network(exported.card.id)
    assert exported.said.embeddings.shape[1] == net.dimension
    assert exported.card == ModelCard(
        id=net.name,
        sha256=_sha256(exported.file),
        size_px=(net.size_px, net.size_px),
        layout=Layout.NHWC,
        scaling=PixelScaling.named(net.scaling),
        output="embedding",
        dimension=net.dimension,
        license="unknown",
        origin=f"keras.applications.{net.class_name}, weights from random.weights.h5 "
        f"(sha256 {_sha256(exported.weights)})",
    )


def test_the_official_weights_are_the_file_that_keras_fetches(exported):
    net = network(exported.card.id)
    file = net.weights_url.rpartition("/")[2]
    expected = {"fname": file, "origin": net.weights_url, "cache_subdir": "models", "file_hash": net.weights_hash}
    assert exported.said.fetched == expected


def test_official_weights_give_the_same_bytes_without_a_word_on_the_terminal(export_once, tmp_path, capfd):
    vgg = export_once("vgg16")
    net = replace(network("vgg16"), weights_url=vgg.weights.as_uri(), weights_hash=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
        capfd.readouterr()
        card = keras_export.export(net, directory=tmp_path)
    assert capfd.readouterr() == ("", "")
    assert card.sha256 == vgg.card.sha256
    assert card.license == "CC-BY-4.0"
    assert card.origin.startswith("keras.applications.VGG16, ImageNet weights random.weights.h5 (sha256 ")


def test_max_pooling_gives_what_keras_gives(export_once, tmp_path):
    vgg = export_once("vgg16")
    card = keras_export.export(network("vgg16"), directory=tmp_path, weights=vgg.weights, pooling=Pooling.MAX)
    said = _keras_says("vgg16", vgg.weights, pooling="max")
    _assert_same(_onnx_runtime(tmp_path / "model.onnx")(_scaled(card)), said.embeddings)
    assert card.id == "vgg16-max"
    assert _cosines(said.embeddings, vgg.said.embeddings).max() < 0.999


@pytest.mark.skipif(not REAL_WEIGHTS.is_file(), reason=f"needs {REAL_WEIGHTS}")
def test_imagenet_weights_from_disk_give_what_keras_gives(tmp_path):
    card = keras_export.export(
        network("mobilenet_v2"), directory=tmp_path, weights=REAL_WEIGHTS, model_id="from-disk"
    )
    said = _keras_says("mobilenet_v2", REAL_WEIGHTS)
    _assert_same(_onnx_runtime(tmp_path / "model.onnx")(_scaled(card)), said.embeddings)
    assert card.id == "from-disk"


def test_an_unusable_weights_file_leaves_no_model_behind(tmp_path):
    with pytest.raises(UnusableModel, match="there is no such file"):
        keras_export.export(network("vgg16"), directory=tmp_path, weights=tmp_path / "none.weights.h5")
    assert not list(tmp_path.iterdir())


def test_an_id_that_no_card_takes_is_refused_before_any_work(tmp_path):
    with pytest.raises(UnusableModel, match="its id 'My Model' must be of lower-case letters"):
        keras_export.export(network("vgg16"), directory=tmp_path, model_id="My Model")


def test_a_process_that_uses_keras_otherwise_is_told_to_export_from_a_new_one(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(UnusableModel, match="already uses Keras with jax; export from a new one"):
        keras_export.export(network("vgg16"), directory=tmp_path)


def _photos(size_px):
    """Three photos of large colored blocks with some noise, (3, h, w, 3) uint8."""
    rng = np.random.default_rng(5)
    cell_px = size_px // 4 + 1
    blocks = rng.integers(0, 256, (3, 4, 4, 3)).repeat(cell_px, axis=1).repeat(cell_px, axis=2)
    noise = rng.normal(0, 20, (3, size_px, size_px, 3))
    return np.clip(blocks[:, :size_px, :size_px] + noise, 0, 255).astype(np.uint8)


def _scaled(card):
    photos = _photos(card.size_px[0])
    ordered = photos[..., ::-1] if card.scaling.channel_order is ChannelOrder.BGR else photos
    return (ordered.astype(np.float32) - np.float32(card.scaling.mean)) / np.float32(card.scaling.std)


def _keras_says(name, weights, *, pooling="avg"):
    """Build, fill, scale and run as Keras does for its ImageNet weights, but from our file."""
    fetched = {}

    def get_file(fname, origin, *, cache_subdir, file_hash=None):
        fetched.update(fname=fname, origin=origin, cache_subdir=cache_subdir, file_hash=file_hash)
        return str(weights)

    side_px = network(name).size_px
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keras.src.utils.file_utils.get_file", get_file)
        application = getattr(keras.applications, network(name).class_name)
        model = application(
            weights="imagenet", include_top=False, pooling=pooling, input_shape=(side_px, side_px, 3)
        )
    module = {"efficientnet_b0": "efficientnet", "convnext_tiny": "convnext"}.get(name, name)
    scaled = getattr(keras.applications, module).preprocess_input(_photos(side_px).astype(np.float32))
    return Said(fetched=fetched, embeddings=model(scaled, training=False).numpy())


def _onnx_runtime(file):
    ort = pytest.importorskip("onnxruntime", reason="needs ONNX Runtime: pip install 'sartor[onnxruntime]'")
    session = ort.InferenceSession(file)
    return lambda scaled: session.run(["embedding"], {"photo": scaled})[0]


def _assert_same(embeddings, expected):
    assert embeddings.shape == expected.shape
    assert embeddings.dtype == np.float32
    assert _cosines(embeddings, expected).min() > 0.9999
    # What all photos have in common must not hide what sets them apart.
    assert _cosines(embeddings - embeddings.mean(axis=0), expected - expected.mean(axis=0)).min() > 0.9999
    # The length counts too: an embedding leaves the network as it is, not normalized.
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), np.linalg.norm(expected, axis=1), rtol=1e-3)


def _cosines(one, other):
    return (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


def _port(value):
    return (value.name, *(axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim))


def _sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()
