"""Sources in a bucket: fetched once, kept as they are there, indexed as a folder or file of this host is."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
import zipfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

pytest.importorskip("boto3", reason="boto3 is not installed; run: make test-engines")

import sartor
from sartor.catalog import fetching
from sartor.cli.app import app
from sartor.errors import BadAddress, PhotoRejected, SourceNotFetched, SourceShrunk
from sartor.media import s3_files
from sartor.media.s3_connection import S3Connection
from tests.copies import copied
from tests.fakes import BLUE, GREEN, RED, folder_of, various_colors
from tests.media.test_s3 import SECRET, policy
from tools.engines import s3 as engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tools.engines.s3 import S3Server

pytestmark = pytest.mark.engines

COLORS = {"red": RED, "green": GREEN, "blue": BLUE}
SEVERAL = 12  # photos, so that a loss of some is no accident


class Bucket:
    """A prefix, written by hand."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._connection = S3Connection(address)
        self._where = {"Bucket": self._connection.address.bucket}

    @property
    def name(self) -> str:
        return self.address.partition("?")[0]

    def put(self, key: str, data: bytes) -> None:
        self._connection.client.put_object(**self._where, Key=self._key(key), Body=data)

    def put_folder(self, folder: Path, *, below: str = "") -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(f"{below}{path.relative_to(folder).as_posix()}", path.read_bytes())

    def delete(self, key: str) -> None:
        self._connection.client.delete_object(**self._where, Key=self._key(key))

    def of(self, key: str) -> str:
        """Address of a key."""
        path, _, options = self.address.partition("?")
        return f"{path}/{key}?{options}"

    def _key(self, key: str) -> str:
        return self._connection.address.prefix + key


