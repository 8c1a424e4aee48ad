from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sartor.errors import WorkspaceUnusable
from sartor.store.sqlite.files import FolderFiles


def test_a_file_is_there_whole_and_never_changes(tmp_path: Path) -> None:
    files = FolderFiles(tmp_path / "made later")
    assert files.names() == []
    assert files.read("a") is None
    assert files.upload("a", io.BytesIO(b"one"))
    assert not files.upload("a", io.BytesIO(b"two"))
    assert files.read("a") == b"one"
    assert files.names() == ["a"]
    assert [files.delete("a"), files.delete("a")] == [True, True]
    assert list((tmp_path / "made later").iterdir()) == []


def test_of_several_that_write_the_same_one_is_the_first(tmp_path: Path) -> None:
    contents = [bytes([number]) * 100_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        wrote = list(pool.map(lambda each: FolderFiles(tmp_path).upload("a", io.BytesIO(each)), contents))
    assert wrote.count(True) == 1
    assert FolderFiles(tmp_path).read("a") == contents[wrote.index(True)]


def test_a_directory_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceUnusable, match="cannot be written"):
        FolderFiles(tmp_path / "file").upload("a", io.BytesIO(b"one"))
