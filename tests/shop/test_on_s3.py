"""A shop whose thumbnails are in a bucket: many hosts share it, copies move into it, and sweeps reach it."""

from __future__ import annotations

import logging
import os
import shutil
import time
import zipfile
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

pytest.importorskip("boto3", reason="boto3 is not installed; run: make test-engines")

from botocore.exceptions import ClientError

import sartor
from sartor.cli.app import app
from sartor.config import ServiceSettings, Settings
from sartor.errors import BadAddress
from sartor.ingest.maintenance import check_media, tidy_media
from sartor.media.bucket import BucketMediaStore
from sartor.media.folder import FolderMediaStore
from sartor.media.s3 import S3Bucket
from sartor.service.app import create_app
from sartor.wiring import back_up_workspace, copy_between, open_truth
from tests.copies import copied
from tests.fakes import BLUE, GREEN, RED, add, folder_of, photo

pytestmark = pytest.mark.engines

COLORS = {"red": RED, "green": GREEN, "blue": BLUE}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "photos", COLORS)


def thumbnails(shop: sartor.Shop) -> dict[str, bytes]:
    return {product_id: shop.thumbnail(shop.product(product_id).photos[0]).read_bytes() for product_id in COLORS}


def test_hosts_share_the_thumbnails_of_a_bucket(
    s3_address: str, mongodb_address: str, empty_home: Path, photos: Path, tmp_path: Path
) -> None:
    homes = [copied(empty_home, tmp_path / name) for name in ("one", "other")]
    with sartor.open(homes[0], store=mongodb_address, media=s3_address) as one:
        one.index(photos)
        seen = thumbnails(one)
        assert one.check() == ()
        assert one.info().media == s3_address.partition("?")[0]
    assert sorted(S3Bucket(s3_address).names()) == sorted(
        path.name for path in homes[0].glob("mongodb-*/media-*/*/*")
    )
    with sartor.open(homes[1], store=mongodb_address, media=s3_address) as other:
        assert thumbnails(other) == seen
        assert other.index(photos).embedded == 0
    assert not any(path.name.startswith("media.") for path in homes[0].iterdir())


def test_a_directory_moves_into_a_bucket_and_back(
    s3_address: str, home: Path, photos: Path, tmp_path: Path
) -> None:
    with sartor.open(home) as shop:
        shop.index(photos)
        seen = thumbnails(shop)
    in_bucket = Settings(home=tmp_path / "grown", media=s3_address)
    copy_between(Settings(home=home), in_bucket)
    assert not (tmp_path / "grown" / "media").exists()
    shutil.rmtree(next((tmp_path / "grown").glob("media-*")))
    with sartor.open(tmp_path / "grown", media=s3_address) as shop:
        assert thumbnails(shop) == seen
        assert shop.check() == ()
    back = Settings(home=tmp_path / "back")
    copy_between(in_bucket, back)
    with sartor.open(tmp_path / "back") as shop:
        assert thumbnails(shop) == seen


def test_a_copy_may_keep_the_bucket_and_a_stranger_may_not(
    s3_address: str, mongodb_address: str, home: Path, photos: Path, tmp_path: Path
) -> None:
    with sartor.open(home, media=s3_address) as shop:
        shop.index(photos)
        seen = thumbnails(shop)
    copy_between(
        Settings(home=home, media=s3_address),
        Settings(home=tmp_path / "grown", store=mongodb_address, media=s3_address),
    )
    with sartor.open(tmp_path / "grown", store=mongodb_address, media=s3_address) as shop:
        assert thumbnails(shop) == seen
    with pytest.raises(BadAddress, match="belong to another workspace; name another prefix") as refused:
        sartor.open(tmp_path / "stranger", media=s3_address)
    assert "endpoint" not in str(refused.value)


def test_what_no_product_shows_is_swept_when_it_is_old(
    s3_address: str, home: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=home, media=s3_address)
    with sartor.open(home, media=s3_address) as shop:
        shop.index(photos)
        shop.delete("red")
    media = BucketMediaStore(S3Bucket(s3_address, renew_after_s=0), folder=FolderMediaStore(tmp_path / "cache"))
    with closing(open_truth(settings)) as truth:
        tidy_media(truth.store, media)
        assert len(list(media.names())) == 3, "it is young"
        assert check_media(truth.store, media) == []
        time.sleep(4)
        monkeypatch.setattr("sartor.ingest.maintenance.UNUSED_PHOTO_AGE_S", 2.0)
        assert [problem.what for problem in check_media(truth.store, media)] == ["thumbnails of no photo"]
        tidy_media(truth.store, media)
        assert set(media.names()) == truth.store.thumbnails()
        assert check_media(truth.store, media) == []


