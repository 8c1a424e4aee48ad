"""A Ray cluster embeds photos as the local pool does, and loses nothing when parts of it end.

Ray binds to the address of its host, and looks for a way to the outside. So what starts it here runs in a network
namespace of its own, which has nothing but a loopback.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sartor.demo.catalog import write_demo_catalog
from sartor.errors import BadAddress, MissingExtra
from sartor.ingest.ray.connection import first_line
from sartor.shop import Shop
from tests.copies import copied
from tests.fakes import folder_of, various_colors
from tests.promotions import add_models, labelled_photos
from tools.engines.namespaces import loopback_only

pytestmark = pytest.mark.engines

PRODUCTS = 300
DEMO_PRODUCTS = 60
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True, scope="module")
def _needs() -> None:
    pytest.importorskip("ray", reason="ray is not installed; run: make test-engines")
    if not loopback_only():
        pytest.skip("a network namespace is not permitted here, and Ray would leave the loopback")


def start(scenario: str, *arguments: Path, home: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"HOME": str(home), "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "t" * 32}
    environment.pop("RAY_ADDRESS", None)
    command = [*loopback_only(), sys.executable, "-m", "tests.ingest.ray_child", scenario, *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def seen_in(scenario: str, *arguments: Path, home: Path) -> Any:
    """What a scenario saw."""
    with start(scenario, *arguments, home=home) as process:
        try:
            output, errors = process.communicate(timeout=300)
        finally:
            process.kill()
    assert process.returncode == 0, errors
    return json.loads(output.splitlines()[-1])


@pytest.fixture(scope="module")
def colors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of one color each, and one that is none."""
    folder = folder_of(tmp_path_factory.mktemp("colors") / "photos", various_colors(PRODUCTS))
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n, and nothing more")
    return folder


@pytest.fixture(scope="module")
def one_host(tmp_path_factory: pytest.TempPathFactory, empty_home: Path, colors: Path) -> Any:
    work = tmp_path_factory.mktemp("one_host")
    demo = write_demo_catalog(work / "demo", count=DEMO_PRODUCTS)
    for name in ("local", "ray", "killed"):
        copied(empty_home, work / f"colors-{name}")
    add_models(work / "models-local")
    copied(work / "models-local", work / "models-ray")
    table = labelled_photos(work / "labelled")
    return seen_in("one_host", work, demo.directory, colors, table, home=work)


def test_a_cluster_stores_and_answers_what_the_local_pool_does(one_host: Any) -> None:
    local, ray = one_host["counts"]
    assert ray == local
    assert local["embedded"] > 0
    assert all(one_host["demo"]["same"].values()), one_host["demo"]["same"]
    assert one_host["demo"]["same_photos"]
    assert one_host["demo"]["photos"] >= DEMO_PRODUCTS
    assert one_host["demo"]["distance"] < 1e-5
    assert one_host["demo"]["problems"] == []


def test_a_broken_photo_is_rejected_with_the_same_words(one_host: Any) -> None:
    assert len(one_host["rejected_local"]) == 1
    assert one_host["rejected_ray"] == one_host["rejected_local"]
    assert all(one_host["colors"]["same"].values())


def test_a_second_run_embeds_nothing(one_host: Any) -> None:
    assert one_host["again_ray"] == one_host["again_local"] == 0


def test_a_killed_worker_costs_no_photo(one_host: Any) -> None:
    killed = one_host["killed"]
    assert (killed["killed"], killed["products"], killed["rejected"]) == (1, PRODUCTS, 1)
    assert all(killed["compared"]["same"].values())
    assert killed["compared"]["same_photos"]
    assert killed["compared"]["distance"] < 1e-5


def test_a_promotion_and_an_evaluation_give_the_same_figures(one_host: Any) -> None:
    local, ray = one_host["promoted"]
    assert ray == local
    assert local[0] == PRODUCTS
    local, ray = one_host["evaluated"]
    assert ray == local


def test_a_lost_node_costs_no_photo(home: Path, tmp_path: Path, colors: Path) -> None:
    seen = seen_in("lost_node", tmp_path, colors, home=tmp_path)
    assert seen == {"lost": 1, "products": PRODUCTS, "rejected": ["broken.png"], "problems": []}


def test_a_run_that_was_killed_goes_on_where_it_was(home: Path, tmp_path: Path, colors: Path) -> None:
    with start("killed_whole", home, colors, home=tmp_path) as process:
        assert process.stdout is not None
        committed = process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert int(committed) > 0
    seen = seen_in("killed_whole", home, colors, home=tmp_path)
    assert seen["products"] == PRODUCTS
    assert 0 < seen["embedded"] <= PRODUCTS - int(committed)
    assert seen["problems"] == 0


def test_a_cluster_that_cannot_be_used_is_one_line(home: Path, tmp_path: Path, colors: Path) -> None:
    seen = seen_in("refusals", tmp_path, colors, home=tmp_path)
    expected = {
        "nobody": ("ClusterAway", "check that it runs"),
        "silent": ("ClusterAway", "took longer than 3 s"),
        "busy": ("ClusterBusy", "all its 1 processors are taken"),
        "differs": ("ClusterDiffers", "1.0.0"),
    }
    for case, (name, words) in expected.items():
        kind, text, seconds = seen[case]
        assert kind == name, (case, text)
        assert words in text
        assert "\n" not in text
        assert seconds < 60, case


def test_an_error_of_a_cluster_is_told_by_the_line_that_says_why() -> None:
    heading = "Initialization failure from server:\nTraceback:\n  …\nRuntimeError: no port is free\n"
    assert first_line(ConnectionAbortedError(heading)) == (
        "Initialization failure from server: RuntimeError: no port is free"
    )
    assert first_line(ConnectionError("refused\nand pages more")) == "refused"
    assert first_line(ConnectionError()) == "ConnectionError"


def test_a_cluster_is_reached_by_its_client_server(home: Path, tmp_path: Path, colors: Path) -> None:
    copied(home, tmp_path / "home2")
    seen = seen_in("client", tmp_path, colors, home=tmp_path)
    assert seen["code"] == 0, seen["error"]
    assert (seen["report"]["products"], seen["report"]["embedded"]) == (PRODUCTS, PRODUCTS)
    code, error = seen["unshared"]
    assert code == 1
    assert "cannot read" in error
    assert "put the source where all hosts see it" in error


def test_workers_read_a_bucket_themselves(empty_home: Path, tmp_path: Path, colors: Path) -> None:
    pytest.importorskip("boto3", reason="boto3 is not installed; run: make test-engines")
    from tools.engines import s3

    if not s3.is_available():
        pytest.skip("versitygw is not built, and Go is not installed to build it")
    s3.build()  # in the namespace, nothing could be downloaded
    for name in ("folder", "catalog"):
        copied(empty_home, tmp_path / name)
    seen = seen_in("bucket", tmp_path, colors, home=tmp_path)
    assert seen == {key: [PRODUCTS, PRODUCTS, ["broken.png"], 0] for key in ("folder", "catalog.zip")}


def test_an_address_of_another_kind_is_refused(shop: Shop, colors: Path) -> None:
    for address in ("10.0.0.1:6379", "ray://", "ray://host", "http://host:1", ""):
        with pytest.raises(BadAddress, match="give auto .*, local or ray://HOST:PORT"):
            shop.index(colors, ray=address)


def test_without_ray_the_extra_is_named(shop: Shop, colors: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.errors.find_spec", lambda name: None if name == "ray" else object())
    with pytest.raises(MissingExtra, match=r"needs the package ray; .* pip install '\.\[ray\]'"):
        shop.index(colors, ray="auto")
