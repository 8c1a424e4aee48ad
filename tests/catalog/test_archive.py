"""ZIP archives, and the ones that are refused."""

from __future__ import annotations

import pickle
import re
import stat
import struct
import warnings
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.catalog import ZipLimits, open_source
from sartor.catalog import archive as archive_module
from sartor.errors import PhotoRejected, SartorError, UnreadableTable, UnsafeArchive
from tests.catalog.samples import PHOTO, read, write_zip

if TYPE_CHECKING:
    from pathlib import Path


def test_a_damaged_photo_is_rejected_and_the_others_are_read(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "shop.zip", {"a.jpg": b"first photo", "b.jpg": b"second photo"})
    archive.write_bytes(archive.read_bytes().replace(b"first", b"worst"))

    with open_source(archive) as source:
        damaged, whole = (product.photos[0] for product in source)
        with pytest.raises(PhotoRejected, match=r"a\.jpg cannot be used: is damaged in the archive"):
            damaged.read()
        assert whole.read() == b"second photo"


def test_photos_travel_to_another_process(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "shop.zip", {"a.jpg": b"first photo", "b.jpg": b"second photo"})
    with open_source(archive) as source:
        travelling = pickle.dumps([product.photos[0] for product in source])
    first, second = pickle.loads(travelling)  # noqa: S301 - made here
    assert (first.read(), second.read()) == (b"first photo", b"second photo")


@pytest.mark.parametrize("name", ["styles.csv", "products.csv"])
def test_a_damaged_table_is_unreadable(tmp_path: Path, name: str) -> None:
    table = "id,articleType,image\n1,Shirts,1.jpg\n"
    archive = write_zip(tmp_path / "shop.zip", {name: table, "1.jpg": PHOTO})
    archive.write_bytes(archive.read_bytes().replace(b"Shirts", b"Skirts"))

    with (
        pytest.raises(UnreadableTable, match=rf"shop\.zip/{name} cannot be read .* damaged"),
        open_source(archive),
    ):
        pass


def test_a_header_that_lies_about_the_size_does_not_get_past(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "liar.zip", {"liar.jpg": bytes(10 * 2**20)}, compression=zipfile.ZIP_DEFLATED)
    content = bytearray(archive.read_bytes())
    central = content.index(b"PK\x01\x02")
    struct.pack_into("<L", content, 22, 100)  # local header
    struct.pack_into("<L", content, central + 24, 100)
    archive.write_bytes(content)

    with (
        open_source(archive) as source,
        pytest.raises(PhotoRejected, match="is damaged in the archive"),
    ):
        next(iter(source)).photos[0].read()


def test_even_with_a_matching_checksum_no_more_than_the_declared_size_is_read(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "liar.zip", {"liar.jpg": bytes(10 * 2**20)}, compression=zipfile.ZIP_DEFLATED)
    content = bytearray(archive.read_bytes())
    central = content.index(b"PK\x01\x02")
    struct.pack_into("<L", content, central + 16, zlib.crc32(bytes(100)))
    struct.pack_into("<L", content, central + 24, 100)
    archive.write_bytes(content)

    with open_source(archive) as source:
        assert len(next(iter(source)).photos[0].read()) == 100


def test_a_photo_over_the_limit_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MAX_PHOTO_BYTES", 1_000)
    archive = write_zip(tmp_path / "shop.zip", {"large.jpg": bytes(1_001)})

    with open_source(archive) as source, pytest.raises(PhotoRejected, match="is larger than 64 MiB"):
        next(iter(source)).photos[0].read()


def test_of_entries_with_the_same_name_the_last_one_counts(tmp_path: Path) -> None:
    with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        warnings.simplefilter("ignore", UserWarning)
        archive.writestr("a.jpg", b"old")
        archive.writestr("a.jpg", b"new")

    reading = read(tmp_path / "twice.zip")

    assert reading.counts == {"archive entries with the same name": 1}
    with open_source(tmp_path / "twice.zip") as source:
        assert [product.photos[0].read() for product in source] == [b"new"]


