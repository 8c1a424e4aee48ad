"""The how-to for a shop's developer, run as it stands: its commands and its program, against a service."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import sartor
from sartor import Product, ProductInput
from sartor.cli.app import app
from tests.copies import copied
from tests.fakes import BLUE, GREEN, RED, photo
from tests.service.test_durability import service

PAGES = Path(__file__).parents[1] / "docs" / "how-to"
SIMILAR, SHOPPERS = "similar-products-on-your-pages.md", "recommend-to-shoppers.md"
DEPLOY, FRAMES = "deploy.md", "data-frames.md"
WRITTEN = "127.0.0.1:8000"

SYSTEMD_ANALYZE = shutil.which("systemd-analyze")

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the page's commands need curl")


def blocks(language: str, *, page: str = SIMILAR) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (PAGES / page).read_text(encoding="utf-8"), re.DOTALL)


@needs_curl
def test_the_page_works_from_top_to_bottom(home: Path, tmp_path: Path) -> None:
    shop = tmp_path / "photos"
    shop.mkdir()
    for name, color in (("shirt-1", BLUE), ("shirt-2", RED), ("jeans-1", GREEN)):
        (shop / f"{name}.jpg").write_bytes(photo(color, format_="JPEG"))
    answers = []
    with service(home) as running:
        commands = blocks("bash")
        (program,) = blocks("python")
        steps = [["bash", "-e", "-c", commands[0]], [sys.executable, "-c", program]]
        steps += [["bash", "-e", "-c", command] for command in commands[1:]]
        for step in steps:
            step[-1] = step[-1].replace(WRITTEN, running.address)
            done = subprocess.run(step, cwd=shop, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stderr
            answers.append(done.stdout)

    assert answers[1].splitlines() == ["jeans-1 created []", "shirt-1 updated []", "shirt-2 created []"]
    assert '"product_id":"shirt-2"' in answers[2]
    assert '"products":3' in answers[3]


def test_what_the_page_shows_of_the_component_is_served(home: Path) -> None:
    (html,) = blocks("html")
    (path,) = re.findall(rf'src="http://{WRITTEN}([^"]+)"', html)
    with service(home) as running:
        status, body = running.ask("GET", path)

    assert status == 200
    assert b"customElements.define" in body


@needs_curl
def test_the_page_about_shoppers_works_from_top_to_bottom(home: Path) -> None:
    products = [("shirt-1", BLUE, 39.9), ("shirt-2", RED, 29.9), ("jeans-1", GREEN, 59.9)]
    with sartor.open(home) as shop:
        shop.put(
            *(
                ProductInput(
                    product=Product(id=name, title=name, attributes={"gender": "Men", "price": price}),
                    photos=[photo(color)],
                )
                for name, color, price in products
            )
        )
    answers: list[dict[str, Any]] = []
    with service(home) as running:
        for command in blocks("bash", page=SHOPPERS):
            step = ["bash", "-e", "-c", command.replace(WRITTEN, running.address)]
            done = subprocess.run(step, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stderr
            answers += read_all(done.stdout)
        gone, _ = running.ask("GET", "/v1/users/ann")

    first, event, batch, for_you, together, trending, viewed, shown, merged, hers, person = answers
    assert {hit["product_id"] for hit in first["hits"]} == {name for name, *_ in products}
    assert first["based_on"] in {"context", "newest"}
    assert (event["accepted"], batch["accepted"], batch["duplicates"]) == (1, 3, 1)
    assert [each["index"] for each in batch["rejected"]] == [4]
    assert for_you["based_on"] == "history"
    assert [hit["product_id"] for hit in together["hits"]] == ["jeans-1"]
    assert isinstance(trending["hits"], list)
    assert [product["id"] for product in viewed["products"]] == ["shirt-1"]
    assert shown["accepted"] == 2
    assert merged == {"moved": 4}
    assert not {"shirt-1", "jeans-1"} & {hit["product_id"] for hit in hers["hits"]}
    assert (person["id"], person["visitors"], len(person["events"])) == ("ann", ["v-81"], 6)
    assert gone == 404


def test_the_page_about_data_frames_works_from_top_to_bottom(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, color in (("red", RED), ("blue", BLUE), ("green", GREEN)):
        (tmp_path / f"{name}.png").write_bytes(photo(color))
    copied(home, tmp_path / "shop")
    monkeypatch.chdir(tmp_path)
    known: dict[str, Any] = {}
    for program in blocks("python", page=FRAMES):
        exec(program, known)  # noqa: S102 - our own page

    said = capsys.readouterr().out
    assert said.startswith("pandas DataFrame 3 {'id': 'id', 'title': 'title', 'image': 'photos', 'price': 'price'")
    assert "1 rows without an id, named after their photo: row 3" in said
    assert "3 19.90 EUR" in said
    assert set(known["table"]["product_id"]) == {"15971", "green"}  # what shows the very photo is no hit
    assert sorted(known["cheap"]["price_amount"]) == [19.9, 49.0]


def read_all(text: str) -> list[dict[str, Any]]:
    """JSON texts that stand one after the other."""
    decoder, found = json.JSONDecoder(), []
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


def test_the_script_for_backups_checks_each_and_keeps_seven(home: Path, tmp_path: Path) -> None:
    with sartor.open(home) as shop:
        shop.put(ProductInput(product=Product(id="a", title="A"), photos=[photo(RED)]))
    backups = tmp_path / "backups"
    for day in range(1, 10):
        (backups / f"2025-01-{day:02}T000000Z").mkdir(parents=True)
    (script,) = blocks("bash", page=DEPLOY)
    (tmp_path / "sartor-backup").write_text(script)
    program = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"SARTOR_HOME": str(home), "BACKUPS": str(backups), "PATH": program}
    command = ["sh", str(tmp_path / "sartor-backup")]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    kept = sorted(path.name for path in backups.iterdir())
    assert len(kept) == 7
    assert kept[0] == "2025-01-04T000000Z"
    with sartor.open(backups / kept[-1]) as copy:
        assert copy.product("a").product.title == "A"

    environment["SARTOR_HOME"] = str(tmp_path / "nothing")
    failed = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert failed.returncode != 0
    assert len(list(backups.iterdir())) >= 7  # no older copy is deleted


@pytest.mark.skipif(SYSTEMD_ANALYZE is None, reason="systemd is not installed")
def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    (unit,) = blocks("ini", page=DEPLOY)
    file = tmp_path / "sartor.service"
    file.write_text(unit.replace("/opt/sartor/bin/sartor", "/bin/true"))
    done = subprocess.run(
        [str(SYSTEMD_ANALYZE), "verify", "--man=no", str(file)], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if "sartor.service" in line]
    assert not said


def test_the_commands_of_the_page_exist() -> None:
    page = (PAGES / DEPLOY).read_text(encoding="utf-8")
    options = get_command(app).commands  # type: ignore[attr-defined]
    used = re.findall(r"sartor (serve|index|backup|check) (.*)", page)
    assert used
    for name, arguments in used:
        known = {
            option for parameter in options[name].params for option in (*parameter.opts, *parameter.secondary_opts)
        }
        assert set(re.findall(r"(?<= )--[a-z-]+", f" {arguments.partition('||')[0].partition('`')[0]}")) <= known
