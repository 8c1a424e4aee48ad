"""What only a bucket of S3 can do wrong: its address, its key, its rights, its server, and races at it."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from sartor.errors import MediaAway, WorkspaceError, redacted
from sartor.imaging import Thumbnail
from sartor.media.bucket import BucketMediaStore
from sartor.media.folder import FolderMediaStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tools.engines.s3 import S3Server

pytest.importorskip("boto3", reason="boto3 is not installed; run: make test-engines")

from sartor.media.s3 import CACHE_CONTROL, S3Address, S3Bucket
from tools.engines import s3 as engine

SECRET = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"  # noqa: S105 - of nobody
NAMES = [f"{hashlib.sha256(bytes([number])).hexdigest()}.jpg" for number in range(40)]
needs_server = pytest.mark.engines


@pytest.fixture
def bucket(s3_address: str) -> S3Bucket:
    return S3Bucket(s3_address)


@pytest.fixture
def eager(s3_address: str) -> S3Bucket:
    """The same bucket, which renews whatever is needed again."""
    return S3Bucket(s3_address, renew_after_s=0)


@pytest.fixture
def server(tmp_path: Path, s3_key: None) -> Iterator[S3Server]:
    """A server of this test, which may be killed."""
    if not engine.is_available():
        pytest.skip("versitygw is not built, and Go is not installed to build it")
    with engine.S3Server(tmp_path / "s3", buckets=("photos",)) as running:
        yield running


def head(bucket: S3Bucket, name: str) -> dict[str, Any]:
    answer = bucket._head(name)
    assert answer is not None
    return answer


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(WorkspaceError) as raised:
        call()
    message = str(raised.value)
    assert "\n" not in message
    return message


# Addresses


def test_an_address_is_read() -> None:
    assert S3Address.parse("s3://photos") == S3Address(bucket="photos")
    assert S3Address.parse("s3://photos/a/b/?endpoint=https://s3.example:9000&region=eu-central-1") == S3Address(
        bucket="photos", prefix="a/b/", endpoint="https://s3.example:9000", region="eu-central-1"
    )


@pytest.mark.parametrize(
    "address",
    [
        "s3://",
        "s3:///photos",
        "s3://photos#here",
        "s3://photos?endpoint=ftp://s3.example",
        "s3://photos?endpoint=https://s3.example/path",
        "s3://photos?endpoint=https://s3.example:port",
        f"s3://photos?secret={SECRET}",
        f"s3://AKIAEXAMPLE:{SECRET}@photos",
        f"s3://photos?endpoint=https://AKIAEXAMPLE:{SECRET}@s3.example",
        f"s3://photos:{SECRET}",
    ],
)
def test_other_addresses_are_refused_in_one_line_without_their_secrets(address: str) -> None:
    message = refusal(lambda: S3Address.parse(address))
    assert message.startswith("media='s3://")
    assert SECRET not in message.replace(f"photos:{SECRET}", "")  # that one is the name of a bucket


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("s3://photos/shop?endpoint=https://s3.example&region=eu", "s3://photos/shop"),
        (f"s3://AKIAEXAMPLE:{SECRET}@photos/shop", "s3://AKIAEXAMPLE:***@photos/shop"),
        (f"s3://photos?endpoint=https://AKIAEXAMPLE:{SECRET}@s3.example", "s3://photos:***@s3.example"),
    ],
)
def test_what_is_shown_of_an_address_has_no_secret(address: str, shown: str) -> None:
    assert redacted(address) == shown


# Objects


@needs_server
def test_an_object_says_what_it_is_and_that_it_never_changes(bucket: S3Bucket, eager: S3Bucket) -> None:
    sha256 = NAMES[0].partition(".")[0]
    types = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
    bucket.put_all({f"{sha256}.{suffix}": suffix.encode() for suffix in types})
    for store in (bucket, eager):  # the second one renews them
        for suffix, content_type in types.items():
            assert store.keep_all([f"{sha256}.{suffix}"])
            answer = head(bucket, f"{sha256}.{suffix}")
            assert (answer["ContentType"], answer["CacheControl"]) == (content_type, CACHE_CONTROL)
            assert bucket.read(f"{sha256}.{suffix}") == suffix.encode()


@needs_server
def test_names_leave_out_what_is_no_thumbnail(bucket: S3Bucket, tmp_path: Path) -> None:
    bucket.claim("one")
    bucket.put_all(dict.fromkeys(NAMES[:3], b"x"))
    for key in ("notes.txt", "deeper/notes.txt", f"deeper/{NAMES[4]}"):
        bucket._client.put_object(Bucket=bucket._address.bucket, Key=bucket._address.prefix + key, Body=b"x")
    media = BucketMediaStore(bucket, folder=FolderMediaStore(tmp_path / "cache"))
    assert list(media.names()) == sorted(NAMES[:3])


@needs_server
def test_names_come_in_pages(bucket: S3Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.media.s3._PAGE", 7)
    bucket.put_all(dict.fromkeys(NAMES, b"x"))
    assert list(bucket.names()) == sorted(NAMES)


@needs_server
def test_a_bucket_has_one_owner(bucket: S3Bucket) -> None:
    with ThreadPoolExecutor(8) as threads:
        owners = set(threads.map(bucket.claim, map(str, range(8))))
    assert len(owners) == 1
    assert bucket.claim("another") in owners


@needs_server
def test_of_racing_writers_one_wins_and_all_succeed(s3_address: str) -> None:
    buckets = [S3Bucket(s3_address) for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        writes = [
            threads.submit(buckets[number % 4].put_all, dict.fromkeys(NAMES[:5], bytes([number])))
            for number in range(8)
        ]
    for write in writes:
        write.result()
    seen = {name: buckets[0].read(name) for name in NAMES[:5]}
    buckets[1].put_all(dict.fromkeys(NAMES[:5], b"later"))
    assert {name: buckets[0].read(name) for name in NAMES[:5]} == seen


# Ages


@needs_server
def test_a_young_thumbnail_is_not_copied_again(bucket: S3Bucket, eager: S3Bucket) -> None:
    bucket.put_all({NAMES[0]: b"x"})
    bucket.put_all({NAMES[0]: b"x"})
    bucket.keep_all([NAMES[0]])
    assert head(bucket, NAMES[0])["Metadata"] == {}
    eager.put_all({NAMES[0]: b"x"})
    assert set(head(bucket, NAMES[0])["Metadata"]) == {"kept-s"}


@needs_server
def test_what_is_needed_again_is_as_young_as_new(eager: S3Bucket) -> None:
    eager.put_all(dict.fromkeys(NAMES[:3], b"x"))
    time.sleep(5)
    eager.put_all({NAMES[0]: b"x"})
    eager.keep_all([NAMES[1]])
    assert eager.age_s(NAMES[0]) < 4 <= eager.age_s(NAMES[2])
    assert [eager.delete(name, min_age_s=3) for name in NAMES[:3]] == [False, False, True]
    assert [eager.read(name) for name in NAMES[:3]] == [b"x", b"x", None]


@needs_server
def test_a_file_counts_as_young_while_it_may_have_been_needed_unseen(s3_address: str, eager: S3Bucket) -> None:
    lazy = S3Bucket(s3_address, renew_after_s=60)
    lazy.put_all({NAMES[0]: b"x"})
    time.sleep(3)
    assert lazy.keep_all([NAMES[0]])  # which leaves no trace
    assert lazy.age_s(NAMES[0]) == 0
    assert not lazy.delete(NAMES[0], min_age_s=1)
    assert eager.delete(NAMES[0], min_age_s=1)


@needs_server
def test_the_clock_of_the_host_does_not_matter(eager: S3Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    eager.put_all({NAMES[0]: b"x"})
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert eager.age_s(NAMES[0]) < 60
    assert not eager.delete(NAMES[0], min_age_s=60)


@needs_server
def test_no_sweep_deletes_what_another_process_found_meanwhile(s3_address: str) -> None:
    """Writers and sweepers race over old files; whatever a writer was told to be there is there afterward."""
    writers = [S3Bucket(s3_address, renew_after_s=0) for _ in range(2)]
    sweepers = [S3Bucket(s3_address, renew_after_s=0) for _ in range(2)]
    random = Random(20)  # noqa: S311 - repeatable
    for _ in range(2):
        writers[0].put_all(dict.fromkeys(NAMES, b"x"))
        time.sleep(5)  # now all are old
        found: dict[str, float] = {}  # when it was asked for last
        gone: dict[str, float] = {}  # when it was deleted last
        order = [random.sample(NAMES, len(NAMES)) for _ in range(4)]

        def write(writer: S3Bucket, names: list[str], found: dict[str, float] = found) -> None:
            for name in names:
                asked_s = time.monotonic()
                if writer.keep_all([name]):
                    found[name] = max(asked_s, found.get(name, 0.0))

        def sweep(sweeper: S3Bucket, names: list[str], gone: dict[str, float] = gone) -> None:
            for name in names:
                if sweeper.delete(name, min_age_s=2.5):
                    gone[name] = time.monotonic()

        threads = [
            *(threading.Thread(target=write, args=pair) for pair in zip(writers, order[:2], strict=True)),
            *(threading.Thread(target=sweep, args=pair) for pair in zip(sweepers, order[2:], strict=True)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found
        lost = found.keys() - set(writers[0].names())  # those that were old once more, where the machine is slow
        assert [name for name in lost if gone[name] - found[name] < 1.5] == []


@needs_server
def test_who_renews_waits_for_a_sweep_that_saw_the_old_age(eager: S3Bucket, s3_address: str) -> None:
    eager.put_all({NAMES[0]: b"x"})
    time.sleep(3)
    sweeper = S3Bucket(s3_address, renew_after_s=0)
    is_older, looked, go_on = sweeper._is_older, threading.Semaphore(0), threading.Event()

    def slowly(name: str, min_age_s: float) -> bool:
        old = is_older(name, min_age_s)
        looked.release()
        if sweeper._head(f"deleting/{name}") is not None:  # the look that counts
            assert go_on.wait(10)
        return old

    sweeper._is_older = slowly  # type: ignore[method-assign]
    with ThreadPoolExecutor(2) as threads:
        deleting = threads.submit(sweeper.delete, NAMES[0], min_age_s=1)
        assert looked.acquire(timeout=10)
        assert looked.acquire(timeout=10)
        putting = threads.submit(eager.put_all, {NAMES[0]: b"x"})
        time.sleep(1)
        assert not putting.done()
        go_on.set()
        putting.result(10)
        deleting.result(10)
    assert eager.read(NAMES[0]) == b"x"


@needs_server
def test_a_sweep_looks_again_once_it_has_its_claim(eager: S3Bucket, s3_address: str) -> None:
    eager.put_all({NAMES[0]: b"x"})
    time.sleep(3)
    sweeper = S3Bucket(s3_address, renew_after_s=0)
    create = sweeper._create

    def late(key: str, **headers: Any) -> bool:
        assert eager.keep_all([NAMES[0]])
        return create(key, **headers)

    sweeper._create = late  # type: ignore[method-assign]
    assert not sweeper.delete(NAMES[0], min_age_s=1)
    assert eager.read(NAMES[0]) == b"x"
    assert list(sweeper._page("", "deleting/")) == []


@needs_server
def test_a_delete_between_the_look_and_the_renewal_is_noticed(eager: S3Bucket, s3_address: str) -> None:
    eager.put_all({NAMES[0]: b"x"})
    sweeper = S3Bucket(s3_address, renew_after_s=0)
    renew = eager._renew

    def late(name: str, **arguments: Any) -> bool:
        renewed = renew(name, **arguments)
        sweeper._client.delete_object(Bucket=sweeper._address.bucket, Key=sweeper._key(name))
        return renewed

    eager._renew = late  # type: ignore[method-assign]
    assert eager.keep_all([NAMES[0]]) == set()
    eager._renew = renew  # type: ignore[method-assign]
    eager.put_all({NAMES[0]: b"y"})
    assert eager.read(NAMES[0]) == b"y"


@needs_server
def test_who_finds_a_claim_waits_until_it_is_gone(eager: S3Bucket) -> None:
    eager.put_all({NAMES[0]: b"x"})
    claim = eager._key(f"deleting/{NAMES[0]}")
    eager._create(claim)
    assert not eager.delete(NAMES[0], min_age_s=0.1)
    with ThreadPoolExecutor(1) as threads:
        keeping = threads.submit(eager.keep_all, [NAMES[0]])
        time.sleep(0.5)
        assert not keeping.done()
        eager._client.delete_object(Bucket=eager._address.bucket, Key=claim)
        assert keeping.result(10) == {NAMES[0]}


@needs_server
def test_the_claim_of_a_killed_process_is_a_leftover(eager: S3Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.media.s3._CLAIM_S", 2.0)
    eager._create(eager._key(f"deleting/{NAMES[0]}"))
    assert eager.remove_leftovers(min_age_s=0) == 0
    time.sleep(3)
    assert eager.remove_leftovers(min_age_s=60) == 0
    assert eager.remove_leftovers(min_age_s=0) == 1
    assert eager.remove_leftovers(min_age_s=0) == 0


# Refusals and failures


@needs_server
def test_refusals_are_one_line_that_says_what_to_do(
    server: S3Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "sartor")
    where = f"?endpoint={server.endpoint}"
    assert "there is no such bucket" in refusal(lambda: S3Bucket(f"s3://missing{where}"))
    assert "write endpoint=http://" in refusal(lambda: S3Bucket(f"s3://photos{where}".replace("http:", "https:")))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    messages = [refusal(lambda: S3Bucket(f"s3://photos{where}"))]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN")
    messages.append(refusal(lambda: S3Bucket(f"s3://photos{where}")))
    for message in messages:
        assert "does not know this key" in message
        assert "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in message
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    assert "it needs a key; set AWS_ACCESS_KEY_ID" in refusal(lambda: S3Bucket(f"s3://photos{where}"))
    assert SECRET not in caplog.text + "".join(messages)


@needs_server
def test_a_key_without_rights_is_told_which_it_needs(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    where = f"s3://photos/shop?endpoint={server.endpoint}"
    owner = S3Bucket(where)
    owner.put_all({NAMES[0]: b"x"})
    server.add_user("reader", SECRET)
    owner._client.put_bucket_policy(Bucket="photos", Policy=policy("reader", "s3:ListBucket"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "reader")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    reader = S3Bucket(where)
    assert list(reader.names()) == [NAMES[0]]
    assert "it needs s3:GetObject" in refusal(lambda: reader.read(NAMES[0]))
    assert "it needs s3:PutObject" in refusal(lambda: reader.put_all({NAMES[1]: b"x"}))
    assert "it needs s3:DeleteObject" in refusal(lambda: reader.delete(NAMES[0]))
    owner._client.put_bucket_policy(Bucket="photos", Policy=policy("reader", "s3:GetObject"))
    assert "it needs s3:ListBucket" in refusal(lambda: S3Bucket(where))
    actions = ("s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject")
    owner._client.put_bucket_policy(Bucket="photos", Policy=policy("reader", *actions))
    enough = S3Bucket(where, renew_after_s=0)
    enough.put_all({NAMES[0]: b"x", NAMES[1]: b"y"})
    assert enough.claim("me") == "me"
    assert not enough.delete(NAMES[1], min_age_s=60)
    assert enough.delete(NAMES[1])


def policy(user: str, *actions: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": [user]},
        "Action": list(actions),
        "Resource": ["arn:aws:s3:::photos", "arn:aws:s3:::photos/*"],
    }
    if actions == ("s3:ListBucket",):
        statement["Resource"] = ["arn:aws:s3:::photos"]
    if actions == ("s3:GetObject",):
        statement["Resource"] = ["arn:aws:s3:::photos/*"]
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@needs_server
def test_a_server_that_dies_and_comes_back(
    server: S3Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "sartor")
    bucket = S3Bucket(f"s3://photos/shop?endpoint={server.endpoint}")
    media = BucketMediaStore(bucket, folder=FolderMediaStore(tmp_path / "cache"))
    known = media.put(NAMES[0].partition(".")[0], Thumbnail(data=b"known", suffix="jpg"))
    media.flush()

    writing = threading.Thread(target=server.kill)
    contents = {name: os.urandom(300_000) for name in NAMES[1:]}
    writing.start()
    with pytest.raises(MediaAway, match="does not answer .* check SARTOR_MEDIA"):
        while True:  # until the kill
            bucket.put_all(contents)
    writing.join()
    assert media.read(known) == b"known", "what this host has seen is shown"
    name = media.put(NAMES[1].partition(".")[0], Thumbnail(data=contents[NAMES[1]], suffix="jpg"))
    with pytest.raises(MediaAway):
        media.flush()
    with pytest.raises(MediaAway):
        S3Bucket(f"s3://photos/shop?endpoint={server.endpoint}")

    server.start()
    media.flush()  # takes what waited
    assert bucket.read(name) == contents[name]
    bucket.put_all(contents)
    for name, content in contents.items():
        assert bucket.read(name) == content, "whole, or not at all"
    assert [record.message.split(":")[0] for record in caplog.records] == ["media away", "media back"]


@needs_server
def test_no_call_outlives_its_deadline_and_only_one_waits(server: S3Server) -> None:
    bucket = S3Bucket(f"s3://photos?endpoint={server.endpoint}", call_s=2)
    os.kill(server.process_id, signal.SIGSTOP)
    try:
        took = []

        def read() -> None:
            started = time.monotonic()
            with pytest.raises(MediaAway):
                bucket.read(NAMES[0])
            took.append(time.monotonic() - started)

        read()
        assert 1 < took[0] < 3.5
        with ThreadPoolExecutor(6) as threads:
            for future in [threads.submit(read) for _ in range(6)]:
                future.result()
        assert sorted(took[1:])[4] < 0.5, "all but the one that waits fail at once"
    finally:
        os.kill(server.process_id, signal.SIGCONT)
    deadline = time.monotonic() + 20
    while True:
        try:
            assert bucket.read(NAMES[0]) is None
        except MediaAway:
            assert time.monotonic() < deadline
        else:
            return


def test_a_server_that_is_not_there_is_one_line(s3_key: None) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        message = refusal(lambda: S3Bucket(f"s3://photos?endpoint=http://127.0.0.1:{port}"))
    assert f"http://127.0.0.1:{port} cannot be reached" in message
    assert "check SARTOR_MEDIA" in message


@needs_server
def test_a_server_with_a_certificate_of_its_own_needs_its_ca(
    tmp_path: Path, s3_key: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = tmp_path / "cert.pem"
    key = tmp_path / "key.pem"
    made = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run([*made.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    options = ("--cert", str(certificate), "--key", str(key))
    with engine.S3Server(tmp_path / "s3", options=options, buckets=("photos",)) as server:
        address = f"s3://photos?endpoint={server.endpoint}"
        assert "set AWS_CA_BUNDLE=FILE" in refusal(lambda: S3Bucket(address))
        plain = refusal(lambda: S3Bucket(address.replace("https:", "http:")))
        assert "https://" in plain
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        S3Bucket(address).put_all({NAMES[0]: b"x"})
