"""What a workspace is opened with: from the program, the environment and its own file, in this order."""

from __future__ import annotations

from pathlib import Path

import pytest

import sartor
from sartor.config import EnvironmentSettings, ServiceSettings, Settings, misspelled_variables, with_file
from sartor.errors import BadAddress, BadSettings, MissingExtra, SartorError, UnusableSetting, redacted
from sartor.service.rates import check_rate_store
from sartor.types import Metric
from sartor.wiring import open_shop
from tests.fakes import RED, folder_of
from tests.thumbnails import thumbnails


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
    assert not thumbnails(home)


def test_a_bucket_without_its_client_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.errors.find_spec", lambda name: None if name == "boto3" else object())
    with pytest.raises(MissingExtra, match=r"needs the package boto3; .* pip install '\.\[s3\]'"):
        sartor.open(tmp_path / "home", media="s3://photos/shop")
    assert not (tmp_path / "home").exists()


NONSENSE = {  # a value of each setting that cannot be meant
    "home": None,  # any path is one
    "store": "nonsense://host",
    "index": "nonsense://host",
    "media": "nonsense://host",
    "cache": None,  # any path, too
    "catalog": "nonsense",
    "shrink_share": 2,
    "shrink_products": 0,
    "indexer": "perhaps",
    "model": "nonsense",
    "metric": "nonsense",
    "device": "nonsense",
    "precision": "nonsense",
    "runtime": "nonsense",
    "threads": -1,
    "allow_urls": "perhaps",
    "include_unavailable": "perhaps",
}
SERVICE_NONSENSE = {
    "host": "http://0.0.0.0:8000",
    "port": 70_000,
    "base_url": "shop.example",
    "trusted_proxies": ("10.0.0.0/8", "proxy.internal"),
    "cors_origins": ("shop.example",),
    "read_needs_key": "perhaps",
    "storefront": "perhaps",
    "rate_per_minute": -1,
    "rate_store": "http://host",
    "max_request_bytes": 0,
    "max_photos": 0,
    "workers": 0,
    "share_index": "perhaps",
    "concurrency": 0,
    "waiting": -1,
    "timeout_s": 0,
    "receive_timeout_s": 0,
}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_of_a_workspace_is_checked_at_start_and_named(home: Path, name: str) -> None:
    if NONSENSE[name] is None:
        return
    with (
        pytest.raises(SartorError, match=name) as error,
        open_shop(Settings.checked(**{"home": home, name: NONSENSE[name]})) as shop,
    ):
        shop.warm_up()  # as a service does at its start
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ServiceSettings.model_fields)
def test_every_setting_of_the_service_is_checked_at_start_and_named(name: str) -> None:
    option = ServiceSettings.model_fields[name].json_schema_extra
    with pytest.raises(SartorError, match=name) as error:
        check_rate_store(ServiceSettings.checked(**{name: SERVICE_NONSENSE[name]}).rate_store)
    assert "\n" not in str(error.value)
    if name != "rate_store" and option and option.get("option"):  # type: ignore[union-attr]
        assert option["option"] in str(error.value)  # type: ignore[index,call-overload]


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://shop.example/", "https://shop.example"),
        (" HTTPS://Shop.Example:443 ", "https://shop.example"),
        ("http://shop.example:80/", "http://shop.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://sh\u00f6p.example", "https://xn--shp-tna.example"),
        ("*", "*"),
    ],
)
def test_an_origin_is_written_as_browsers_send_it(given: str, origin: str) -> None:
    assert ServiceSettings.checked(cors_origins=(given,)).cors_origins == (origin,)


@pytest.mark.parametrize(
    "given",
    [
        "shop.example",
        "https://shop.example/page",
        "https://*.shop.example",
        "https://a.example,https://b.example",
        "null",
        "",
        "https://",
        "https://shop.example:99999",
        "https://ann@shop.example",
        "file:///x",
    ],
)
def test_what_is_no_origin_is_refused_with_the_name_of_the_setting(given: str) -> None:
    with pytest.raises(UnusableSetting, match=r"cors_origins \(--cors\) cannot be"):
        ServiceSettings.checked(cors_origins=(given,))


@pytest.mark.parametrize(
    "given",
    [
        "shop.example",
        "https://shop.example/v1/",
        "https://shop.example/product/x",
        "https://shop.example/a?b",
        "https://shop.example/a b",
        "https://shop.example/..",
        "https://shop.example//x",
        "/sartor",
    ],
)
def test_what_is_no_base_url_is_refused(given: str) -> None:
    with pytest.raises(UnusableSetting, match=r"base_url \(--base-url\) cannot be"):
        ServiceSettings.checked(base_url=given)
    assert (
        ServiceSettings.checked(base_url="https://Shop.example:443/sartor/").base_url
        == "https://shop.example/sartor"
    )


def test_python_is_told_in_one_line_too(tmp_path: Path) -> None:
    with pytest.raises(UnusableSetting, match=r"metric \(--metric\) cannot be 'nonsense': .*'cosine'"):
        sartor.open(tmp_path / "home", metric="nonsense")  # type: ignore[arg-type]
    assert not (tmp_path / "home").exists()


def test_a_misspelled_variable_is_found_and_those_of_kubernetes_are_not() -> None:
    environment = {"SARTOR_MODLE": "x", "SARTOR_SERVICE_HOST": "10.0.0.1", "SARTOR_PORT": "tcp://10.0.0.1:8000"}
    known = {"SARTOR_MODEL": "x", "SARTOR_API_KEY": "y"}
    assert misspelled_variables(environment | known) == {"SARTOR_MODLE": "SARTOR_MODEL"}
