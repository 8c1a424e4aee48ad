"""What somebody sent is read like a file of this host, and names no other one."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from sartor.catalog.fetching import Sources
from sartor.catalog.source import Case, Findings, RowCase
from sartor.catalog.uploads import Upload
from sartor.errors import UnreadableTable
from tests.catalog.test_plugins import acme, install  # noqa: F401 - a fixture
from tests.fakes import RED, photo

if TYPE_CHECKING:
    from pathlib import Path

    from tests.catalog.test_plugins import Install


class NoNotes:
    def setting(self, name: str) -> None:
        pass

    def set_setting(self, name: str, value: str) -> None:
        raise AssertionError


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(tmp_path / "fetched", NoNotes(), lambda _: pytest.fail("it is no address"))


def sent(tmp_path: Path, text: str, *, name: str = "feed.csv", **more: object) -> Upload:
    directory = tmp_path / "imports" / "1"
    directory.mkdir(parents=True)
    (directory / name).write_text(text)
    return Upload(path=directory / name, name="shop", **more)


def photos_of(sources: Sources, upload: Upload) -> list[str]:
    with sources.open(upload) as source:
        return [photo.name for product in source for photo in product.photos]


@pytest.mark.parametrize("named", ["{outside}", "../../{name}", "..\\..\\{name}", "file://{outside}"])
def test_its_table_names_no_file_outside_of_its_directory(sources: Sources, tmp_path: Path, named: str) -> None:
    outside = tmp_path / "secret.png"
    outside.write_bytes(photo(RED))
    reference = named.format(outside=outside, name=outside.name)
    assert photos_of(sources, sent(tmp_path, f"id,image\na,{reference}\n")) == []


def test_neither_does_a_table_of_another_packages_reader(
    sources: Sources,
    tmp_path: Path,
    install: Install,  # noqa: F811 - the fixture
) -> None:
    install("acme_uploads", acme())
    outside = tmp_path / "secret.png"
    outside.write_bytes(photo(RED))
    rows = f'ACME\n{{"id": "a", "image": "{outside}"}}\n{{"id": "b", "image": "b.png"}}\n'
    upload = sent(tmp_path, rows, name="feed.acme")
    (upload.path.parent / "b.png").write_bytes(photo(RED))
    assert photos_of(sources, upload) == ["b.png"]


def test_messages_call_it_by_its_name(sources: Sources, tmp_path: Path) -> None:
    upload = sent(tmp_path, "hello")
    with pytest.raises(UnreadableTable) as caught, sources.open(upload):
        pass
    assert str(tmp_path) not in str(caught.value)
    assert sources.id_of(upload) == upload.id == "upload:shop"


def test_its_rows_are_kept_once_however_often_it_is_read(sources: Sources, tmp_path: Path) -> None:
    findings, seen = Findings(kept_rows=2), []
    upload = sent(tmp_path, "id,image\na,x.png\nb,y.png\n", findings=findings, on_product=seen.append)
    with sources.open(upload) as source:
        for _ in range(2):
            assert len(list(source)) == 2
    assert findings.rows == [
        RowCase(Case.IMAGES_NOT_FOUND, "line 2: x.png"),
        RowCase(Case.NO_PHOTO, "a", "line 2"),
    ]
    assert findings.rows_left_out == 2
    assert [each.location for each in seen] == ["line 2", "line 3"] * 2


def test_another_process_reads_its_photos_in_the_same_bounds(tmp_path: Path) -> None:
    upload = sent(tmp_path, "id,image\n")
    (upload.path.parent / "a.png").write_bytes(photo(RED))
    make, arguments = upload.origin.elsewhere
    files = pickle.loads(pickle.dumps(make(*arguments)))  # noqa: S301 - it is ours
    assert files.read("a.png") == photo(RED)
    assert files.locate("../../a.png") is None
