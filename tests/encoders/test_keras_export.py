"""An exported network computes what Keras computes, and what cannot be exported is refused in one sentence."""

import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from sartor.encoders.card import ChannelOrder, Layout, ModelCard, PixelScaling
from sartor.encoders.choices import Pooling
from sartor.encoders.keras_networks import NETWORKS, network
from sartor.errors import UnusableModel, WeightsUnavailable

NEEDS_KERAS = "needs Keras: pip install 'sartor[keras]'"
keras_export = pytest.importorskip("sartor.encoders.keras_export", reason=NEEDS_KERAS)
keras_model = pytest.importorskip("sartor.encoders.keras_model", reason=NEEDS_KERAS)
keras_fetch = pytest.importorskip("sartor.encoders.keras_fetch", reason=NEEDS_KERAS)
keras_random = pytest.importorskip("sartor.encoders.keras_random", reason=NEEDS_KERAS)
keras = pytest.importorskip("keras", reason=NEEDS_KERAS)

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
REAL_WEIGHTS = SHARED / "mobilenet_v2_imagenet_notop.weights.h5"

# TensorFlow 2.21 has not caught up with NumPy 2's protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@dataclass(frozen=True, kw_only=True)
class Exported:
    """An exported network beside what Keras says: ``photos`` (n, h, w, 3) uint8, ``expected`` (n, d)."""

    card: ModelCard
    file: Path
    weights: Path
    photos: np.ndarray
    expected: np.ndarray


@pytest.fixture(scope="module", params=list(NETWORKS))
def exported(request):
    with TemporaryDirectory() as directory:
        weights = _random_weights(request.param, Path(directory))
        yield _export(request.param, Path(directory), weights)


