"""The how-to for a shop's developer, run as it stands: its commands and its program, against a service."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import BLUE, GREEN, RED, photo
from tests.service.test_durability import service

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "similar-products-on-your-pages.md"
WRITTEN = "127.0.0.1:8000"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page's commands need curl")
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