def test_names_that_are_not_flagged_as_utf8_are_read(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "old.zip", {"cafe.jpg": PHOTO})
    archive.write_bytes(archive.read_bytes().replace(b"cafe.jpg", b"caf\x82.jpg"))

    assert read(archive).ids == ["café"]


def test_folders_in_the_archive_are_no_products(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "shop.zip", "w") as archive:
        archive.mkdir("photos.jpg")
        archive.writestr("photos.jpg/a.jpg", PHOTO)

    assert read(tmp_path / "shop.zip").ids == ["photos.jpg/a"]


def test_threads_read_one_archive_at_the_same_time(tmp_path: Path) -> None:
    contents = {f"{number}.jpg": f"photo {number} ".encode() * 500 for number in range(300)}
    archive = write_zip(tmp_path / "shop.zip", contents, compression=zipfile.ZIP_DEFLATED)

    with open_source(archive) as source, ThreadPoolExecutor(8) as pool:
        photos = [product.photos[0] for product in source]
        for _ in range(3):
            assert list(pool.map(lambda photo: photo.read(), photos)) == list(contents.values())


_CENTRAL_HEADER = b"PK\x01\x02"


_ENTRY_COUNT = 40


def refusal(path: Path, limits: ZipLimits | None = None) -> str:
    with pytest.raises(UnsafeArchive) as refused, open_source(path, limits=limits or ZipLimits()):
        pass
    return str(refused.value)


def patched(path: Path, at: int, layout: str, value: int) -> Path:
    """Overwrite a field of the first entry in the central directory."""
    content = bytearray(path.read_bytes())
    struct.pack_into(layout, content, content.index(_CENTRAL_HEADER) + at, value)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil.jpg", "leads out of the archive"),
        ("images/../../evil.jpg", "leads out of the archive"),
        ("..", "leads out of the archive"),
        ("/etc/evil.jpg", "absolute path"),
        ("C:/evil.jpg", "Windows path"),
        ("c:evil.jpg", "Windows path"),
        ("images\\..\\evil.jpg", "Windows path"),
    ],
)
def test_an_entry_that_leads_elsewhere_refuses_the_archive(tmp_path: Path, name: str, reason: str) -> None:
    archive = write_zip(tmp_path / "evil.zip", {"good.jpg": PHOTO, name: PHOTO})

    message = refusal(archive)

    assert reason in message
    assert repr(name) in message


def test_a_null_character_in_a_name_refuses_the_archive(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "evil.zip", {"good.jpgX.exe": PHOTO})
    archive.write_bytes(archive.read_bytes().replace(b"good.jpgX", b"good.jpg\0"))

    assert "null character" in refusal(archive)


@pytest.mark.parametrize(
    ("kind", "reason"), [(stat.S_IFLNK, "symbolic link"), (stat.S_IFIFO, "neither a file nor a folder")]
)
def test_a_link_or_a_pipe_refuses_the_archive(tmp_path: Path, kind: int, reason: str) -> None:
    entry = zipfile.ZipInfo("link.jpg")
    entry.create_system = 3
    entry.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "links.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")

    message = refusal(tmp_path / "links.zip")

    assert "'link.jpg'" in message
    assert reason in message


@pytest.mark.parametrize("flags", [0x1, 0x41, 0x2000])
def test_an_encrypted_entry_refuses_the_archive(tmp_path: Path, flags: int) -> None:
    archive = patched(write_zip(tmp_path / "secret.zip", {"a.jpg": PHOTO}), 8, "<H", flags)

    assert "entry 'a.jpg' is encrypted" in refusal(archive)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_rare_compression_refuses_the_archive(tmp_path: Path, compression: int) -> None:
    archive = write_zip(tmp_path / "rare.zip", {"a.jpg": PHOTO}, compression=compression)

    assert f"compressed by method {compression}" in refusal(archive)


