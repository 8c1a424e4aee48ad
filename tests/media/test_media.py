from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from sartor.errors import PhotoRejected, WorkspaceUnusable
from sartor.imaging import Thumbnail
from sartor.media.folder import FolderMediaStore

if TYPE_CHECKING:
    from pathlib import Path

SHA256 = hashlib.sha256(b"photo").hexdigest()
THUMBNAIL = Thumbnail(data=b"small picture", suffix="jpg")

ENDLESS_WRITER = """
import sys
from pathlib import Path
from sartor.imaging import Thumbnail
from sartor.media.folder import FolderMediaStore
media = FolderMediaStore(Path(sys.argv[1]))
thumbnail = Thumbnail(data=bytes(3_000_000), suffix="png")
for number in range(10_000):
    media.put(f"{number:064x}", thumbnail)
"""


@pytest.fixture
def media(tmp_path: Path) -> FolderMediaStore:
    return FolderMediaStore(tmp_path / "media")


def files_under(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_thumbnail_is_read_as_it_was_put(media: FolderMediaStore, tmp_path: Path) -> None:
    name = media.put(SHA256, THUMBNAIL)

    assert name == f"{SHA256}.jpg"
    assert media.read(name) == THUMBNAIL.data
    assert media.exists(name)
    assert media.path(name) == tmp_path / "media" / SHA256[:2] / name


def test_putting_twice_writes_once_and_begins_the_age_anew(media: FolderMediaStore, tmp_path: Path) -> None:
    name = media.put(SHA256, THUMBNAIL)
    written = media.path(name).stat().st_ino
    os.utime(media.path(name), (0, 0))

    assert media.put(SHA256, THUMBNAIL) == name
    assert media.path(name).stat().st_ino == written
    assert media.age_s(name) < 60
    assert len(files_under(tmp_path)) == 1


def test_names_come_in_order_and_without_strangers(media: FolderMediaStore) -> None:
    names = [media.put(f"{number * 7919 % 4096:03x}{'0' * 61}", THUMBNAIL) for number in range(20)]
    media.path(names[0]).with_name("notes.txt").write_text("a person was here")

    assert list(media.names()) == sorted(names)


def test_a_store_without_a_directory_is_empty(media: FolderMediaStore) -> None:
    assert list(media.names()) == []
    assert media.remove_leftovers(min_age_s=0) == 0
    assert not media.exists(f"{SHA256}.jpg")


def test_a_deleted_thumbnail_is_gone(media: FolderMediaStore) -> None:
    name = media.put(SHA256, THUMBNAIL)

    media.delete(name)
    media.delete(name)

    assert not media.exists(name)
    with pytest.raises(PhotoRejected, match="is no longer kept"):
        media.read(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../secret.jpg",
        f"../{SHA256}.jpg",
        f"/etc/{SHA256}.jpg",
        f"{SHA256}.jpg/../../x",
        f"{SHA256}.exe",
        f"{SHA256}.jpg\n",
        f"{SHA256}.jpg\0",
        SHA256,
        f"{SHA256[:-1]}.jpg",
        f"{SHA256.upper()}.jpg",
        f"{SHA256}.jpg.part",
    ],
)
def test_a_name_that_is_no_thumbnail_leads_nowhere(media: FolderMediaStore, name: str) -> None:
    for use in (media.path, media.read, media.exists, media.delete):
        with pytest.raises(PhotoRejected, match="is not the name of a thumbnail"):
            use(name)


def test_a_strange_sha_or_suffix_is_not_written(media: FolderMediaStore, tmp_path: Path) -> None:
    with pytest.raises(PhotoRejected):
        media.put("../../x", THUMBNAIL)
    with pytest.raises(PhotoRejected):
        media.put(SHA256, Thumbnail(data=b"", suffix="svg"))

    assert files_under(tmp_path) == []


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_an_interrupted_put_leaves_nothing(
    media: FolderMediaStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, step, interrupt)
    with pytest.raises(KeyboardInterrupt):
        media.put(SHA256, THUMBNAIL)

    assert files_under(tmp_path) == []


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file stands in the way")

    with pytest.raises(
        WorkspaceUnusable, match=r"media cannot be used as a workspace: the thumbnail .* cannot be"
    ):
        FolderMediaStore(tmp_path / "media").put(SHA256, THUMBNAIL)


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process the POSIX way")
def test_a_killed_writer_leaves_no_half_file(media: FolderMediaStore, tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", ENDLESS_WRITER, str(tmp_path / "media")])
    until = time.monotonic() + 10
    while len(list(media.names())) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    writer.send_signal(signal.SIGKILL)
    writer.wait()

    names = list(media.names())
    assert len(names) >= 3
    assert {media.path(name).stat().st_size for name in names} == {3_000_000}
    media.remove_leftovers(min_age_s=0)
    assert len(files_under(tmp_path)) == len(names)


def test_leftovers_are_removed_and_thumbnails_stay(media: FolderMediaStore, tmp_path: Path) -> None:
    name = media.put(SHA256, THUMBNAIL)
    media.path(name).with_name(f"{name}.0123456789abcdef.part").write_bytes(b"half a pic")

    assert media.remove_leftovers(min_age_s=0) == 1
    assert files_under(tmp_path) == [media.path(name)]
