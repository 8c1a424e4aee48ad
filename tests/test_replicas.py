"""Replicas: each process has a directory of its own, from the newest copy there is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

from sartor.replicas import Replica, Replicas, copy_file

CLAIM = """
import sys
from pathlib import Path
from sartor.replicas import Replicas
replicas = Replicas(Path(sys.argv[1]), revision_of=lambda path: int((path / "revision").read_text()), wait_s=0)
replica = replicas.claim(revision=0)
print(replica.path.name, flush=True)
sys.stdin.read()
"""


def revision_of(path: Path) -> int | None:
    try:
        return int((path / "revision").read_text())
    except FileNotFoundError:
        return None


def replicas_in(directory: Path, *, wait_s: float = 0.0) -> Replicas:
    return Replicas(directory, revision_of=revision_of, wait_s=wait_s)


def filled(replica: Replica, revision: int) -> Replica:
    replica.path.mkdir(parents=True, exist_ok=True)
    (replica.path / "revision").write_text(str(revision))
    return replica


def test_a_directory_belongs_to_one_process_until_it_is_released(tmp_path: Path) -> None:
    replicas = replicas_in(tmp_path)
    first, second = filled(replicas.claim(revision=0), 1), filled(replicas.claim(revision=0), 2)
    assert first.path != second.path
    first.release()
    assert replicas.claim(revision=2).path == first.path


def test_the_newest_one_that_nobody_uses_is_taken(tmp_path: Path) -> None:
    replicas = replicas_in(tmp_path)
    claimed = [filled(replicas.claim(revision=0), revision) for revision in (5, 9, 7)]
    for replica in claimed:
        replica.release()
    assert revision_of(replicas.claim(revision=9).path) == 9


def test_a_kill_gives_the_directory_back(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        theirs = child.stdout.readline().strip()
        (tmp_path / theirs).mkdir()
        (tmp_path / theirs / "revision").write_text("3")
        mine = replicas_in(tmp_path).claim(revision=3)
        assert mine.path.name != theirs
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert replicas_in(tmp_path).claim(revision=3).path.name == theirs


def test_who_finds_all_in_use_gets_a_copy_of_one(tmp_path: Path) -> None:
    first = filled(replicas_in(tmp_path).claim(revision=0), 8)
    assert not first.is_wanted
    claimed: list[Replica] = []
    asking = Thread(target=lambda: claimed.append(replicas_in(tmp_path, wait_s=30).claim(revision=8)))
    asking.start()
    while not first.is_wanted:
        pass
    assert first.share() == 1
    asking.join()
    assert claimed[0].path != first.path
    assert revision_of(claimed[0].path) == 8
    assert not first.is_wanted
    assert sorted(each.suffix for each in tmp_path.iterdir()) == ["", "", ".lock", ".lock", ".lock"]


def test_one_that_lags_far_behind_is_taken_only_where_nobody_answers(tmp_path: Path) -> None:
    replicas = replicas_in(tmp_path)
    old, new = filled(replicas.claim(revision=0), 1), filled(replicas.claim(revision=0), 100_000)
    old.release()
    claimed: list[Replica] = []
    asking = Thread(target=lambda: claimed.append(replicas_in(tmp_path, wait_s=30).claim(revision=100_000)))
    asking.start()
    while not new.is_wanted:
        pass
    new.share()
    asking.join()
    assert revision_of(claimed[0].path) == 100_000
    late = replicas_in(tmp_path).claim(revision=100_000)
    assert late.path == old.path


def test_replicas_that_are_of_no_use_are_swept(tmp_path: Path) -> None:
    replicas = replicas_in(tmp_path)
    claimed = [filled(replicas.claim(revision=0), number) for number in range(1, 9)]
    (claimed[0].path / "revision").unlink()
    for replica in claimed:
        replica.release()
    replicas.claim(revision=8)
    assert sorted(revision_of(path) for path in tmp_path.iterdir() if path.is_dir()) == [4, 5, 6, 7, 8]


def test_a_copy_has_the_holes_of_the_original(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    with source.open("wb") as file:
        file.truncate(64 << 20)
        file.seek(20 << 20)
        file.write(b"in the middle")
    copy_file(str(source), str(target))
    assert source.read_bytes() == target.read_bytes()
    assert target.stat().st_blocks <= source.stat().st_blocks + 16
    empty = tmp_path / "empty"
    empty.touch()
    copy_file(str(empty), str(target))
    assert target.read_bytes() == b""


def test_what_killed_processes_left_is_in_nobodys_way(tmp_path: Path) -> None:
    replicas = replicas_in(tmp_path)
    first = filled(replicas.claim(revision=0), 1)
    (tmp_path / "2.part").mkdir()
    (tmp_path / "3.wanted").touch()
    assert replicas.claim(revision=1).path.name == "2"
    assert not (tmp_path / "2.part").exists()
    assert first.share() == 1  # nobody waits any more; the next one takes the copy
    assert replicas.claim(revision=1).path.name == "3"
