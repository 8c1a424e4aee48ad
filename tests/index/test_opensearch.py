"""What an index in OpenSearch promises beyond the contract: one indexer at a time, late writes, swaps, errors."""

from __future__ import annotations

import http.server
import json
import logging
import re
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("opensearchpy", reason="opensearch-py is not installed; run: make test")

from sartor.errors import BadAddress, IndexAway, IndexerReplaced, IndexUnusable, SartorError
from sartor.index.edge import EdgeIndex
from sartor.index.opensearch.connection import OpenSearch
from sartor.index.opensearch.documents import document, document_id
from sartor.index.opensearch.reader import ExactLimits, OpenSearchIndex
from sartor.index.opensearch.writer import OpenSearchWriter
from sartor.types import AnyOf, Between, Condition, IndexEntry, Metric, Not, Where

DIMENSION = 8
OF = {"workspace": "w", "model_id": "m", "model": "sha", "dimension": DIMENSION}
DAY_S = 86_400.0
engines = pytest.mark.engines


@pytest.fixture
def server(opensearch_address: str) -> Iterator[OpenSearch]:
    with closing(OpenSearch(opensearch_address)) as opened:
        yield opened


def vectors(count: int, *, seed: int = 0, dimension: int = DIMENSION) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


VECTORS = vectors(100)


def entry(product_id: str, row: int = 0, *, is_main: bool = True, **attributes: object) -> IndexEntry:
    return IndexEntry(
        product_id=product_id,
        sha256=f"{row:064x}",
        vector=VECTORS[row],
        attributes=attributes,
        is_main=is_main,
    )


def write(writer: OpenSearchWriter, revision: int, *entries: IndexEntry, deleted: tuple[str, ...] = ()) -> None:
    writer.replace([*deleted, *(one.product_id for one in entries)], entries, revision=revision)
    writer.advance(revision, changed=len(entries))


def content(server: OpenSearch, **of: object) -> tuple[int, set[tuple[str, int]]]:
    with OpenSearchIndex(server, **{**OF, **of}) as index:
        return index.revision, {(product_id, int(sha256, 16)) for product_id, sha256 in index.entry_keys()}


def names(server: OpenSearch) -> list[str]:
    return sorted(server.call("GET", f"/{server.options.prefix}-*/_alias"))


# Several indexers


@engines
def test_an_indexer_goes_on_where_the_one_before_it_stopped(server: OpenSearch) -> None:
    write(OpenSearchWriter(server, **OF, term=1), 3, entry("a", 1))
    second = OpenSearchWriter(server, **OF, term=2)
    assert second.revision == 3
    write(second, 4, entry("b", 2))
    assert content(server) == (4, {("a", 1), ("b", 2)})
    assert names(server) == [f"{server.options.prefix}-w-m-1"]


@engines
def test_an_indexer_that_was_replaced_writes_nothing_more(server: OpenSearch) -> None:
    former = OpenSearchWriter(server, **OF, term=1)
    write(former, 3, entry("a", 1))
    OpenSearchWriter(server, **OF, term=2)
    calls: list[Callable[[], object]] = [
        lambda: former.replace(["a"], [entry("a", 9)], revision=9),
        lambda: former.advance(9, changed=1),
        lambda: former.mark(9),
        former.clear,
        lambda: OpenSearchWriter(server, **OF, term=1),
    ]
    for call in calls:
        with pytest.raises(
            IndexerReplaced, match="of term 1, no longer writes .*: an indexer of term 2 writes it"
        ):
            call()
    assert content(server) == (3, {("a", 1)})
    assert len(names(server)) == 1


@engines
def test_an_older_indexer_that_takes_the_alias_in_a_race_does_not_keep_it(server: OpenSearch) -> None:
    older = OpenSearchWriter(server, **OF, term=1)
    newer = OpenSearchWriter(server, **OF, term=2)
    older._index._take_alias()  # as if it had been paused after it looked at the term
    write(newer, 2, entry("a", 1))
    with pytest.raises(IndexerReplaced):
        older.replace(["a"], [entry("a", 9)], revision=9)
    assert content(server) == (2, {("a", 1)})


