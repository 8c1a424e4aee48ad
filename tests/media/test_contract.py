"""What ``media/base.py`` promises of every media store. A second one is added to the list."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

import pytest

from sartor.errors import PhotoRejected
from sartor.imaging import Thumbnail
from sartor.media.bucket import BucketMediaStore
from sartor.media.folder import FolderMediaStore
from sartor.media.pack import PackMediaStore
from sartor.store.sqlite.pack import SqlitePack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sartor.media.base import MediaStore

MEDIA_STORES = ["folder", "pack", *(pytest.param(name, marks=pytest.mark.engines) for name in ("gridfs", "s3"))]
SHA256S = sorted(hashlib.sha256(name).hexdigest() for name in (b"a", b"b", b"c"))
THUMBNAIL = Thumbnail(data=b"small picture", suffix="jpg")


@pytest.fixture(params=MEDIA_STORES)
def media(request: pytest.FixtureRequest) -> MediaStore:
    return request.getfixturevalue(f"{request.param}_media")


@pytest.fixture
def folder_media(tmp_path: Path) -> MediaStore:
    return FolderMediaStore(tmp_path / "media")


@pytest.fixture
def pack_media(tmp_path: Path) -> Iterator[MediaStore]:
    media = PackMediaStore(SqlitePack(tmp_path / "media.sqlite3"), folder=FolderMediaStore(tmp_path / "media"))
    yield media
    media.close()


@pytest.fixture
def gridfs_media(tmp_path: Path, mongodb_address: str) -> Iterator[MediaStore]:
    from sartor.store.mongo.database import MongoDatabase
    from sartor.store.mongo.files import MongoFiles

    database = MongoDatabase(mongodb_address)
    yield BucketMediaStore(MongoFiles(database, "media"), folder=FolderMediaStore(tmp_path / "cache"))
    database.close()


@pytest.fixture
def s3_media(tmp_path: Path, s3_address: str) -> MediaStore:
    from sartor.media.s3 import S3Bucket

    return BucketMediaStore(S3Bucket(s3_address), folder=FolderMediaStore(tmp_path / "cache"))


def test_what_is_put_is_read_until_it_is_deleted(media: MediaStore) -> None:
    name = media.put(SHA256S[0], THUMBNAIL)
    assert name == f"{SHA256S[0]}.jpg"
    assert media.exists(name)
    assert media.read(name) == media.path(name).read_bytes() == THUMBNAIL.data
    media.delete(name)
    media.delete(name)
    assert not media.exists(name)
    with pytest.raises(PhotoRejected):
        media.read(name)


def test_a_kept_thumbnail_is_never_changed(media: MediaStore) -> None:
    name = media.put(SHA256S[0], THUMBNAIL)
    assert media.put(SHA256S[0], Thumbnail(data=b"another", suffix="jpg")) == name
    assert media.read(name) == THUMBNAIL.data


def test_the_age_begins_when_a_thumbnail_is_put_or_kept_and_protects_it(media: MediaStore) -> None:
    name = media.put(SHA256S[0], THUMBNAIL)
    assert 0 <= media.age_s(name) < 60
    assert not media.delete(name, min_age_s=60)
    assert media.keep(name)
    assert media.exists(name)
    assert media.delete(name)
    assert media.age_s(name) == math.inf
    assert not media.keep(name)
    assert media.delete(name, min_age_s=60)


def test_many_are_kept_at_once(media: MediaStore) -> None:
    names = {media.put(sha256, THUMBNAIL) for sha256 in SHA256S[:2]}
    assert media.keep_all([*names, f"{SHA256S[2]}.jpg"]) == names
    assert media.keep_all([]) == set()
    media.flush()
    assert media.keep_all(names) == names


def test_names_are_sorted(media: MediaStore) -> None:
    for sha256 in reversed(SHA256S):
        media.put(sha256, THUMBNAIL)
    assert list(media.names()) == [f"{sha256}.jpg" for sha256 in SHA256S]
    assert media.remove_leftovers(min_age_s=0) == 0


@pytest.mark.parametrize("name", ["../secret", "a.jpg", f"{SHA256S[0]}.exe", f"{SHA256S[0].upper()}.jpg", ""])
def test_other_names_are_refused(media: MediaStore, name: str) -> None:
    for call in (media.path, media.read):
        with pytest.raises(PhotoRejected):
            call(name)


@pytest.mark.parametrize(("sha256", "suffix"), [("short", "jpg"), (SHA256S[0], "exe")])
def test_only_thumbnails_of_a_digest_are_put(media: MediaStore, sha256: str, suffix: str) -> None:
    with pytest.raises(PhotoRejected):
        media.put(sha256, Thumbnail(data=b"x", suffix=suffix))
    assert list(media.names()) == []