@pytest.fixture
def bucket(s3_address: str) -> Bucket:
    return Bucket(s3_address)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "photos", COLORS)


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what is fetched from now on."""
    names: list[str] = []
    fetch = s3_files.S3Source.fetch

    def noted(self: Any, files: Any, **options: Any) -> Any:
        for file, path in fetch(self, files, **options):
            names.append(file.name)
            yield file, path

    monkeypatch.setattr(s3_files.S3Source, "fetch", noted)
    return names


def zipped(folder: Path) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return buffer.getvalue()


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(SourceNotFetched) as raised:
        call()
    message = str(raised.value)
    assert "\n" not in message
    return message


# What is indexed


def test_a_folder_of_photos_is_indexed_as_one_of_this_host_is(
    bucket: Bucket, empty_home: Path, photos: Path, tmp_path: Path
) -> None:
    bucket.put_folder(photos, below="spring/")
    homes = [copied(empty_home, tmp_path / name) for name in ("here", "there")]
    with sartor.open(homes[0]) as here, sartor.open(homes[1]) as there:
        one, other = here.index(photos), there.index(bucket.of("spring"))
        assert (other.products, other.embedded) == (one.products, one.embedded) == (3, 3)
        assert other.source == f"{bucket.name}/spring"
        assert here.product_ids() == there.product_ids()
        assert [here.product(id_).photos for id_ in COLORS] == [there.product(id_).photos for id_ in COLORS]
        assert set(there.info().counts.sources) == {f"{bucket.name}/spring"}
        assert there.index(bucket.of("spring/")).unchanged == 3


def test_a_folder_and_its_photo_may_have_the_same_name(bucket: Bucket, shop: sartor.Shop, photos: Path) -> None:
    bucket.put("red.png/red.png", (photos / "red.png").read_bytes())
    assert shop.index(bucket.of("red.png")).products == 1


def test_a_zip_a_table_and_a_photo_are_recognized_by_what_they_hold(
    bucket: Bucket, shop: sartor.Shop, photos: Path, tmp_path: Path
) -> None:
    (photos / "styles.csv").write_text(
        "id,productDisplayName\nred,Red shirt\ngreen,Green shirt\nblue,Blue shirt\n"
    )
    (photos / "images").mkdir()
    for path in photos.glob("*.png"):
        path.rename(photos / "images" / path.name)
    bucket.put_folder(photos, below="table/")
    bucket.put("catalog.zip", zipped(photos))
    bucket.put("download", zipped(photos))
    bucket.put("feed.csv", b"id,image_link,title\nboot,https://shop.example/boot.jpg,Boot\n")
    bucket.put("one.png", (photos / "images" / "red.png").read_bytes())
    for key in ("table", "catalog.zip", "download"):
        report = shop.index(bucket.of(key))
        assert (report.products, report.photos) == (3, 3), key
        assert shop.product("red").product.title == "Red shirt"
    assert shop.index(bucket.of("feed.csv")).products == 1
    assert shop.index(bucket.of("one.png")).products == 1
    sources = set(shop.info().counts.sources)
    assert sources == {f"{bucket.name}/{key}" for key in ("download", "feed.csv", "one.png")}


def test_a_large_object_comes_in_parts(
    bucket: Bucket, shop: sartor.Shop, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sartor.media.s3_connection.PART_BYTES", 5 << 20)
    (photos / "notes.bin").write_bytes(os.urandom(23 << 20))
    bucket.put("catalog.zip", zipped(photos))
    steps: list[fetching.FetchProgress] = []
    assert shop.index(bucket.of("catalog.zip"), on_fetch=steps.append).products == 3
    assert len(steps) > 10
    assert (steps[-1].files, steps[-1].size_bytes) == (1, steps[-1].total_bytes)
    assert steps[-1].total_bytes > 23 << 20


# What is fetched again


def test_only_what_changed_is_fetched_again(bucket: Bucket, home: Path, photos: Path, fetched: list[str]) -> None:
    bucket.put_folder(photos)
    bucket.put("deeper/movie.mp4", b"not read")
    bucket.put("deeper/.hidden.png", b"not read")
    bucket.put("deeper/", b"")
    with sartor.open(home) as shop:
        shop.index(bucket.address)
        assert sorted(fetched) == ["blue.png", "green.png", "red.png"]
        fetched.clear()
        shop.index(bucket.address)
        assert fetched == []
        bucket.put("red.png", (photos / "blue.png").read_bytes())
        bucket.delete("green.png")
        report = shop.index(bucket.address, prune=True, allow_shrink=True)
        assert fetched == ["red.png"]
        assert (report.updated, report.deleted, report.embedded) == (1, 1, 0)
        assert shop.product_ids() == ["blue", "red"]
    (files,) = home.glob("fetched/*/files")
    assert sorted(path.name for path in files.iterdir()) == ["blue.png", "red.png"]


def test_a_file_that_was_not_fetched_whole_is_fetched_again(
    bucket: Bucket, home: Path, photos: Path, fetched: list[str]
) -> None:
    bucket.put_folder(photos)
    with sartor.open(home) as shop:
        shop.index(bucket.address)
        (mirror,) = home.glob("fetched/*")
        (mirror / "files" / "red.png").write_bytes(b"cut")  # not as it was noted
        notes = (mirror / "fetched.jsonl").read_text().splitlines(keepends=True)
        rest = [line for line in notes if '"blue.png"' not in line]
        (blue,) = (line for line in notes if '"blue.png"' in line)
        (mirror / "fetched.jsonl").write_text("".join(rest) + blue[:20])  # killed while it was noted
        (mirror / "parts").mkdir()
        (mirror / "parts" / "0").write_bytes(b"half")
        (mirror / "files" / "stranger.png").write_bytes(b"no file of the source")
        fetched.clear()
        assert shop.index(bucket.address).products == 3
    assert sorted(fetched) == ["blue.png", "red.png"]
    assert not (mirror / "parts").exists()
    assert (mirror / "files" / "red.png").read_bytes() == (photos / "red.png").read_bytes()
    assert not (mirror / "files" / "stranger.png").exists()


def test_what_a_killed_command_has_fetched_is_not_fetched_again(
    bucket: Bucket, home: Path, tmp_path: Path, fetched: list[str]
) -> None:
    bucket.put_folder(folder_of(tmp_path / "many", various_colors(300)))
    command = [sys.executable, "-m", "sartor", "index", bucket.address, "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline_s = time.monotonic() + 120
        while sum(len(notes.read_bytes().splitlines()) for notes in home.glob("fetched/*/fetched.jsonl")) < 20:
            assert time.monotonic() < deadline_s
            assert process.poll() is None
        process.kill()
    with sartor.open(home) as shop:
        report = shop.index(bucket.address)
    assert (report.products, report.rejected) == (300, ())
    assert len(fetched) <= 280


def test_an_object_that_changes_meanwhile_is_no_mixture(
    bucket: Bucket, shop: sartor.Shop, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put_folder(photos)
    listed = s3_files.S3Source.files

    def late(self: Any) -> Any:
        is_single, files = listed(self)
        offered = list(files)
        bucket.put("red.png", (photos / "blue.png").read_bytes())
        return is_single, offered

    with monkeypatch.context() as patch:
        patch.setattr(s3_files.S3Source, "files", late)
        assert "red.png cannot be fetched: it was changed" in refusal(lambda: shop.index(bucket.address))
    assert shop.index(bucket.address).products == 3


def test_names_that_no_file_can_have_are_counted(
    bucket: Bucket, shop: sartor.Shop, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a server may list them; versitygw itself is a directory and has none."""
    bucket.put_folder(photos)
    listed = s3_files.S3Source.files
    odd = ["../../escaped.png", "/rooted.png", "a//b.png", "x\\y.png", f"{'n' * 300}.png", "red.png/deeper.png"]

    def with_odd(self: Any) -> Any:
        is_single, files = listed(self)
        return is_single, [*files, *(fetching.RemoteFile(name=name, version='"v"', size_bytes=3) for name in odd)]

    monkeypatch.setattr(s3_files.S3Source, "files", with_odd)
    report = shop.index(bucket.address)
    (finding,) = report.findings
    assert (report.products, finding.count) == (3, len(odd))
    assert "not fetched" in finding.case


