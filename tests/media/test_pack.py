"""What only the pack of thumbnails does: many in one transaction, several processes, and the folder of before."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sartor.errors import PhotoRejected, WorkspaceTooNew, WorkspaceUnusable
from sartor.imaging import Thumbnail
from sartor.media.folder import FolderMediaStore
from sartor.media.pack import PackMediaStore
from sartor.store.sqlite.pack import SqlitePack
from tests.thumbnails import age_thumbnails

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHA256S = [hashlib.sha256(bytes([number])).hexdigest() for number in range(200)]

# Says which thumbnails it has flushed, as a store commits what names them.
ENDLESS_WRITER = """
import sys
from pathlib import Path
from sartor.imaging import Thumbnail
from sartor.media.folder import FolderMediaStore
from sartor.media.pack import PackMediaStore
from sartor.store.sqlite.pack import SqlitePack
home, first = Path(sys.argv[1]), int(sys.argv[2])
media = PackMediaStore(SqlitePack(home / "media.sqlite3"), folder=FolderMediaStore(home / "media"))
for number in range(first, first + 100_000):
    name = media.put(f"{number:064x}", Thumbnail(data=number.to_bytes(4) * 2000, suffix="jpg"))
    if number % 16 == 15:
        media.flush()
        print(number, flush=True)
