"""Copies of sources on a server: which state they are of, and when they are deleted."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sartor.catalog.fetching import Copy, RemoteFile, Sources
from sartor.errors import SourceNotFetched, SourceNotFound
from sartor.limits import UNUSED_COPY_AGE_S
from tests.fakes import BLUE, RED, folder_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class FolderRemote:
    """A folder of this host as a server would offer it; its version of a file is a digest."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder, self.name, self.address, self.place = folder, address, address, f"here {address}"

    def files(self) -> tuple[bool, Iterable[RemoteFile]]:
        found = sorted(self._folder.glob("*.png"))
        return False, [
            RemoteFile(
                name=file.name,
                version=hashlib.sha256(file.read_bytes()).hexdigest(),
                size_bytes=file.stat().st_size,
            )
            for file in found
        ]

    def fetch(
        self, files: Iterable[tuple[RemoteFile, Path]], *, on_bytes: Callable[[int], None]
    ) -> Iterator[tuple[RemoteFile, Path]]:
        for file, path in files:
            shutil.copyfile(self._folder / file.name, path)
            on_bytes(file.size_bytes)
            yield file, path

    def elsewhere(self, copy: Copy) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return str, (copy,)


class Settings(dict[str, str]):
    def setting(self, name: str) -> str | None:
        return self.get(name)

    def set_setting(self, name: str, value: str) -> None:
        self[name] = value


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    folder_of(tmp_path / "one", {"red": RED})
    folder_of(tmp_path / "two", {"blue": BLUE})

    def connect(address: str) -> FolderRemote:
        return FolderRemote(tmp_path / address.removeprefix("test://"), address)

    return Sources(tmp_path / "fetched", Settings(), connect)


def copies(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "fetched").rglob("*.png"))


def grow_old(tmp_path: Path) -> None:
    for mark in (tmp_path / "fetched").glob("*/copy"):
        old_s = time.time() - UNUSED_COPY_AGE_S - 60
        os.utime(mark, (old_s, old_s))


def fetch_both(sources: Sources) -> None:
    for address in ("test://one", "test://two"):
        with sources.open(address) as opened:
            assert len(list(opened)) == 1


def test_an_old_copy_that_no_source_needs_is_deleted_and_fetched_again_when_it_is(
    sources: Sources, tmp_path: Path
) -> None:
    fetch_both(sources)
    grow_old(tmp_path)
    assert len(sources.sweep(["test://one", "/a/folder"])) == 1
    assert copies(tmp_path) == ["red.png"]
    fetch_both(sources)
    assert copies(tmp_path) == ["blue.png", "red.png"]


def test_a_copy_of_today_stays_as_another_process_may_be_reading_it(sources: Sources, tmp_path: Path) -> None:
    fetch_both(sources)
    assert sources.sweep([]) == []
    assert copies(tmp_path) == ["blue.png", "red.png"]


def test_a_sweep_before_anything_was_fetched_does_nothing(sources: Sources) -> None:
    assert sources.sweep(["test://one"]) == []


def test_what_else_is_in_the_folder_stays(sources: Sources, tmp_path: Path) -> None:
    fetch_both(sources)
    (tmp_path / "fetched" / "photos.sqlite3").write_bytes(b"notes")
    grow_old(tmp_path)
    assert len(sources.sweep([])) == 2
    assert copies(tmp_path) == []
    assert (tmp_path / "fetched" / "photos.sqlite3").read_bytes() == b"notes"


def test_the_state_of_an_address_follows_its_files(sources: Sources, tmp_path: Path) -> None:
    before = sources.state_of("test://one")
    os.utime(tmp_path / "one" / "red.png", (1, 1))
    assert sources.state_of("test://one") == before  # the server's version counts
    folder_of(tmp_path / "one", {"red": BLUE})
    changed = sources.state_of("test://one")
    assert changed != before
    folder_of(tmp_path / "one", {"new": RED})
    assert sources.state_of("test://one") not in {before, changed}


def test_a_source_that_is_away_has_no_state(sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(SourceNotFetched, match="neither such an object"):
        sources.state_of("test://none")
    with pytest.raises(SourceNotFound):
        sources.state_of(tmp_path / "none")
