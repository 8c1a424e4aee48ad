"""The tutorial with MongoDB, scikit-learn and Flask, run as it stands against a real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest

from tests.fakes import BLUE, GREEN, RED, folder_of, photo

pytestmark = pytest.mark.engines

PAGE = Path(__file__).parents[1] / "docs" / "tutorial" / "mongodb-scikit-learn-flask.md"
WRITTEN = "mongodb://localhost:27017/shop"
COLORS = {
    "red": RED,
    "green": GREEN,
    "blue": BLUE,
    "pink": (255, 120, 120),
    "dark": (120, 10, 10),
    "sea": (0, 90, 200),
}


def blocks(language: str, address: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert all(WRITTEN in block for block in found)
    return [block.replace(WRITTEN, address) for block in found]


def test_the_tutorial_works_from_top_to_bottom(
    home: Path, tmp_path: Path, mongodb_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home.rename(tmp_path / "sartor-data")
    folder_of(tmp_path / "photos", COLORS)
    commands = blocks("bash", mongodb_address)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command in commands:
        done = subprocess.run(
            ["bash", "-e", "-c", command],  # noqa: S607 - where it is found differs
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert "6 products (6 added" in done.stdout + done.stderr

    neighbors, page = blocks("python", mongodb_address)
    done = subprocess.run([sys.executable, "-c", neighbors], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counted, by_cosine, by_distance = done.stdout.splitlines()
    assert counted == "6 vectors of norm 1.0"
    assert by_cosine.removeprefix("cosine") == by_distance.removeprefix("euclidean")

    names: dict[str, object] = {"__name__": "page"}
    exec(compile(page, "page.py", "exec"), names)  # noqa: S102 - the page's own program
    client = names["app"].test_client()  # type: ignore[attr-defined]
    try:
        assert b'type="file"' in client.get("/").data
        sent = {"photo": (BytesIO(photo((250, 5, 5))), "mine.png")}
        shown = re.findall(r"(\w+): ([\d.]+)</li>", client.post("/", data=sent).text)
        assert [name for name, _ in shown][:2] == ["red", "dark"]
        with client.get("/photo/red") as shown_photo:
            assert shown_photo.content_type == "image/png"
    finally:
        names["shop"].close()  # type: ignore[attr-defined]