def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "bomb.zip", {"bomb.jpg": bytes(2 * 2**20)}, compression=zipfile.ZIP_DEFLATED)

    assert "entry 'bomb.jpg' is a bomb: it unpacks to more than 200 times" in refusal(archive)


def test_a_small_file_of_one_color_is_no_bomb(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "plain.zip", {"white.bmp": bytes(900_000)}, compression=zipfile.ZIP_DEFLATED)

    with open_source(archive) as source:
        assert len(next(iter(source)).photos[0].read()) == 900_000


def test_entries_that_share_their_bytes_refuse_the_archive(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "overlap.zip", {"a.jpg": bytes(1_000), "b.jpg": bytes(1_000)})
    content = archive.read_bytes()
    second = content.index(_CENTRAL_HEADER, content.index(_CENTRAL_HEADER) + 1)
    archive.write_bytes(content[: second + 42] + struct.pack("<L", 0) + content[second + 46 :])

    assert "overlaps" in refusal(archive)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (ZipLimits(max_entries=2), "more than 2 entries"),
        (ZipLimits(max_entry_bytes=999), "unpacks to more than 999 bytes"),
        (ZipLimits(max_total_bytes=2_999), "unpacks to more than 2,999 bytes"),
    ],
)
def test_limits_are_held(tmp_path: Path, limits: ZipLimits, reason: str) -> None:
    contents = {f"{number}.jpg": bytes(1_000) for number in range(3)}
    archive = write_zip(tmp_path / "many.zip", contents)

    assert reason in refusal(archive, limits)
    with open_source(
        archive, limits=ZipLimits(max_entries=3, max_entry_bytes=1_000, max_total_bytes=3_000)
    ) as source:
        assert source.product_count == 3


def test_an_oversized_directory_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "long.zip", "w") as archive:
        for number in range(_ENTRY_COUNT):
            entry = zipfile.ZipInfo(f"{number}.jpg")
            entry.comment = bytes(60_000)
            archive.writestr(entry, PHOTO)

    assert "more than 10 entries" in refusal(tmp_path / "long.zip", ZipLimits(max_entries=10))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a ZIP at all", b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_zip_is_refused_as_broken(tmp_path: Path, content: bytes) -> None:
    archive = tmp_path / "broken.zip"
    archive.write_bytes(content)

    assert "central directory is broken" in refusal(archive)


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.99])
def test_a_truncated_archive_is_refused(tmp_path: Path, kept: float) -> None:
    archive = write_zip(tmp_path / "short.zip", {f"{number}.jpg": PHOTO for number in range(9)})
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * kept)])

    assert "central directory is broken" in refusal(archive)


@settings(max_examples=50, deadline=None)
@given(name=st.text(alphabet="a./\\:C é", min_size=1, max_size=12))
def test_no_name_escapes(name: str) -> None:
    with TemporaryDirectory() as temporary:
        archive = Path(temporary, "fuzz.zip")
        write_zip(archive, {"good.jpg": PHOTO, f"{name}.jpg": PHOTO})
        try:
            with open_source(archive) as source:
                names = [photo.name for product in source for photo in product.photos]
        except UnsafeArchive:
            return
    for photo_name in names:
        assert not photo_name.startswith("/")
        assert ".." not in photo_name.split("/")
        assert not re.match(r"[A-Za-z]:", photo_name)
        assert "\\" not in photo_name


@settings(max_examples=60, deadline=None)
@given(damage=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_archive_gives_only_errors_of_the_family(damage: list[tuple[int, int]]) -> None:
    with TemporaryDirectory() as temporary:
        archive = Path(temporary, "damaged.zip")
        write_zip(
            archive, {"a.jpg": PHOTO, "products.csv": "id,image\n1,a.jpg\n"}, compression=zipfile.ZIP_DEFLATED
        )
        content = bytearray(archive.read_bytes())
        for at, value in damage:
            content[at % len(content)] = value
        archive.write_bytes(content)
        try:
            with open_source(archive) as source:
                for product in source:
                    for photo in product.photos:
                        assert photo.read() == PHOTO
        except SartorError:
            return