def test_what_is_indexed_again_is_renewed_before_a_sweep(
    s3_address: str, home: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(S3Bucket.__init__, "__kwdefaults__", {"renew_after_s": 0.0, "call_s": 10.0})
    with sartor.open(home, media=s3_address) as shop:
        shop.index(photos)
        names = set(S3Bucket(s3_address).names())
        time.sleep(6)
        renewed_s = time.monotonic()
        shop.index(photos)
        ages_s = [S3Bucket(s3_address).age_s(name) for name in names]
        assert max(ages_s) < time.monotonic() - renewed_s + 2  # the server's times are whole seconds
        empty = open_truth(Settings(home=tmp_path / "empty")).store  # as if nobody had named them yet
        monkeypatch.setattr(
            "sartor.ingest.maintenance.UNUSED_PHOTO_AGE_S", time.monotonic() - renewed_s + 5
        )  # what was not renewed is older
        with closing(empty):
            tidy_media(empty, shop._workspace.backends.media)
        assert thumbnails(shop).keys() == COLORS.keys()


def test_a_backup_says_that_the_photos_are_not_in_it(
    s3_address: str, home: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sartor.open(home, media=s3_address) as shop:
        shop.index(photos)
        seen = thumbnails(shop)
    shown = s3_address.partition("?")[0]
    monkeypatch.setenv("SARTOR_MEDIA", s3_address)
    done = CliRunner().invoke(app, ["backup", str(tmp_path / "backup"), "--home", str(home)])
    assert f"not in the copy: the photos, which are in {shown}; open it with the same SARTOR_MEDIA" in done.output
    with sartor.open(tmp_path / "backup", media=s3_address) as shop:
        assert thumbnails(shop) == seen
    monkeypatch.delenv("SARTOR_MEDIA")
    assert back_up_workspace(Settings(home=home), tmp_path / "whole").left_out == ""


def test_neither_info_nor_a_log_shows_a_key(
    s3_address: str, home: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (home / "sartor.toml").write_text(f'media = "{s3_address}"\n')
    for command in (["index", str(photos)], ["info"], ["info", "--json"], ["check", "--repair"]):
        done = CliRunner().invoke(app, [*command, "--home", str(home)])
        assert done.exit_code == 0, done.output
        if command == ["info"]:
            assert f"photos: {s3_address.partition('?')[0]}\n" in done.output
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            assert os.environ[name] not in done.output + caplog.text


def test_the_service_hands_thumbnails_through_and_lets_browsers_keep_them(
    s3_address: str, home: Path, photos: Path
) -> None:
    with sartor.open(home, media=s3_address) as shop:
        shop.index(photos)
        sha256 = shop.product("red").photos[0].sha256
        for cached in home.glob("media-*/*/*"):
            cached.unlink()
        with TestClient(
            create_app(shop, shop.catalog.store, ServiceSettings()), client=("127.0.0.1", 5000)
        ) as client:
            while client.get("/health/ready").status_code != 200:
                time.sleep(0.01)
            answer = client.get(f"/v1/photos/{sha256}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


# Uploaded sources


def archive_of(folder: Path) -> BytesIO:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
    return buffer


@pytest.fixture
def large_photos(tmp_path: Path) -> Path:
    """Photos whose thumbnails are smaller than they are."""
    folder = tmp_path / "large"
    folder.mkdir()
    for name, color in COLORS.items():
        (folder / f"{name}.png").write_bytes(photo(color, side_px=900))
    return folder


def test_another_host_embeds_the_originals_of_an_upload(  # noqa: PLR0913, PLR0917 - fixtures
    s3_address: str,
    mongodb_address: str,
    empty_home: Path,
    large_photos: Path,
    tmp_path: Path,
    color_file: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    homes = [copied(empty_home, tmp_path / name) for name in ("one", "other")]
    name = "../Spring catalog #1 (März).zip"
    with sartor.open(homes[0], store=mongodb_address, media=s3_address) as one:
        upload = one.catalog.keep_upload(name, archive_of(large_photos))
        assert one.catalog.keep_upload(name, archive_of(large_photos)) == upload
        assert one.index(upload).products == 3
        (source,) = one.info().counts.sources
        assert source.startswith(f"{s3_address.partition('?')[0]}/sources/")
        assert source.endswith("/Spring-catalog-1-M-rz-.zip")
        another = archive_of(folder_of(tmp_path / "another", {"white": (255, 255, 255)}))
        assert one.catalog.keep_upload(name, another) != upload
    assert not list(homes[0].glob("**/sources"))
    shutil.rmtree(homes[0])
    add(homes[1], color_file, "second", scaling="tf")
    with sartor.open(homes[1], store=mongodb_address, media=s3_address) as other:
        report = other.promote("second", force=True)
    assert (report.embedded, report.reduced) == (3, 0), caplog.text


def test_an_upload_in_parts_that_breaks_off_is_swept(
    s3_address: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = S3Bucket(s3_address)
    key = bucket._key("sources/0123456789abcdef/cut.zip")
    where = {"Bucket": bucket._address.bucket, "Key": key}
    upload = bucket._client.create_multipart_upload(**where)["UploadId"]
    bucket._client.upload_part(**where, UploadId=upload, PartNumber=1, Body=os.urandom(5 << 20))
    assert bucket.remove_leftovers(min_age_s=0) == 0, "it may be on its way"
    time.sleep(3)
    monkeypatch.setattr("sartor.media.s3.UNFINISHED_UPLOAD_AGE_S", 1.0)
    assert bucket.remove_leftovers(min_age_s=0) == 1
    listed = bucket._client.list_multipart_uploads(Bucket=where["Bucket"], Prefix=bucket._address.prefix)
    assert not listed.get("Uploads")


def test_an_upload_in_parts_is_there_whole(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.media.s3_connection.PART_BYTES", 5 << 20)
    bucket, content = S3Bucket(s3_address), os.urandom(12 << 20)
    address = bucket.put_source("0123456789abcdef/large.zip", BytesIO(content))
    assert bucket.read("sources/0123456789abcdef/large.zip") == content
    assert (
        "-3"
        in bucket._client.head_object(
            Bucket=bucket._address.bucket, Key=bucket._key("sources/0123456789abcdef/large.zip")
        )["ETag"]
    )
    assert address.partition("?")[0].endswith("/sources/0123456789abcdef/large.zip")


def test_an_upload_is_swept_when_no_product_comes_from_it(
    s3_address: str, home: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = S3Bucket(s3_address, renew_after_s=0)
    media = BucketMediaStore(bucket, folder=FolderMediaStore(tmp_path / "cache"), originals=bucket)
    with sartor.open(home, media=s3_address) as shop:
        used = shop.catalog.keep_upload("used.zip", archive_of(photos))
        unused = shop.catalog.keep_upload("unused.zip", archive_of(folder_of(tmp_path / "x", {"x": RED})))
        bucket._create(bucket._key("sources/notes.txt"), Body=b"not Sartor's")
        shop.index(used)
        keys = {address: address.partition("?")[0].split("/", 3)[3] for address in (used, unused)}

        def there() -> set[str]:
            tidy_media(shop.catalog.store, media)
            return {address for address, key in keys.items() if bucket._body(key) is not None}

        assert there() == {used, unused}, "they are young"
        monkeypatch.setattr("sartor.ingest.maintenance.UNUSED_PHOTO_AGE_S", 2.0)
        time.sleep(4)
        assert there() == {used}
        for product in shop.product_ids():
            shop.delete(product)
        assert there() == set()
    assert bucket._body(bucket._key("sources/notes.txt")) is not None
    assert [name for name in bucket.names() if "/" in name] == []


def test_a_key_that_may_not_list_uploads_still_sweeps(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = S3Bucket(s3_address)

    def refused(**_: object) -> None:
        answer = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        raise ClientError(answer, "ListMultipartUploads")  # type: ignore[arg-type]

    monkeypatch.setattr(bucket._client, "list_multipart_uploads", refused)
    assert bucket.remove_leftovers(min_age_s=0) == 0
