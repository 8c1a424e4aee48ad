"""Output into a file or pipe of another encoding: every command writes, and none breaks off."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from sartor.cli import main
from tests.cli.conftest import write_photos

NAME = "Robe d'été → ✓ Ж"
USER = "аня"


@dataclass(frozen=True)
class Written:
    stdout: bytes
    stderr: bytes


def run(patch: pytest.MonkeyPatch, encoding: str, *arguments: object) -> Written:
    """Run a command in this process, with an output of an encoding; what it does not catch fails the test."""
    streams = [io.BytesIO(), io.BytesIO()]
    for name, stream in zip(("stdout", "stderr"), streams, strict=True):
        patch.setattr(sys, name, io.TextIOWrapper(stream, encoding=encoding, errors="strict"))
    patch.setattr(sys, "argv", ["sartor", *map(str, arguments)])
    with suppress(SystemExit):
        main()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return Written(*(stream.getvalue() for stream in streams))


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
        f"type,user_id,product_id,timestamp,où\nview,{USER},p-red-é,2025-01-01,ж\nжжёт,{USER},p-red-é,1,\n",
        "utf-8",
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
def test_every_command_writes(
    home: Path, feed: Path, tmp_path: Path, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SARTOR_HOME", str(home))
    for command in commands(feed, tmp_path):
        with monkeypatch.context() as patch:
            outcome = run(patch, encoding, *command)
        assert outcome.stdout or outcome.stderr, command
        if command[:2] != ("events", "show"):  # JSON is UTF-8
            outcome.stdout.decode(encoding)
        outcome.stderr.decode(encoding)


def test_json_is_utf_8(home: Path, feed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARTOR_HOME", str(home))
    with monkeypatch.context() as patch:
        assert json.loads(run(patch, "ascii", "index", feed, "--json").stdout.decode())["added"] == 5
    with monkeypatch.context() as patch:
        hits = json.loads(run(patch, "ascii", "similar", "--product", "p-red-é", "--json").stdout.decode())
    assert NAME in json.dumps(hits, ensure_ascii=False)
