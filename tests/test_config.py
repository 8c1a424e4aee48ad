"""What a workspace is opened with: from the program, the environment and its own file, in this order."""

from __future__ import annotations

from pathlib import Path

import pytest

import sartor
from sartor.config import EnvironmentSettings, Settings, with_file
from sartor.errors import BadAddress, BadSettings, MissingExtra, redacted
from sartor.types import Metric
from tests.fakes import RED, folder_of


def test_the_file_says_what_neither_the_program_nor_the_environment_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sartor.toml").write_text('metric = "euclidean"\nmodel = "mine"\ndevice = "gpu"\n')
    monkeypatch.setenv("SARTOR_DEVICE", "npu")
    chosen = with_file(EnvironmentSettings(home=tmp_path, model="yours"))
    assert (chosen.metric, chosen.model, chosen.device) == (Metric.EUCLIDEAN, "yours", "npu")
    assert chosen.precision == Settings().precision


def test_an_address_in_place_of_the_directory_is_that_of_the_store() -> None:
    chosen = Settings.model_validate({"home": "mongodb://localhost/shop"})
    assert (chosen.store, chosen.home) == ("mongodb://localhost/shop", Path("sartor-data"))
    assert Settings.model_validate({"home": "some/directory"}).store is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('stor = "mongodb://localhost/shop"', r"'stor' is no setting; there are: .*store"),
        ('home = "elsewhere"', "'home' is no setting"),
        ('metric = "manhattan"', r"metric = 'manhattan': Input should be 'cosine' or 'euclidean'"),
        ("metric =", "Invalid value"),
    ],
)
def test_a_file_with_a_mistake_is_one_clear_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "sartor.toml").write_text(text)
    with pytest.raises(BadSettings, match=told) as error:
        sartor.open(tmp_path)
    assert "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["sartor.toml"]  # nothing was made


@pytest.mark.parametrize(
    "options",
    [{"store": "mongo://localhost/shop"}, {"index": "solr://localhost/shop"}, {"media": "ftp://host/shop"}],
)
def test_an_address_of_no_engine_is_one_clear_line_that_names_the_setting(
    tmp_path: Path, options: dict[str, str]
) -> None:
    ((setting, address),) = options.items()
    with pytest.raises(
        BadAddress, match=f"{setting}='{address}' cannot be used: there is no such engine"
    ) as error:
        sartor.open(tmp_path / "home", **options)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({}, "SARTOR_STORE=mongodb://HOST and SARTOR_INDEX=opensearch://HOST"),
        ({"store": "mongodb://localhost/shop"}, "SARTOR_INDEX=opensearch://HOST"),
        ({"index": "opensearch://localhost"}, "SARTOR_STORE=mongodb://HOST"),
        ({"store": "mongodb://localhost/shop", "index": "unix:///socket"}, "SARTOR_INDEX=opensearch://HOST"),
    ],
)
def test_a_shared_catalog_without_its_servers_names_their_settings(
    tmp_path: Path, options: dict[str, str], missing: str
) -> None:
    with pytest.raises(BadAddress) as error:
        sartor.open(tmp_path / "home", catalog="shared", **options)
    assert str(error.value) == (
        f"catalog='shared' cannot be used: it needs MongoDB and OpenSearch; set {missing}, "
        "or leave SARTOR_CATALOG out"
    )
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "address",
    [
        "mongodb://user:secret@host/shop",
        "mongodb://user:sec@ret@host/shop",
        "mongodb://user:sec/ret@host/shop",
        "mongodb://user:secret@a:1,b:2/shop?authSource=admin",
        "mongodb://host/shop?tlsCertificateKeyFilePassword=secret&x=1",
    ],
)
def test_no_message_has_a_password(tmp_path: Path, address: str) -> None:
    assert "ret" not in redacted(address).replace("user", "")
    with pytest.raises(BadAddress) as error:
        sartor.open(tmp_path, store=address.replace("mongodb://", "mongo://"))
    assert "ret" not in str(error.value).replace("directory", "")


def test_thumbnails_may_be_in_a_directory_that_all_share(home: Path, tmp_path: Path) -> None:
    photos = folder_of(tmp_path / "photos", {"red": RED})
    with sartor.open(home, media=str(tmp_path / "shared")) as shop:
        shop.index(photos)
        assert not shop.check()
    assert list((tmp_path / "shared").rglob("*.png"))
    assert not list((home / "media").rglob("*.png"))


def test_a_bucket_without_its_client_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.errors.find_spec", lambda name: None if name == "boto3" else object())
    with pytest.raises(MissingExtra, match=r"needs the package boto3; .* pip install '\.\[s3\]'"):
        sartor.open(tmp_path / "home", media="s3://photos/shop")
    assert not (tmp_path / "home").exists()