@pytest.fixture(scope="module")
def random_mobilenet(tmp_path_factory):
    return _random_weights("mobilenet_v2", tmp_path_factory.mktemp("weights"))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of Keras; the folder of its weights."""
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path / "keras"))
    (tmp_path / "keras").mkdir()
    return tmp_path / "keras" / "models"


def test_onnx_runtime_gives_what_keras_gives(exported):
    _assert_same(_onnx_runtime(exported.file, _scaled(exported)), exported.expected)


def test_openvino_gives_what_keras_gives(exported):
    ov = pytest.importorskip("openvino")
    compiled = ov.Core().compile_model(exported.file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    _assert_same(compiled(_scaled(exported))["embedding"], exported.expected)


def test_different_photos_get_clearly_different_embeddings(exported):
    assert np.abs(_cosines(exported.expected, np.roll(exported.expected, 1, axis=0))).max() < 0.99


def test_an_embedding_does_not_depend_on_its_batch(exported):
    scaled = _scaled(exported)
    together = _onnx_runtime(exported.file, scaled)
    alone = _onnx_runtime(exported.file, scaled[1:2])
    np.testing.assert_allclose(alone[0], together[1], rtol=1e-3, atol=1e-3 * np.abs(together).max())


def test_a_graph_has_one_input_one_output_and_a_free_batch_size(exported):
    graph = pytest.importorskip("onnx").load(exported.file).graph
    assert [_shape(port) for port in graph.input] == [("photo", "n", *exported.card.size_px, 3)]
    assert [_shape(port) for port in graph.output] == [("embedding", "n", exported.card.dimension)]


def test_a_card_describes_its_network(exported):
    net = network(exported.card.id)
    sha256 = keras_export.hashlib.sha256(exported.file.read_bytes()).hexdigest()
    assert exported.card.sha256 == sha256
    assert exported.card.size_px == (net.size_px, net.size_px)
    assert exported.card.layout is Layout.NHWC
    assert exported.card.scaling == PixelScaling.named(net.scaling)
    assert exported.card.output == "embedding"
    assert exported.card.dimension == exported.expected.shape[1]
    assert exported.card.origin.startswith(
        f"keras.applications.{net.class_name}, weights from random.weights.h5 (sha256 "
    )


def test_a_license_of_weights_that_somebody_brings_is_not_guessed(exported):
    assert exported.card.license == "unknown"


def test_max_pooling_of_official_weights_gives_what_keras_gives(random_mobilenet, cache, tmp_path, caplog):
    net = replace(network("mobilenet_v2"), weights_url=random_mobilenet.as_uri())
    with caplog.at_level(logging.INFO, "sartor"):
        card = keras_export.export(net, directory=tmp_path, pooling=Pooling.MAX)
    assert card.id == "mobilenet_v2-max"
    assert card.license == "Apache-2.0"
    assert card.origin.startswith("keras.applications.MobileNetV2, ImageNet weights random.weights.h5 (sha256 ")
    assert "exported mobilenet_v2-max" in caplog.text
    photos = _photos(net.size_px)
    expected = _keras_says("mobilenet_v2", random_mobilenet, photos, pooling="max")
    actual = _onnx_runtime(tmp_path / "model.onnx", _scale(photos, card))
    _assert_same(actual, expected)
    assert not np.allclose(expected, _keras_says("mobilenet_v2", random_mobilenet, photos), rtol=0.1)


@pytest.mark.skipif(not REAL_WEIGHTS.is_file(), reason=f"needs {REAL_WEIGHTS}")
def test_imagenet_weights_from_disk_give_what_keras_gives(tmp_path):
    card = keras_export.export(network("mobilenet_v2"), directory=tmp_path, weights=REAL_WEIGHTS, model_id="real")
    photos = _photos(224)
    actual = _onnx_runtime(tmp_path / "model.onnx", _scale(photos, card))
    _assert_same(actual, _keras_says("mobilenet_v2", REAL_WEIGHTS, photos))
    assert card.id == "real"


def test_the_same_weights_give_the_same_bytes_and_no_noise(random_mobilenet, tmp_path, capfd):
    first = keras_export.export(network("mobilenet_v2"), directory=tmp_path, weights=random_mobilenet)
    second = keras_export.export(network("mobilenet_v2"), directory=tmp_path, weights=random_mobilenet)
    assert first == second
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["efficientnet_b0", "convnext_tiny"])
def test_the_older_weights_format_is_read_as_keras_reads_it(name, tmp_path):
    model = _keras_model(name, _random_weights(name, tmp_path))
    older = _save_older_format(model, tmp_path / "random_notop.h5")
    ours = keras_model.build(network(name), pooling=Pooling.AVG)
    keras_model.load_weights(ours, older, network=network(name))
    photos = _photos(224).astype(np.float32)
    np.testing.assert_allclose(ours(photos).numpy(), model(photos).numpy(), rtol=1e-4, atol=1e-4)


def test_random_weights_follow_their_seed(tmp_path, random_mobilenet):
    again = _random_weights("mobilenet_v2", tmp_path)
    assert _sorted_weights(again) == _sorted_weights(random_mobilenet)


def test_the_settings_of_keras_are_the_callers_again_afterwards(monkeypatch):
    keras.config.set_image_data_format("channels_first")
    try:
        model = keras_model.build(network("vgg16"), pooling=Pooling.AVG)
        assert model.input_shape == (None, 224, 224, 3)
        assert keras.config.image_data_format() == "channels_first"
    finally:
        keras.config.set_image_data_format("channels_last")


def test_weights_of_another_network_are_refused(random_mobilenet, tmp_path):
    _assert_refused(random_mobilenet, tmp_path, name="vgg16", match="do not fit vgg16.*another network's file")


def test_weights_with_the_classifier_in_the_older_format_are_refused(tmp_path):
    file = _save_older_format(keras.applications.MobileNetV2(weights=None), tmp_path / "with_top.h5")
    _assert_refused(file, tmp_path, match="do not fit mobilenet_v2.*with the classifier.*_notop")


def test_a_missing_weights_file_is_refused(tmp_path):
    _assert_refused(tmp_path / "none.weights.h5", tmp_path, match="there is no such file")


def test_a_text_file_is_no_weights_file(tmp_path):
    file = tmp_path / "text.weights.h5"
    file.write_text("not HDF5")
    _assert_refused(file, tmp_path, match="not a whole HDF5 file")


def test_half_a_weights_file_is_refused(random_mobilenet, tmp_path):
    file = tmp_path / "half.weights.h5"
    file.write_bytes(random_mobilenet.read_bytes()[:1_000_000])
    _assert_refused(file, tmp_path, match="not a whole HDF5 file")


@pytest.mark.filterwarnings("ignore:.*HDF5 file.*legacy:UserWarning")
@pytest.mark.parametrize(("name", "match"), [("m.h5", "may carry code"), ("m.keras", "not a whole HDF5 file")])
def test_a_file_that_holds_a_whole_model_is_never_loaded(tmp_path, name, match):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / name)
    _assert_refused(tmp_path / name, tmp_path, match=match)


def test_a_weights_file_whose_name_hides_its_format_is_refused(random_mobilenet, tmp_path):
    file = tmp_path / "renamed.h5"
    file.write_bytes(random_mobilenet.read_bytes())
    _assert_refused(file, tmp_path, match=r"rename it to end in \.weights\.h5")


def test_an_id_that_no_card_can_have_is_refused_before_any_work(tmp_path):
    with pytest.raises(UnusableModel, match="its id 'My Model' must be of lower-case"):
        keras_export.export(network("vgg16"), directory=tmp_path, model_id="My Model")


def test_without_a_network_both_ways_out_are_named_at_once_and_nothing_is_left(cache, tmp_path, monkeypatch):
    for scheme in ("http", "https", "HTTP", "HTTPS"):
        monkeypatch.setenv(f"{scheme}_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setattr("urllib.request._opener", None)  # it remembers the proxies of its first use
    started = time.monotonic()
    with pytest.raises(WeightsUnavailable) as caught:
        keras_export.export(network("resnet50"), directory=tmp_path)
    assert time.monotonic() - started < 5
    assert "connect to the internet once" in str(caught.value)
    assert "sartor models export resnet50 --weights FILE" in str(caught.value)
    assert "refused" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(cache.iterdir())


def test_a_fetch_that_breaks_off_leaves_nothing_behind(cache):
    with (
        _server(b"x" * 10, announced=1000) as url,
        pytest.raises(WeightsUnavailable, match="retrieval incomplete"),
    ):
        keras_fetch.official_weights(replace(network("vgg16"), weights_url=url))
    assert not list(cache.iterdir())


def test_a_server_that_says_nothing_is_given_up(cache, monkeypatch):
    monkeypatch.setattr(keras_fetch, "_SILENCE_S", 0.2)
    with _server(b"", announced=0, delay_s=1) as url, pytest.raises(WeightsUnavailable, match="timed out"):
        keras_fetch.official_weights(replace(network("vgg16"), weights_url=url))


def test_a_fetched_file_with_another_hash_is_refused(cache):
    with _server(b"other") as url, pytest.raises(WeightsUnavailable, match="(?i)incomplete or corrupted"):
        keras_fetch.official_weights(replace(network("vgg16"), weights_url=url))


def test_a_page_instead_of_weights_is_refused_and_not_kept(cache):
    with _server(b"<html>log in</html>") as url, pytest.raises(WeightsUnavailable, match="not a whole HDF5"):
        keras_fetch.official_weights(replace(network("mobilenet_v2"), weights_url=url))
    assert not list(cache.iterdir())


def test_a_file_that_a_killed_process_left_in_the_cache_is_fetched_again(cache, random_mobilenet):
    whole = random_mobilenet.read_bytes()
    cache.mkdir()
    (cache / "weights.h5").write_bytes(whole[:1_000_000])
    with _server(whole) as url:
        file = keras_fetch.official_weights(replace(network("mobilenet_v2"), weights_url=url))
    assert file == cache / "weights.h5"
    assert file.read_bytes() == whole


def test_fetched_weights_are_not_fetched_again(cache, random_mobilenet):
    with _server(random_mobilenet.read_bytes()) as url:
        net = replace(network("mobilenet_v2"), weights_url=url)
        first = keras_fetch.official_weights(net)
    assert keras_fetch.official_weights(net) == first


def _random_weights(name, directory):
    file = directory / "random.weights.h5"
    keras_random.save_random_weights(network(name), file, rng=np.random.default_rng(3))
    return file


def _export(name, directory, weights):
    card = keras_export.export(network(name), directory=directory, weights=weights)
    photos = _photos(card.size_px[0])
    expected = _keras_says(name, weights, photos)
    return Exported(card=card, file=directory / "model.onnx", weights=weights, photos=photos, expected=expected)


def _photos(size_px):
    """Three photos of large colored shapes with some noise, (3, h, w, 3) uint8."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 256, (3, 4, 4, 3))
    cell_px = -(-size_px // 4)
    large = coarse.repeat(cell_px, axis=1).repeat(cell_px, axis=2)[:, :size_px, :size_px]
    return np.clip(large + rng.normal(0, 20, large.shape), 0, 255).astype(np.uint8)


def _keras_model(name, weights, *, pooling="avg"):
    """The network as Keras itself builds and fills it for its ImageNet weights, but with our file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: str(weights))
        application = getattr(keras.applications, network(name).class_name)
        side_px = network(name).size_px
        return application(
            weights="imagenet", include_top=False, pooling=pooling, input_shape=(side_px, side_px, 3)
        )


def _keras_says(name, weights, photos, *, pooling="avg"):
    module = {"efficientnet_b0": "efficientnet", "convnext_tiny": "convnext"}.get(name, name)
    preprocess = getattr(keras.applications, module).preprocess_input
    model = _keras_model(name, weights, pooling=pooling)
    return model(preprocess(photos.astype(np.float32)), training=False).numpy()


def _save_older_format(model, file):
    from keras.src.legacy.saving import legacy_h5_format

    with keras_fetch.h5py.File(file, "w") as archive:
        legacy_h5_format.save_weights_to_hdf5_group(archive, model)
    return file


def _sorted_weights(file):
    arrays = []
    with keras_fetch.h5py.File(file) as archive:
        archive.visititems(lambda _, item: arrays.append(item[()].tobytes()) if hasattr(item, "dtype") else None)
    return sorted(arrays)


def _scaled(exported):
    return _scale(exported.photos, exported.card)


def _scale(photos, card):
    ordered = photos[..., ::-1] if card.scaling.channel_order is ChannelOrder.BGR else photos
    return (ordered.astype(np.float32) - np.float32(card.scaling.mean)) / np.float32(card.scaling.std)


def _onnx_runtime(file, scaled):
    ort = pytest.importorskip("onnxruntime", reason="needs ONNX Runtime: pip install 'sartor[onnxruntime]'")
    return ort.InferenceSession(file).run(["embedding"], {"photo": scaled})[0]


def _assert_same(actual, expected):
    assert actual.shape == expected.shape
    assert actual.dtype == np.float32
    assert _cosines(actual, expected).min() > 0.9999
    # What the photos have in common must not hide what sets them apart.
    assert _cosines(actual - actual.mean(axis=0), expected - expected.mean(axis=0)).min() > 0.9999
    np.testing.assert_allclose(np.linalg.norm(actual, axis=1), np.linalg.norm(expected, axis=1), rtol=1e-3)


def _cosines(one, other):
    return (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


def _shape(port):
    return (port.name, *(axis.dim_param or axis.dim_value for axis in port.type.tensor_type.shape.dim))


def _assert_refused(file, directory, *, match, name="mobilenet_v2"):
    with pytest.raises(UnusableModel, match=match) as caught:
        keras_export.export(network(name), directory=directory, weights=file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (directory / "model.onnx").exists()


@contextmanager
def _server(content, *, announced=None, delay_s=0):
    """A server on loopback that answers one file, or less of it than it announces; its URL."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            time.sleep(delay_s)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content) if announced is None else announced))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/weights.h5"
        server.shutdown()
        thread.join()