"""


def picture(number: int) -> Thumbnail:
    return Thumbnail(data=bytes([number]) * 1000, suffix="jpg")


def opened(home: Path) -> PackMediaStore:
    return PackMediaStore(SqlitePack(home / "media.sqlite3"), folder=FolderMediaStore(home / "media"))


@pytest.fixture
def media(tmp_path: Path) -> Iterator[PackMediaStore]:
    with closing(opened(tmp_path)) as media:
        yield media


def test_a_workspace_without_thumbnails_has_no_file(media: PackMediaStore, tmp_path: Path) -> None:
    assert list(media.names()) == []
    assert media.damage() == []
    assert not media.keep(f"{SHA256S[0]}.jpg")
    assert media.delete(f"{SHA256S[0]}.jpg")
    media.flush()
    assert list(tmp_path.iterdir()) == []


def test_what_is_flushed_is_there_for_another_process(media: PackMediaStore, tmp_path: Path) -> None:
    names = [media.put(sha256, picture(number)) for number, sha256 in enumerate(SHA256S)]
    assert media.exists(names[0])  # it waits, and can be read here
    media.flush()
    with closing(opened(tmp_path)) as other:
        assert list(other.names()) == sorted(names)
        assert [other.read(name) for name in names] == [picture(number).data for number in range(len(names))]
    assert not (tmp_path / "media").exists()


def test_many_bytes_do_not_wait_in_memory(media: PackMediaStore, tmp_path: Path) -> None:
    names = [media.put(sha256, Thumbnail(data=bytes(1 << 20), suffix="png")) for sha256 in SHA256S[:9]]
    with closing(SqlitePack(tmp_path / "media.sqlite3")) as pack:
        assert list(pack.names()) == sorted(names[:8])


def test_thumbnails_of_the_folder_stay_there_and_are_read(media: PackMediaStore, tmp_path: Path) -> None:
    folder = FolderMediaStore(tmp_path / "media")
    old = folder.put(SHA256S[0], picture(0))
    assert media.put(SHA256S[0], picture(0)) == old
    new = media.put(SHA256S[1], picture(1))
    assert list(media.names()) == sorted([old, new])
    assert media.read(old) == media.path(old).read_bytes() == picture(0).data
    assert media.keep_all([old, new]) == {old, new}
    with closing(SqlitePack(tmp_path / "media.sqlite3")) as pack:
        assert list(pack.names()) == [new]  # nothing is copied
    assert not media.delete(old, min_age_s=60)
    assert media.delete(old)
    assert list(media.names()) == [*folder.names(), new] == [new]


def test_a_thumbnail_that_was_asked_for_as_a_file_is_deleted_whole(media: PackMediaStore) -> None:
    name = media.put(SHA256S[0], picture(0))
    file = media.path(name)
    assert file.read_bytes() == picture(0).data
    assert list(media.names()) == [name]
    assert media.delete(name)
    assert not file.exists()
    assert not media.exists(name)


def test_a_young_age_protects_only_what_was_kept(media: PackMediaStore, tmp_path: Path) -> None:
    kept, unused = (media.put(sha256, picture(0)) for sha256 in SHA256S[:2])
    media.flush()
    age_thumbnails(tmp_path)
    assert media.keep(kept)
    assert not media.delete(kept, min_age_s=3600)
    assert media.delete(unused, min_age_s=3600)
    assert list(media.names()) == [kept]


def test_the_disk_gets_back_what_many_deleted_thumbnails_took(media: PackMediaStore, tmp_path: Path) -> None:
    names = [media.put(sha256, Thumbnail(data=bytes(100_000), suffix="png")) for sha256 in SHA256S]
    media.flush()
    for name in names[1:]:
        assert media.delete(name)
    media.remove_leftovers(min_age_s=0)
    media.close()
    assert (tmp_path / "media.sqlite3").stat().st_size < 1_000_000
    assert len(media.read(names[0])) == 100_000


def test_damage_and_content_that_is_gone_are_told(media: PackMediaStore, tmp_path: Path) -> None:
    import sqlite3

    media.put(SHA256S[0], picture(0))
    media.flush()
    with closing(sqlite3.connect(tmp_path / "media.sqlite3")) as connection, connection:
        connection.execute("DELETE FROM contents")
    assert media.damage() == ["1 thumbnails have no content"]


def test_a_file_that_is_no_pack_is_one_clear_error(media: PackMediaStore, tmp_path: Path) -> None:
    (tmp_path / "media.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(WorkspaceUnusable, match=r"media\.sqlite3: file is not a database"):
        media.read(f"{SHA256S[0]}.jpg")
    (tmp_path / "media.sqlite3").unlink()


def test_a_pack_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    import sqlite3

    with closing(sqlite3.connect(tmp_path / "media.sqlite3")) as connection:
        connection.execute("PRAGMA user_version = 99")
    with closing(opened(tmp_path)) as media, pytest.raises(WorkspaceTooNew):
        media.exists(f"{SHA256S[0]}.jpg")


def test_a_name_that_is_no_thumbnail_leads_nowhere(media: PackMediaStore) -> None:
    for use in (media.path, media.read, media.exists, media.delete, media.age_s):
        with pytest.raises(PhotoRejected, match="is not the name of a thumbnail"):
            use("../secret.jpg")


def test_threads_put_flush_and_read_at_once(media: PackMediaStore) -> None:
    def work(part: int) -> None:
        for number in range(part, len(SHA256S), 4):
            name = media.put(SHA256S[number], picture(number))
            assert media.read(name) == picture(number).data
            if number % 8 == part:
                media.flush()

    threads = [threading.Thread(target=work, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(media.names()) == sorted(f"{sha256}.jpg" for sha256 in SHA256S)


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process the POSIX way")
def test_killed_writers_lose_nothing_that_they_flushed(media: PackMediaStore, tmp_path: Path) -> None:
    firsts = (0, 1 << 20)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", ENDLESS_WRITER, str(tmp_path), str(first)], stdout=subprocess.PIPE, text=True
        )
        for first in firsts
    ]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.readline()
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        assert all(media.exists(name) for name in media.names())  # a reader beside them
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
    for first, writer in zip(firsts, writers, strict=True):
        told = [int(line) for line in writer.communicate()[0].splitlines()]
        names = [f"{number:064x}.jpg" for number in range(first, told[-1] + 1)] if told else []
        assert [name for name in names if not media.exists(name)] == []
        assert all(media.read(name) == int(name[:64], 16).to_bytes(4) * 2000 for name in names)
    assert media.damage() == []
