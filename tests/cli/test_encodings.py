"""Output into a file or pipe of another encoding: every command writes, and none breaks off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import write_photos

NAME = "Robe d'été → ✓ Ж"
USER = "аня"


def run(home: Path, encoding: str, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"PYTHONIOENCODING": encoding, "SARTOR_HOME": str(home), "LANG": "C"}
    command = [sys.executable, "-m", "sartor", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, check=False, timeout=120)


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """A feed whose every text is beyond ASCII and Windows-1252."""
    photos = write_photos(tmp_path / "été ✓")
    rows = [f'p-{color}-é,{color}.png,"{NAME}",Жёлтый,15.00 EUR' for color in ("red", "green", "blue", "pink")]
    rows.append(f"broken,ничего.png,{NAME},,")
    (photos / "products.csv").write_text("\n".join(["id,image,title,color,price", *rows, ""]), "utf-8")
    return photos


def commands(feed: Path, tmp_path: Path) -> list[tuple[object, ...]]:
    log = tmp_path / "журнал.csv"
    log.write_text(
        f"type,user_id,product_id,timestamp,où\nview,{USER},p-red-é,2025-01-01,ж\nглядит,{USER},p-red-é,1,\n", "utf-8"
    )
    broken = tmp_path / "сломан.csv"
    broken.write_bytes(b"")
    return [
        ("index", feed),
        ("index", broken),
        ("events", "import", log),
        ("events", "show", "--user", USER),
        ("similar", "--product", "p-red-é"),
        ("similar", "--product", "p-red-é", "--where", "color=Красный"),
        ("similar", "--product", "нет"),
        ("outfit", "p-red-é"),
        ("duplicates",),
        ("for-you", USER),
        ("trending",),
        ("evaluate", feed),
        ("replay", log),
        ("info",),
        ("check",),
        ("check", "--health"),
        ("export", tmp_path / "выход.csv", "--format", "csv", "--force"),
        ("embed", feed, "-o", tmp_path / "é.npz"),
        ("models", "list"),
        ("keys", "create", "--name", "ключ"),
        ("keys", "list"),
        ("backup", tmp_path / f"копия-{os.urandom(4).hex()}"),
        ("events", "forget", "--user", USER),
        ("--help",),
    ]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_every_command_writes(home: Path, feed: Path, tmp_path: Path, encoding: str) -> None:
    for command in commands(feed, tmp_path):
        outcome = run(home, encoding, *command)
        assert b"Traceback" not in outcome.stderr, (command, outcome.stderr.decode(encoding, "replace"))
        assert b"UnicodeEncodeError" not in outcome.stderr, command
        if command[:2] != ("events", "show"):  # JSON is UTF-8
            outcome.stdout.decode(encoding)
        outcome.stderr.decode(encoding)
        assert outcome.stdout or outcome.stderr, command


def test_json_is_utf_8(home: Path, feed: Path) -> None:
    assert json.loads(run(home, "ascii", "index", feed, "--json").stdout.decode())["added"] == 5
    hits = json.loads(run(home, "ascii", "similar", "--product", "p-red-é", "--json").stdout.decode())
    assert NAME in json.dumps(hits, ensure_ascii=False)