@engines
def test_what_a_former_indexer_sends_late_brings_nothing_older_back(server: OpenSearch) -> None:
    late = OpenSearchWriter(server, **OF, term=1)
    two_photos = [entry("a", 1), entry("a", 2, is_main=False)]
    late.replace(["a", "b"], [*two_photos, entry("b", 3)], revision=5)
    late.advance(5, changed=2)
    newer = OpenSearchWriter(server, **OF, term=2)
    write(newer, 7, entry("a", 4), deleted=("b", "never there"))
    # The requests of the former one that are under way inside the cluster know the index by its own name.
    name, lines = names(server)[0], ""
    for product_id, entries in {"a": two_photos, "b": [entry("b", 3)], "never there": [entry("x", 5)]}.items():
        action = {"_id": document_id(product_id), "version": 6, "version_type": "external_gte"}
        lines += (
            f"{json.dumps({'index': action})}\n{json.dumps({**document(entries), 'revision': 6, 'term': 1})}\n"
        )
    answer = server.call("POST", f"/{name}/_bulk", lines)
    assert [item["index"]["status"] for item in answer["items"]] == [409, 409, 409]
    newer.advance(8, changed=0)
    assert content(server) == (8, {("a", 4)})


@engines
def test_a_repeated_page_changes_nothing(server: OpenSearch) -> None:
    writer = OpenSearchWriter(server, **OF, term=1)
    for _ in range(2):
        write(writer, 5, entry("a", 1), entry("b", 2), deleted=("c",))
    write(writer, 4, entry("a", 9))  # a page that ended earlier, as an indexer that begins again may send it
    assert content(server)[1] == {("a", 1), ("b", 2)}


# Tombstones


@engines
def test_a_tombstone_is_invisible_and_kept_for_a_day(server: OpenSearch) -> None:
    now_s = [1_000_000.0]
    writer = OpenSearchWriter(server, **OF, term=1, clock=lambda: now_s[0])

    def documents() -> int:
        return server.call("GET", f"/{names(server)[0]}/_count")["count"]

    write(writer, 1, entry("a", 1), entry("b", 2))
    write(writer, 2, deleted=("a",))
    with OpenSearchIndex(server, **OF) as index:
        assert len(index) == 1
        assert index.search(VECTORS[1], k=5)[0].product_id == "b"
        assert index.search(VECTORS[1], k=5, exact=True)[0].product_id == "b"
        assert index.some(limit=5) == ["b"]
        assert index.passing(Where(), of=["a", "b"]) == {"b"}
        assert index.search(VECTORS[1], k=5, where=Where((Not(condition=Between(attribute="x", low=0)),)))
    assert documents() == 3  # b, the tombstone, the state
    now_s[0] += DAY_S / 2
    writer.advance(3, changed=0)
    assert documents() == 3
    now_s[0] += DAY_S / 2 + 1
    writer.advance(4, changed=0)
    writer.advance(5, changed=0)
    assert documents() == 2


# A new index in the place of another


@engines
def test_a_cleared_index_is_read_until_the_new_one_has_caught_up(server: OpenSearch) -> None:
    writer = OpenSearchWriter(server, **OF, term=1)
    write(writer, 5, entry("a", 1))
    with OpenSearchIndex(server, **OF) as reader:
        writer.clear()
        assert writer.revision == 0
        write(writer, 2, entry("b", 2))
        reader.refresh()
        assert (reader.revision, ids(reader)) == (5, ["a"])
        writer.mark(2)
        assert ids(reader) == ["b"]  # also before it refreshes
        reader.refresh()
        assert reader.revision == 2
    assert names(server) == [f"{server.options.prefix}-w-m-2"]


def ids(index: OpenSearchIndex) -> list[str]:
    return [one.product_id for one in index.search(VECTORS[0], k=9)]


