"""Official weights come once and whole, and when they cannot come, one sentence says so."""

import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sartor.encoders.networks import network
from sartor.errors import WeightsUnavailable

NEEDS_KERAS = "needs Keras: pip install 'sartor[keras]'"
keras_fetch = pytest.importorskip("sartor.encoders.keras.weights", reason=NEEDS_KERAS)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The folder of weights in an empty Keras cache."""
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    return tmp_path / "models"


@pytest.fixture
def whole(tmp_path):
    """Bytes of a whole HDF5 file."""
    with keras_fetch.h5py.File(tmp_path / "whole.h5", "w") as archive:
        archive["array"] = list(range(1000))
    return (tmp_path / "whole.h5").read_bytes()


def test_without_internet_both_ways_out_are_named_at_once_and_nothing_is_left(cache, monkeypatch):
    for scheme in ("http", "https"):
        monkeypatch.setenv(f"{scheme}_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setattr("urllib.request._opener", None)  # it remembers the proxies of its first use
    started = time.monotonic()
    with pytest.raises(WeightsUnavailable) as caught:
        keras_fetch.official_weights(network("resnet50"))
    assert time.monotonic() - started < 5
    assert "refused" in str(caught.value)
    assert "connect to the internet once" in str(caught.value)
    assert "sartor models export resnet50 --weights FILE" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(cache.iterdir())


def test_fetched_weights_are_not_fetched_again(cache, whole):
    with _server(whole) as url:
        net = replace(network("mobilenet_v2"), weights_url=url)
        first = keras_fetch.official_weights(net)
    assert first == cache / "weights.h5"
    assert keras_fetch.official_weights(net) == first


def test_a_fetch_that_breaks_off_leaves_nothing_behind(cache, whole):
    with (
        _server(whole[:100], announced_bytes=len(whole)) as url,
        pytest.raises(WeightsUnavailable, match="retrieval incomplete"),
    ):
        keras_fetch.official_weights(replace(network("vgg16"), weights_url=url))
    assert not list(cache.iterdir())


def test_a_file_that_a_killed_process_left_half_written_is_fetched_again(cache, whole):
    cache.mkdir()
    (cache / "weights.h5").write_bytes(whole[:100])
    with _server(whole) as url:
        file = keras_fetch.official_weights(replace(network("mobilenet_v2"), weights_url=url))
    assert file.read_bytes() == whole


def test_a_server_that_says_nothing_is_given_up(cache, monkeypatch):
    monkeypatch.setattr(keras_fetch, "_TIMEOUT_S", 0.2)
    with _server(b"", delay_s=0.5) as url, pytest.raises(WeightsUnavailable, match="timed out"):
        keras_fetch.official_weights(replace(network("vgg16"), weights_url=url))


def test_a_file_that_is_not_there_any_more_is_named_by_the_servers_words(cache):
    with _server(b"", status=404) as url, pytest.raises(WeightsUnavailable, match="Not Found"):
        keras_fetch.official_weights(replace(network("vgg16"), weights_url=url))


def test_a_file_with_another_hash_is_refused(cache, whole):
    with _server(whole) as url, pytest.raises(WeightsUnavailable, match="(?i)incomplete or corrupted"):
        keras_fetch.official_weights(replace(network("vgg16"), weights_url=url))


def test_a_page_that_comes_instead_of_weights_is_refused_and_not_kept(cache):
    with _server(b"<html>log in</html>") as url, pytest.raises(WeightsUnavailable, match="not a whole HDF5 file"):
        keras_fetch.official_weights(replace(network("mobilenet_v2"), weights_url=url))
    assert not list(cache.iterdir())


@contextmanager
def _server(content, *, status=200, announced_bytes=None, delay_s=0):
    """A server on loopback that answers one file, or less of it than it announces; its URL."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            time.sleep(delay_s)
            self.send_response(status)
            self.send_header("Content-Length", str(announced_bytes or len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/weights.h5"
        server.shutdown()
        thread.join()
