"""A shop whose thumbnails are in a bucket: many hosts share it, copies move into it, and sweeps reach it."""

from __future__ import annotations

import logging
import os
import shutil
import time
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

pytest.importorskip("boto3", reason="boto3 is not installed; run: make test-engines")

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
from tests.fakes import BLUE, GREEN, RED, folder_of

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