@engines
def test_another_model_is_built_beside_the_one_in_use(server: OpenSearch) -> None:
    write(OpenSearchWriter(server, **OF, term=1), 5, entry("a", 1))
    other = {"model": "other", "dimension": 4}
    small = IndexEntry(product_id="a", sha256=f"{7:064x}", vector=vectors(1, dimension=4)[0])
    building = OpenSearchWriter(server, **{**OF, **other}, term=2)
    assert building.revision == 0
    write(building, 3, small)
    again = OpenSearchWriter(server, **{**OF, **other}, term=3)  # after a restart
    assert again.revision == 3
    assert content(server) == (5, {("a", 1)})
    assert content(server, **other) == (0, set())
    again.mark(5)
    assert content(server, **other) == (5, {("a", 7)})
    assert content(server) == (0, set())
    assert len(names(server)) == 1


@engines
def test_an_indexer_that_was_replaced_while_it_built_does_not_swap(server: OpenSearch) -> None:
    former = OpenSearchWriter(server, **OF, term=1)
    write(former, 5, entry("a", 1))
    former.clear()
    write(former, 1, entry("b", 2))
    newer = OpenSearchWriter(server, **OF, term=2)
    with pytest.raises(IndexerReplaced):
        former._index._put_in_place()  # as if it had been paused just before
    newer.mark(6)
    assert content(server) == (6, {("a", 1)})
    assert len(names(server)) == 1
    late_calls: list[Callable[[], object]] = [
        lambda: former.replace(["c"], [entry("c", 3)], revision=9),
        lambda: former.advance(9, changed=1),
        lambda: former.mark(9),
        former.clear,
    ]
    for call in late_calls:
        with pytest.raises(IndexerReplaced, match="another one took it over"):
            call()
    assert len(names(server)) == 1  # the late write made no index


# The same answers as the embedded index

CONDITIONS = st.one_of(
    st.builds(
        AnyOf,
        attribute=st.sampled_from(["color", "size", "none"]),
        values=st.lists(st.sampled_from(["red", "blue", "38", "40.5"]), min_size=1, max_size=2).map(tuple),
    ),
    st.builds(
        Between,
        attribute=st.sampled_from(["size", "color"]),
        low=st.sampled_from([None, 38, 40.5]),
        high=st.sampled_from([39, 40.5, 100]),
    ),
)
WHERES = st.lists(CONDITIONS | CONDITIONS.map(lambda one: Not(condition=one)), max_size=3).map(
    lambda conditions: Where(tuple[Condition, ...](conditions))
)
PRODUCTS = st.dictionaries(
    st.sampled_from([f"p{number}" for number in range(12)]),
    st.tuples(
        st.integers(0, 3),  # photos
        st.fixed_dictionaries(
            {},
            optional={
                "color": st.sampled_from(["red", "blue", ("red", "blue"), "38"]),
                "size": st.sampled_from([38, 40.5, "40.5", "38 EUR", True]),
            },
        ),
    ),
    min_size=1,
)