def test_a_fetched_table_names_no_file_of_this_host(
    bucket: Bucket, shop: sartor.Shop, photos: Path, tmp_path: Path
) -> None:
    private = folder_of(tmp_path / "private", {"secret": RED}) / "secret.png"
    rows = ["id,image,title", f"one,{private},One", f"two,file://{private},Two", "three,red.png,Three"]
    bucket.put("products.csv", "\n".join([*rows, "four,../../../../private/secret.png,Four"]).encode())
    bucket.put("red.png", (photos / "red.png").read_bytes())
    shop.index(bucket.address)
    assert [bool(shop.product(id_).photos) for id_ in ("one", "two", "three", "four")] == [
        False,
        False,
        True,
        False,
    ]


def test_a_source_that_shrinks_is_refused_as_a_folder_is(
    bucket: Bucket, shop: sartor.Shop, tmp_path: Path
) -> None:
    photos = folder_of(tmp_path / "many", various_colors(SEVERAL))
    bucket.put_folder(photos)
    shop.index(bucket.address)
    for path in sorted(photos.iterdir())[:-1]:
        bucket.delete(path.name)
    with pytest.raises(SourceShrunk):
        shop.index(bucket.address, prune=True)
    assert len(shop.product_ids()) == SEVERAL
    assert shop.index(bucket.address, prune=True, allow_shrink=True).deleted == SEVERAL - 1


# Refusals


