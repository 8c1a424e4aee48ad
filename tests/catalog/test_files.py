from __future__ import annotations

import os
from pathlib import Path

import pytest

from sartor.catalog import files as files_module
from sartor.catalog.files import FolderFiles
from sartor.catalog.source import Findings
from sartor.errors import PhotoRejected, UnreadableTable
from tests.catalog.samples import PHOTO, write_folder


def test_names_are_sorted_and_relative(tmp_path: Path) -> None:
    write_folder(tmp_path, {"b/2.jpg": PHOTO, "b/1.jpg": PHOTO, "a.jpg": PHOTO, "c.csv": ""})

    assert FolderFiles(tmp_path, Findings()).names == ["a.jpg", "b/1.jpg", "b/2.jpg", "c.csv"]


def test_links_to_folders_are_counted_and_not_followed(tmp_path: Path) -> None:
    write_folder(tmp_path / "shop", {"a.jpg": PHOTO})
    (tmp_path / "shop" / "loop").symlink_to(tmp_path / "shop")
    findings = Findings()

    assert FolderFiles(tmp_path / "shop", findings).names == ["a.jpg"]
    assert [(finding.case, finding.examples) for finding in findings.snapshot()] == [
        ("links to folders, not followed", ("loop",))
    ]


def test_a_folder_that_cannot_be_read_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path, {"a.jpg": PHOTO, "private/b.jpg": PHOTO})
    scan = os.scandir

    def refuse_private(path: Path) -> object:
        if path.name == "private":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse_private)
    findings = Findings()

    assert FolderFiles(tmp_path, findings).names == ["a.jpg"]
    assert findings.snapshot()[0].examples == ("private",)


def test_a_photo_that_vanished_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "gone.jpg")
    files = FolderFiles(tmp_path, Findings())

    assert files.names == ["broken.jpg"]
    with pytest.raises(PhotoRejected, match=r"broken\.jpg cannot be used: is no longer there"):
        files.read("broken.jpg")


def test_a_photo_over_the_limit_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_module, "MAX_PHOTO_BYTES", 2**20)
    write_folder(tmp_path, {"fits.jpg": bytes(2**20), "large.jpg": bytes(2**20 + 1)})
    files = FolderFiles(tmp_path, Findings())

    assert len(files.read("fits.jpg")) == 2**20
    with pytest.raises(PhotoRejected, match="is larger than 1 MiB"):
        files.read("large.jpg")


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    files = FolderFiles(tmp_path, Findings())

    assert files.names == []
    with pytest.raises(PhotoRejected, match="is not a plain file"):
        files.read("pipe.jpg")


def test_a_folder_is_neither_a_photo_nor_a_table(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    files = FolderFiles(tmp_path, Findings())

    assert files.locate("folder.jpg") is None
    with pytest.raises(PhotoRejected):
        files.read("folder.jpg")
    with pytest.raises(UnreadableTable, match="not a plain file"), files.open_table("folder.jpg"):
        pass


def test_any_text_may_be_asked_for(tmp_path: Path) -> None:
    files = FolderFiles(tmp_path, Findings())

    assert [files.locate(name) for name in ("", "x" * 5_000, "a\0b", "\ud800")] == [None] * 4


def test_a_path_that_leads_into_the_folder_from_outside_is_a_name_inside(tmp_path: Path) -> None:
    write_folder(tmp_path, {"shop/a.jpg": PHOTO, "b.jpg": PHOTO})
    (tmp_path / "link").symlink_to(tmp_path / "shop")
    files = FolderFiles(tmp_path / "link", Findings())

    for path in ("a.jpg", "../shop/a.jpg", f"{tmp_path}/shop/a.jpg", f"{tmp_path}/link/a.jpg"):
        assert files.locate(path) == "a.jpg"
    assert files.locate(f"{tmp_path}/b.jpg") == f"{tmp_path}/b.jpg"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file names that are not Unicode")
def test_a_name_that_is_not_utf8_can_be_stored_and_read(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg")).write_bytes(PHOTO)
    files = FolderFiles(tmp_path, Findings())

    (name,) = files.names

    assert name.encode("utf-8") == rb"caf\xe9.jpg"
    assert files.read(name) == PHOTO