@engines
@given(pages=st.lists(PRODUCTS, min_size=1, max_size=3), wheres=st.lists(WHERES, min_size=3, max_size=3))
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.parametrize("exact_photos", [0, 5_000])
def test_it_answers_as_the_embedded_index_does(
    server: OpenSearch,
    tmp_path_factory: pytest.TempPathFactory,
    pages: list[dict[str, tuple[int, dict[str, object]]]],
    wheres: list[Where],
    exact_photos: int,
) -> None:
    writer = OpenSearchWriter(server, **OF, term=1)
    writer.clear()
    writer.mark(0)
    limits = ExactLimits(photos=exact_photos, photos_of_parts=exact_photos)
    with (
        EdgeIndex(tmp_path_factory.mktemp("edge"), model="m", dimension=DIMENSION) as edge,
        OpenSearchIndex(server, **OF, limits=limits) as index,
    ):
        photo = 0
        for revision, page in enumerate(pages, start=1):
            entries = []
            for product_id, (photos, attributes) in page.items():
                for number in range(photos):
                    photo += 1
                    entries.append(entry(product_id, photo % 90, is_main=number == 0, **attributes))
            edge.replace(page, entries, revision=revision)
            write(writer, revision, *entries, deleted=tuple(page))
        index.refresh()
        assert index.entry_keys() == edge.entry_keys()
        assert len(index) == len(edge)
        everybody = [f"p{number}" for number in range(12)]
        assert index.entries(everybody) == edge.entries(everybody)
        assert all(
            np.array_equal(ours.vector, theirs.vector)
            for ours, theirs in zip(index.entries(everybody), edge.entries(everybody), strict=True)
        )
        for query, where in zip(VECTORS[90:], wheres, strict=False):
            for metric in Metric:
                for k in (1, 4, 40):
                    ours, theirs = (
                        one.by(metric).search(query, k=k, where=where, without=["p3"]) for one in (index, edge)
                    )
                    assert [one.product_id for one in ours] == [one.product_id for one in theirs]
                    assert [one.sha256 for one in ours] == [one.sha256 for one in theirs]
                    assert np.allclose([one.score for one in ours], [one.score for one in theirs], atol=1e-5)
            both = np.stack([query, VECTORS[99]])
            for k in (1, 3, 40):
                assert index.find(both, k=k, where=where) == edge.find(both, k=k, where=where)
            assert index.passing(where, of=everybody[:8]) == edge.passing(where, of=everybody[:8])
            assert set(index.some(where=where, limit=40)) == set(edge.some(where=where, limit=40))
            names_ = ["color", "size", "none"]
            assert index.facets(names_, where=where, limit=9) == edge.facets(names_, where=where, limit=9)


# The address, and what can be wrong with a server


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://host", "begins with opensearch://"),
        ("opensearch://", "begins with opensearch://"),
        ("opensearch:///shop", "names no host"),
        ("opensearch://u:secret@host:x", "'host:x' is no host"),
        ("opensearch://u:secret@host/Shop", "'Shop' cannot begin the name of an index"),
        ("opensearch://u:secret@host?shard=2", "no option 'shard'; there are: tls, ca"),
        ("opensearch://u:secret@host?shards=0", "shards is a number from 1"),
        ("opensearch://u:secret@host?replicas=-1", "replicas is a number from 0"),
        ("opensearch://u:secret@host?engine=annoy", "no engine 'annoy'"),
        ("opensearch://u:secret@host?tls=yes", "tls is true or false"),
        ("opensearch://u:secret@host?ca=/no/such", "/no/such is no file"),
        ("opensearch://u:secret@host?tls", "'tls' is no option"),
    ],
)
def test_a_bad_address_is_refused_in_one_line_without_its_password(address: str, reason: str) -> None:
    with pytest.raises(BadAddress) as refused:
        OpenSearch(address)
    assert reason in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_address_names_hosts_prefix_and_options() -> None:
    server = OpenSearch("opensearch://u:p%40ss@one:9201,two/shop?engine=faiss&shards=4&replicas=2")
    options = server.options
    assert (options.prefix, options.engine, options.shards, options.replicas) == ("shop", "faiss", 4, 2)
    assert repr(server) == "OpenSearch('opensearch://u:***@one:9201,two/shop')"


