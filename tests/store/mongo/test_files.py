"""Files and models in GridFS: one of a name, whole or not at all, the same on every host."""

from __future__ import annotations

import hashlib
import io
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sartor.errors import ModelDamaged, ModelExists
from sartor.imaging import Thumbnail
from sartor.media.bucket import BucketMediaStore
from sartor.media.folder import FolderMediaStore

pymongo = pytest.importorskip("pymongo")

from gridfs import GridFSBucket  # noqa: E402

from sartor.store.mongo.database import MongoDatabase  # noqa: E402
from sartor.store.mongo.files import MongoFiles  # noqa: E402
from sartor.store.mongo.models import ModelFiles  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.engines

SHA256 = hashlib.sha256(b"photo").hexdigest()
THUMBNAIL = Thumbnail(data=b"small picture", suffix="jpg")


@pytest.fixture
def database(mongodb_address: str) -> Iterator[MongoDatabase]:
    opened = MongoDatabase(mongodb_address)
    yield opened
    opened.close()


@pytest.fixture
def files(database: MongoDatabase) -> MongoFiles:
    return MongoFiles(database, "media")


def test_a_file_of_many_chunks_is_read_by_any_program_that_knows_gridfs(
    files: MongoFiles, database: MongoDatabase
) -> None:
    content = bytes(range(256)) * 5_000  # 5 chunks of 255 KiB and a bit
    assert files.put("a", content)
    assert not files.upload("a", io.BytesIO(b"another"))
    assert files.upload("b", io.BytesIO(content))
    assert not files.put("b", b"another")
    assert files.put("empty", b"")
    assert files.read("empty") == b""
    for name in ("a", "b"):
        with database.calling() as opened:
            assert GridFSBucket(opened, "media").open_download_stream_by_name(name).read() == content
        assert files.read(name) == content
    assert files.remove_leftovers(min_age_s=0) == 0
    target = io.BytesIO()
    assert files.download("a", target)
    assert target.getvalue() == content
    assert not files.download("c", target)


def test_of_threads_that_put_one_name_one_is_first(files: MongoFiles, database: MongoDatabase) -> None:
    with ThreadPoolExecutor(6) as pool:
        contents = [bytes([number]) * 1_000 for number in range(12)]
        first = list(pool.map(lambda content: files.put("a", content), contents))
    assert first.count(True) == 1
    assert files.read("a") == contents[first.index(True)]
    assert list(files.names()) == ["a"]
    assert database.collection("media.chunks").count_documents({}) == 1


def test_a_file_that_is_deleted_and_put_again_is_the_new_one(files: MongoFiles) -> None:
    files.put("a", b"old")
    assert files.delete("a")
    assert files.put("a", b"new")
    assert files.read("a") == b"new"


def test_a_file_that_was_kept_meanwhile_is_not_deleted(files: MongoFiles, database: MongoDatabase) -> None:
    files.put("a", b"content")
    database.collection("media.files").update_one({}, {"$set": {"metadata.kept_s": time.time() - 7_200}})
    assert files.age_s("a") == pytest.approx(7_200, abs=60)
    assert files.keep_all(["a", "b"]) == {"a"}
    assert not files.delete("a", min_age_s=3_600)
    database.collection("media.files").update_one({}, {"$set": {"metadata.kept_s": time.time() - 7_200}})
    assert files.delete("a", min_age_s=3_600)
    assert database.collection("media.chunks").count_documents({}) == 0


def test_what_a_killed_process_left_is_removed_when_it_is_old(files: MongoFiles, database: MongoDatabase) -> None:
    files.put("a", b"whole")
    with database.calling() as opened:
        half = GridFSBucket(opened, "media").open_upload_stream("b", chunk_size_bytes=10)
        half.write(bytes(25))
        half._flush_data(b"", force=True)  # and never its document
    assert files.read("b") is None
    assert files.remove_leftovers(min_age_s=3_600) == 0
    assert database.collection("media.chunks").count_documents({}) > 1
    assert files.remove_leftovers(min_age_s=0) == 1
    assert database.collection("media.chunks").count_documents({}) == 1
    assert files.read("a") == b"whole"


def test_hosts_share_thumbnails_and_show_those_that_they_have(files: MongoFiles, tmp_path: Path) -> None:
    one, two = (BucketMediaStore(files, folder=FolderMediaStore(tmp_path / host)) for host in ("one", "two"))
    name = one.put(SHA256, THUMBNAIL)
    assert not two.exists(name)
    one.flush()
    assert two.path(name) == tmp_path / "two" / SHA256[:2] / name
    assert two.path(name).read_bytes() == THUMBNAIL.data
    one.delete(name)
    assert list(two.names()) == []
    assert two.read(name) == THUMBNAIL.data
    assert two.keep(name), "what a host still has is put again before its photo is written"
    assert one.read(name) == THUMBNAIL.data


def test_a_thumbnail_that_a_host_has_is_shown_while_the_server_is_away(
    tmp_path: Path, mongodb_server: str
) -> None:
    from tools.engines.mongodb import MongoServer

    with MongoServer(tmp_path / "server") as server:
        database = MongoDatabase(f"{server.address}/shop")
        media = BucketMediaStore(MongoFiles(database, "media"), folder=FolderMediaStore(tmp_path / "cache"))
        name = media.put(SHA256, THUMBNAIL)
        media.flush()
        server.kill()
        assert media.exists(name)
        assert media.read(name) == THUMBNAIL.data
        database.close()


def a_model(directory: Path, model_id: str, *, network: bytes = b"network", card: bytes = b"{}") -> Path:
    folder = directory / model_id
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(network)
    (folder / "card.json").write_bytes(card)
    return folder


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_model_that_one_host_adds_is_on_all(database: MongoDatabase, tmp_path: Path) -> None:
    one, two = ModelFiles(database, tmp_path / "one"), ModelFiles(database, tmp_path / "two")
    folder = a_model(tmp_path / "one", "color", network=bytes(700_000))
    a_model(tmp_path / "one", "vectors-only")
    one.push("color")
    one.push("color")
    one.push("vectors-only")
    assert two.pull() == ["color", "vectors-only"]
    assert two.pull() == []
    assert content_of(tmp_path / "two" / "color") == content_of(folder)
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["color", "vectors-only"]


def test_another_model_of_the_same_id_is_refused(database: MongoDatabase, tmp_path: Path) -> None:
    a_model(tmp_path / "one", "color")
    a_model(tmp_path / "two", "color", network=b"another")
    ModelFiles(database, tmp_path / "one").push("color")
    with pytest.raises(ModelExists, match="color"):
        ModelFiles(database, tmp_path / "two").push("color")
    assert ModelFiles(database, tmp_path / "two").pull() == []


def test_a_model_that_was_changed_on_the_server_is_not_used(database: MongoDatabase, tmp_path: Path) -> None:
    a_model(tmp_path / "one", "color")
    ModelFiles(database, tmp_path / "one").push("color")
    database.collection("models.chunks").update_one({"data": b"network"}, {"$set": {"data": b"nutwork"}})
    with pytest.raises(ModelDamaged, match="model.onnx"):
        ModelFiles(database, tmp_path / "two").pull()
    assert list((tmp_path / "two").iterdir()) == []