def test_refusals_are_one_line(
    bucket: Bucket, shop: sartor.Shop, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "there is neither such an object" in refusal(lambda: shop.index(bucket.of("missing")))
    bucket.put("readme.md", b"text")
    assert "there is neither such an object" in refusal(lambda: shop.index(bucket.address))
    path, _, options = bucket.address.partition("?")
    name = path.split("/")[2]
    assert "no such bucket; make it, or check the address" in refusal(
        lambda: shop.index(f"s3://missing-{name}/x?{options}")
    )
    nobody = refusal(lambda: shop.index(f"{path}?endpoint=http://127.0.0.1:9"))
    assert "cannot be reached" in nobody
    assert nobody.endswith("try again when the server is back")
    for address in ("s3://", "s3://key:secret@bucket/x", "s3://bucket/x?color=red", "gs://bucket/x"):
        with pytest.raises(BadAddress, match="source="):
            shop.index(address)
    bucket.put_folder(photos)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    told = refusal(lambda: shop.index(bucket.address))
    assert "does not know this key" in told
    assert SECRET not in told


def test_a_full_disk_is_one_line(
    bucket: Bucket, shop: sartor.Shop, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put_folder(photos)
    with monkeypatch.context() as patch:
        patch.setattr("sartor.catalog.fetching._SPARE_BYTES", 1 << 60)
        assert "MB are free there; make room" in refusal(lambda: shop.index(bucket.address))
    (shop.home / "fetched").rename(shop.home / "away")
    (shop.home / "fetched").write_text("in the way")
    with pytest.raises(sartor.SartorError, match="fetched"):
        shop.index(bucket.address)


@pytest.fixture
def server(tmp_path: Path, s3_key: None) -> Iterator[S3Server]:
    if not engine.is_available():
        pytest.skip("versitygw is not built, and Go is not installed to build it")
    with engine.S3Server(tmp_path / "s3", buckets=("photos",)) as running:
        yield running


def test_a_key_without_rights_is_told_which_it_needs(
    server: S3Server, shop: sartor.Shop, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = Bucket(f"s3://photos/shop?endpoint={server.endpoint}")
    bucket.put_folder(photos)
    server.add_user("reader", SECRET)
    client = bucket._connection.client
    client.put_bucket_policy(Bucket="photos", Policy=policy("reader", "s3:ListBucket"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "reader")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    assert "it needs s3:GetObject" in refusal(lambda: shop.index(bucket.address))
    client.put_bucket_policy(Bucket="photos", Policy=policy("reader", "s3:ListBucket", "s3:GetObject"))
    assert shop.index(bucket.address).products == 3


def test_a_server_that_dies_leaves_the_catalog_as_it_was(
    server: S3Server, shop: sartor.Shop, photos: Path
) -> None:
    bucket = Bucket(f"s3://photos/shop?endpoint={server.endpoint}")
    bucket.put_folder(photos)
    shop.index(bucket.address)
    server.kill()
    assert "try again when the server is back" in refusal(lambda: shop.index(bucket.address))
    assert shop.product_ids() == sorted(COLORS)


# The command, other hosts, other processes


def test_the_command_takes_an_address(bucket: Bucket, home: Path, photos: Path) -> None:
    bucket.put_folder(photos)
    done = CliRunner().invoke(app, ["index", bucket.address, "--home", str(home)])
    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"{bucket.name}: 3 products")
    again = CliRunner().invoke(app, ["index", bucket.of("missing"), "--home", str(home)])
    assert "there is neither such an object" in str(again.exception)


def test_another_host_is_the_same_source_and_needs_no_options(
    bucket: Bucket, mongodb_address: str, empty_home: Path, photos: Path, tmp_path: Path
) -> None:
    bucket.put_folder(photos)
    homes = [copied(empty_home, tmp_path / name) for name in ("one", "other")]
    with sartor.open(homes[0], store=mongodb_address) as one:
        one.index(bucket.address)
    with sartor.open(homes[1], store=mongodb_address) as other:
        assert other.index(bucket.name, prune=True).unchanged == 3  # the store knows the endpoint
        assert list(other.info().counts.sources) == [bucket.name]


@pytest.mark.parametrize("sees_the_copy", [True, False])
def test_a_process_on_another_host_reads_the_photos_itself(
    bucket: Bucket, shop: sartor.Shop, photos: Path, sees_the_copy: bool
) -> None:
    bucket.put_folder(photos, below="folder/")
    bucket.put("catalog.zip", zipped(photos))
    bucket.put("red.png", (photos / "red.png").read_bytes())
    for key in ("folder", "catalog.zip", "red.png"):
        with shop.catalog._backends.sources.open(bucket.of(key)) as source:
            travelling = pickle.dumps([photo for product in source for photo in product.photos])
            if not sees_the_copy:
                for mark in shop.home.glob("fetched/*/copy"):
                    mark.write_text("another host's")
        read = {photo.name: photo.read() for photo in pickle.loads(travelling)}  # noqa: S301 - made here
        assert read == {name: (photos / name).read_bytes() for name in read}
        assert read
    bucket.delete("folder/red.png")
    (red,) = (photo for photo in pickle.loads(travelling) if photo.name == "red.png")  # noqa: S301
    bucket.delete("red.png")
    if not sees_the_copy:
        with pytest.raises(PhotoRejected, match="cannot be read"):
            red.read()