class Stub:
    """A server that answers like OpenSearch where it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.version: dict[str, str] = {"distribution": "opensearch", "number": "2.17.0"}
        self.answers: dict[str, tuple[int, object]] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.delay_s = 0.0

    def answer(self, path: str, authorization: str | None) -> tuple[int, object]:
        self.asked.append((path, authorization))
        time.sleep(self.delay_s)
        name = path.partition("?")[0]
        if name in self.answers:
            return self.answers[name]
        return 200, {"version": self.version} if name == "/" else {}


@contextmanager
def serving(stub: Stub, certificate: Path | None = None, *, port: int = 0) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            status, body = stub.answer(self.path, self.headers.get("authorization"))
            kind = "text/html" if isinstance(body, str) else "application/json"
            encoded = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        do_POST = do_GET  # noqa: N815 - the names that http.server calls
        do_PUT = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None: ...

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None: ...

    with Server(("127.0.0.1", port), Handler) as listening:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            listening.socket = context.wrap_socket(
                listening.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield listening.server_address[1]
        listening.shutdown()
        thread.join()


def refused(address: str) -> SartorError:
    with closing(OpenSearch(address, call_s=2)) as server, pytest.raises(SartorError) as error:
        server.call("GET", "/x/_doc/y")
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)
    return error.value


ERROR = {"error": {"type": "security_exception", "reason": "no permissions for [indices:data/read/get]"}}


@pytest.mark.parametrize(
    ("answers", "kind", "reason"),
    [
        ({"/": (200, {"version": {"number": "8.1.0"}})}, IndexUnusable, "it is Elasticsearch 8.1.0"),
        (
            {"/": (200, {"version": {"number": "2.11.1", "distribution": "opensearch"}})},
            IndexUnusable,
            "it is OpenSearch 2.11.1, whose .* use 2.17 or newer",
        ),
        ({"/": (200, "<html>")}, IndexUnusable, "no OpenSearch answers there"),
        ({"/": (404, {"error": "no such page", "status": 404})}, IndexUnusable, "no OpenSearch answers there"),
        (
            {"/_plugins/_knn/stats/circuit_breaker_triggered": (400, {"error": "no handler"})},
            IndexUnusable,
            "no k-NN",
        ),
        ({"/": (401, "Unauthorized")}, IndexUnusable, "no such user and password; check SARTOR_INDEX"),
        (
            {"/x/_doc/y": (403, {**ERROR, "status": 403})},
            IndexUnusable,
            "may not do this .no permissions.*sartor-",
        ),
        ({"/x/_doc/y": (429, {"error": {"reason": "too many requests"}})}, IndexAway, "too many requests"),
        ({"/x/_doc/y": (503, {"error": {"reason": "no master"}})}, IndexAway, "no master"),
        ({"/x/_doc/y": (400, {"error": {"type": "t", "reason": "bad query"}})}, IndexUnusable, "bad query"),
    ],
)
def test_what_a_server_answers_becomes_one_line(
    answers: dict[str, tuple[int, object]], kind: type[SartorError], reason: str
) -> None:
    stub = Stub()
    stub.answers = answers
    with serving(stub) as port:
        error = refused(f"opensearch://ann:secret@127.0.0.1:{port}")
    assert type(error) is kind
    assert re.search(reason, str(error))


def test_a_user_is_asked_for_where_the_address_names_none() -> None:
    stub = Stub()
    stub.answers = {"/": (401, {})}
    with serving(stub) as port:
        assert "asks for a user and a password" in str(refused(f"opensearch://127.0.0.1:{port}"))


def test_user_and_password_are_sent(caplog: pytest.LogCaptureFixture) -> None:
    stub = Stub()
    with (
        caplog.at_level(logging.DEBUG),
        serving(stub) as port,
        closing(OpenSearch(f"opensearch://ann:se%40cret@127.0.0.1:{port}")) as server,
    ):
        server.call("GET", "/x")
    assert {authorization for _, authorization in stub.asked} == {"Basic YW5uOnNlQGNyZXQ="}
    assert "se@cret" not in caplog.text
    assert "se%40cret" not in caplog.text


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1, its own CA, with its key."""
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("needs the openssl command to make a certificate")
    file = tmp_path / "server.pem"
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    name = ["-subj", "/CN=sartor", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = [openssl, "req", *kind, *name, "-keyout", file, "-out", file.with_suffix(".crt")]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text(file.read_text() + file.with_suffix(".crt").read_text())
    return file


def test_tls_checks_the_certificate_against_the_ca(certificate: Path) -> None:
    ca = certificate.with_suffix(".crt")
    with serving(Stub(), certificate) as port:
        with closing(OpenSearch(f"opensearch://ann:secret@127.0.0.1:{port}?tls=true&ca={ca}")) as server:
            assert server.call("GET", "/x") == {}
        error = refused(f"opensearch://ann:secret@127.0.0.1:{port}?tls=true")
        assert "its certificate is not trusted (self-signed certificate); name its CA by ca=FILE" in str(error)
        assert "the address needs tls=true" in str(refused(f"opensearch://ann:secret@127.0.0.1:{port}"))
    with serving(Stub()) as port:
        error = refused(f"opensearch://ann:secret@127.0.0.1:{port}?tls=true")
        assert "it does not speak TLS; leave out tls=true" in str(error)


def test_while_it_is_away_calls_fail_at_once_and_one_of_them_probes() -> None:
    now_s, stub = [0.0], Stub()
    with serving(stub) as port:
        pass
    with closing(
        OpenSearch(f"opensearch://127.0.0.1:{port}", call_s=2, pause_s=1, clock=lambda: now_s[0])
    ) as server:
        with pytest.raises(IndexAway, match="refused"):
            server.call("GET", "/x")
        with serving(stub, port=port):
            with pytest.raises(IndexAway, match="refused"):
                server.call("GET", "/x")
            assert stub.asked == []
            now_s[0] += 1.5
            server.call("GET", "/x")
            server.call("GET", "/x")
            paths = [path for path, _ in stub.asked]
            assert paths == ["/", "/", "/_plugins/_knn/stats/circuit_breaker_triggered", "/x", "/x"]


def test_only_an_engine_that_had_answered_is_logged_as_away(caplog: pytest.LogCaptureFixture) -> None:
    stub = Stub()
    with serving(stub) as port:
        pass
    with closing(OpenSearch(f"opensearch://127.0.0.1:{port}", call_s=0.5, pause_s=0)) as server:
        with pytest.raises(IndexAway):
            server.call("GET", "/x")
        with serving(stub, port=port):
            server.call("GET", "/x")
            assert caplog.text == ""  # the error said it
            stub.delay_s = 1.5
            for _ in range(2):
                with pytest.raises(IndexAway):
                    server.call("GET", "/x")
            assert caplog.text.count("index away") == 1
            stub.delay_s = 0.0
            server.call("GET", "/x")
            assert caplog.text.count("index back") == 1


def test_a_slow_server_is_away_at_the_deadline_and_is_asked_by_one_call_only() -> None:
    now_s, stub = [0.0], Stub()
    with serving(stub) as port:
        address = f"opensearch://127.0.0.1:{port}"
        with closing(OpenSearch(address, call_s=0.5, pause_s=1, clock=lambda: now_s[0])) as server:
            server.call("GET", "/x")
            stub.delay_s = 1.5
            started_s = time.monotonic()
            with pytest.raises(IndexAway, match="no answer in time"):
                server.call("GET", "/x")
            assert time.monotonic() - started_s < 1.4
            now_s[0] += 2
            stub.delay_s = 0.2
            stub.asked.clear()
            outcomes: list[str] = []

            def ask() -> None:
                try:
                    server.call("GET", "/x")
                except IndexAway as error:
                    outcomes.append(str(error))
                else:
                    outcomes.append("answered")

            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert outcomes.count("answered") == 1
            assert [path for path, _ in stub.asked] == ["/", "/x"]


def test_another_host_answers_for_one_that_is_down() -> None:
    with serving(Stub()) as down:
        pass
    with serving(Stub()) as up, closing(OpenSearch(f"opensearch://127.0.0.1:{down},127.0.0.1:{up}")) as server:
        assert [server.call("GET", "/x") for _ in range(4)] == [{}] * 4


# Indexes that are not this workspace's


@engines
def test_an_index_of_another_workspace_is_refused(server: OpenSearch) -> None:
    name = f"{server.options.prefix}-w-m"
    body = {"aliases": {name: {}}, "settings": {"number_of_replicas": 0}}
    server.call("PUT", f"/{name}-7", body)
    for document_ in (
        {"x": 1},
        {"state": {"workspace": "v", "model": "sha", "dimension": 8, "format": 1, "revision": 1, "term": 1}},
    ):
        server.call("PUT", f"/{name}-7/_doc/state", document_)
        for open_it in (lambda: OpenSearchIndex(server, **OF), lambda: OpenSearchWriter(server, **OF, term=1)):
            with pytest.raises(IndexUnusable, match="is another workspace's; choose another prefix"):
                open_it()


@engines
def test_names_of_workspaces_and_models_never_meet(server: OpenSearch) -> None:
    models = ["m", "m-1", "m_1", "M.1"]
    for number, model_id in enumerate(models):
        write(OpenSearchWriter(server, **{**OF, "model_id": model_id}, term=1), 1, entry("a", number))
    assert [content(server, model_id=model_id)[1] for model_id in models] == [
        {("a", number)} for number in range(4)
    ]


@engines
def test_a_product_that_is_refused_is_told(server: OpenSearch) -> None:
    writer = OpenSearchWriter(server, **OF, term=1)
    bent = IndexEntry(product_id="a", sha256="0" * 64, vector=VECTORS[0][:4])
    with pytest.raises(IndexUnusable, match="it refuses a product: .*dimension"):
        writer.replace(["a"], [bent], revision=1)


@engines
def test_attributes_may_have_any_name_and_any_value(server: OpenSearch) -> None:
    odd = ["", " ", ".", "a.b", "a", "a b", "*", "é", "%2E", "%", "type", "properties", 'a"b', "a\0b", "x" * 300]
    attributes = {name: f"value {number}" for number, name in enumerate(odd)}
    attributes["long"] = "x" * 256
    attributes["too long"] = "x" * 257
    attributes["date"] = "2026-01-01"
    attributes["mixed"] = ("2026-01-01", "no date", "12")
    write(OpenSearchWriter(server, **OF, term=1), 1, entry("a", 1, **attributes))
    with OpenSearchIndex(server, **OF) as index:
        facets = index.facets([*attributes, "none"], limit=9)
        for name, value in attributes.items():
            values = [value] if isinstance(value, str) else sorted(value)
            assert [one.value for one in facets[name]] == ([] if name == "too long" else values)
        for name in odd:
            assert index.passing(Where((AnyOf(attribute=name, values=(attributes[name],)),)), of=["a"]) == {"a"}
        broken = Where((AnyOf(attribute="a", values=("\ud800",)),))
        assert index.passing(broken, of=["a"]) == set()
        assert index.passing(Where((Between(attribute="mixed", low=-np.inf, high=np.inf),)), of=["a"]) == {"a"}
        many = [f"other {number}" for number in range(70_000)]
        assert [one.product_id for one in index.search(VECTORS[1], k=2, without=many)] == ["a"]


@engines
def test_a_product_may_have_many_photos(server: OpenSearch) -> None:
    wide = {**OF, "dimension": 492}
    many = vectors(60, dimension=492)
    entries = [
        IndexEntry(product_id="a", sha256=f"{row:064x}", vector=vector, is_main=row == 7)
        for row, vector in enumerate(many)
    ]
    writer = OpenSearchWriter(server, **wide, term=1)
    write(writer, 1, *entries)
    with OpenSearchIndex(server, **wide) as index:
        assert len(index) == len(index.entry_keys()) == 60
        assert index.entries(["a"])[0].sha256 == f"{7:064x}"
        found = index.search(many[41], k=3)
        assert [one.sha256 for one in found] == [f"{41:064x}"]
        assert np.array_equal(found[0].vector, many[41])


@engines
def test_many_products_are_read_page_by_page(server: OpenSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    from sartor.index.opensearch import reader

    monkeypatch.setattr(reader, "_MAX_RESULTS", 7)
    monkeypatch.setattr(reader, "_MAX_VECTORS", 7)
    write(OpenSearchWriter(server, **OF, term=1), 1, *(entry(f"p{row:02}", row) for row in range(40)))
    everybody = [f"p{row:02}" for row in range(40)]
    with OpenSearchIndex(server, **OF) as index:
        assert len(index.entry_keys()) == len(index) == 40
        assert index.some(limit=20) == everybody[:20]
        assert index.some(limit=99) == everybody
        assert index.passing(Where(), of=everybody) == set(everybody)
        assert [one.product_id for one in index.entries(everybody)] == everybody
