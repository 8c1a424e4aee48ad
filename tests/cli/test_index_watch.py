"""``sartor index --watch`` as a process that keeps up with a folder until it is told to stop."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

import sartor as package
from tests.cli.conftest import Sartor
from tests.fakes import photo

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT_S = 60.0  # for a line; a busy machine takes long to import


class Watching:
    """A process that watches, and its lines as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        assert process.stderr is not None
        self.out, self.err = _lines(process.stdout), _lines(process.stderr)

    def said(self) -> str:
        return self.out.get(timeout=WAIT_S)

    def warned(self) -> str:
        return self.err.get(timeout=WAIT_S)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=WAIT_S)


def _lines(stream: IO[str]) -> queue.Queue[str]:
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        with stream:
            for line in stream:
                lines.put(line.rstrip("\n"))

    threading.Thread(target=read, daemon=True).start()
    return lines


def write(file: Path, content: bytes) -> None:
    """Write a file in one step, so that no round sees half of it."""
    part = file.parent.with_name(f"{file.name}.part")
    part.write_bytes(content)
    part.replace(file)


@contextmanager
def watching(home: Path, source: Path, *options: str) -> Iterator[Watching]:
    root = Path(package.__file__).parents[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "sartor", "index", str(source), "--watch", "0.1", "--home", str(home), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    try:
        yield Watching(process)
    finally:
        process.kill()
        process.wait()


def test_what_changes_is_indexed_and_said_and_a_source_away_for_a_moment_deletes_nothing(
    home: Path, photos: Path
) -> None:
    with watching(home, photos, "--prune") as watch:
        assert "watching 1 source every 0.1 s" in watch.warned()
        assert "4 added, 0 changed, 0 gone, 4 photos embedded, 0 photos rejected" in watch.said()
        write(photos / "new.png", photo((9, 9, 9)))
        assert "1 added, 0 changed, 0 gone, 1 photo embedded" in watch.said()
        away = photos.rename(photos.with_name("away"))
        warning = watch.warned()
        assert "warning: there is no file or folder" in warning
        assert "nothing is deleted" in warning
        away.rename(photos)
        assert watch.warned().endswith(f"{photos} is back")
        (photos / "new.png").unlink()
        assert "0 added, 0 changed, 1 gone, 0 photos embedded" in watch.said()
        assert watch.end(signal.SIGTERM) == 0
        assert watch.warned() == "sartor: stopped; what was committed stays"


def test_an_interrupt_ends_it_well_and_reports_are_json_where_asked(home: Path, photos: Path) -> None:
    with watching(home, photos, "--json") as watch:
        assert json.loads(watch.said())["added"] == 4
        (photos / "red.png").unlink()
        write(photos / "new.png", photo((9, 9, 9)))
        report = json.loads(watch.said())
        assert (report["added"] == 1, report["deleted"]) == (True, 0)
        assert watch.end(signal.SIGINT) == 0


def test_a_failed_round_is_told_and_the_next_one_tries_again(home: Path, photos: Path, table: Path) -> None:
    good = table.read_text(encoding="utf-8")
    with watching(home, table, "--prune") as watch:
        assert "4 added" in watch.said()
        watch.warned()
        write(table, good.partition("\n")[0].encode() + b"\n")  # an export that failed
        for _ in range(2):
            assert "the next round tries again" in watch.warned()
        write(table, good.replace("Red shirt", "Scarlet shirt").encode())
        assert "0 added, 1 changed, 0 gone" in watch.said()
        assert watch.end(signal.SIGTERM) == 0


def test_a_wrong_path_fails_at_once(sartor: Sartor, tmp_path: Path) -> None:
    outcome = sartor("index", tmp_path / "none", "--watch", 1)
    assert outcome.code == 1
    assert "there is no file or folder" in outcome.err


def test_a_dry_run_does_not_watch(sartor: Sartor, photos: Path) -> None:
    outcome = sartor("index", photos, "--watch", 1, "--dry-run")
    assert outcome.code == 2
    assert "--dry-run looks once" in outcome.err


@pytest.mark.parametrize("change", ["written", "added", "removed"])
def test_the_state_of_a_folder_follows_its_files(shop: package.Shop, photos: Path, change: str) -> None:
    before = shop.catalog.state_of(photos)
    assert shop.catalog.state_of(photos) == before
    match change:
        case "written":
            (photos / "red.png").write_bytes(photo((1, 2, 3)) + b" ")
        case "added":
            shutil.copy(photos / "red.png", photos / "deep.png")
        case "removed":
            (photos / "red.png").unlink()
    assert shop.catalog.state_of(photos) != before


def test_what_is_gone_is_counted_without_prune(shop: package.Shop, photos: Path) -> None:
    shop.index(photos)
    (photos / "red.png").unlink()
    report = shop.index(photos)
    assert (report.gone, report.deleted) == (1, 0)
