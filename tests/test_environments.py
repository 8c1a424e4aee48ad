"""The commands and the service under other users, names, clocks and languages, and on a disk that fills."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest

import sartor
from tests.fakes import add, folder_of, photo, various_colors

COUNT = 12
MOUNT, UMOUNT = (shutil.which(name) or name for name in ("mount", "umount"))
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can take another user or mount a disk")


def run(
    *arguments: object, home: Path, within: Sequence[str] = (), **variables: str
) -> subprocess.CompletedProcess[bytes]:
    command = [*within, sys.executable, "-m", "sartor", *map(str, arguments)]
    environment = os.environ | {"SARTOR_HOME": str(home)} | variables
    return subprocess.run(command, env=environment, capture_output=True, check=False, timeout=120)


@contextmanager
def served(home: Path, *, within: Sequence[str] = (), **variables: str) -> Iterator[str]:
    command = [*within, sys.executable, "-m", "sartor", "serve", "--port", "0", "--workers", "1"]
    environment = os.environ | {"SARTOR_HOME": str(home), "PYTHONUNBUFFERED": "1"} | variables
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().split(" on ")[1].split(" ")[0]
            deadline_s = time.monotonic() + 60
            while ask(address, "GET", "/health/ready")[0] != 200:
                assert time.monotonic() < deadline_s
                time.sleep(0.1)
            yield address
        finally:
            process.terminate()


def put(address: str, product_id: str, color: tuple[int, int, int]) -> tuple[int, dict[str, object]]:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="product"\r\n\r\n{"title": "new"}\r\n'
        b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n'
        + photo(color)
        + b"\r\n--x--\r\n"
    )
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    return ask(address, "PUT", f"/v1/products/{quote(product_id)}", body, kind)


def ask(
    address: str, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, object]]:
    with closing(http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)) as connection:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "photos", various_colors(COUNT))


@pytest.fixture
def model(tmp_path: Path, color_file: Path) -> Path:
    """A workspace with a small model and nothing else."""
    add(tmp_path / "model", color_file, "color")
    return tmp_path / "model"


def check_all_of_it(home: Path, photos: Path, *, within: Sequence[str] = (), **variables: str) -> None:
    """Index, ask, back up, check and serve."""
    done = run("index", photos, "--json", home=home, within=within, **variables)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert json.loads(done.stdout)["added"] == COUNT
    name = sorted(file.stem for file in photos.iterdir())[0]
    for arguments in (
        ("similar", "--product", name, "--json"),
        ("info", "--json"),
        ("check",),
        ("backup", home.parent / "copy"),
    ):
        done = run(*arguments, home=home, within=within, **variables)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
    with served(home, within=within, **variables) as address:
        assert put(address, "neu é", (9, 99, 199))[0] == 201
        status, found = ask(address, "GET", f"/v1/products/{quote(name)}/similar")
        assert (status, len(found["hits"]) > 0) == (200, True)


@pytest.mark.parametrize(
    "variables",
    [
        {"TZ": "Pacific/Kiritimati", "LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "cp1252"},
    ],
    ids=["another clock and language", "no UTF-8"],
)
def test_names_clocks_and_languages_do_not_matter(
    model: Path, photos: Path, tmp_path: Path, variables: dict[str, str]
) -> None:
    home = tmp_path / "my shop" / "Läden, 店"
    shutil.copytree(model, home)
    check_all_of_it(home, photos, **variables)


@as_root
def test_a_user_without_rights_and_with_a_home_that_is_read_only(model: Path, photos: Path) -> None:
    with TemporaryDirectory(prefix="sartor-") as directory:  # pytest's own cannot be entered by others
        own, users = Path(directory, "own"), Path(directory, "users-home")
        shutil.copytree(model, own / "home")
        shutil.copytree(photos, own / "photos")
        Path(directory).chmod(0o755)
        users.mkdir(mode=0o555)
        for path in (own, *own.rglob("*")):
            os.chown(path, 65534, 65534)
        variables = {"HOME": str(users), "TMPDIR": str(own), "PYTHONDONTWRITEBYTECODE": "1"}
        check_all_of_it(own / "home", own / "photos", within=NOBODY, **variables)
        assert list(users.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        [MOUNT, "-t", "tmpfs", "-o", "size=256m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    yield disk
    subprocess.run([UMOUNT, "--lazy", str(disk)], check=True)


def fill_up(disk: Path) -> Path:
    """A file that takes all the room that there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
    return filler


@as_root
def test_a_disk_that_is_full_stops_what_writes_with_one_line_and_goes_on_with_room(
    small_disk: Path, model: Path, photos: Path, tmp_path: Path
) -> None:
    home = small_disk / "home"
    shutil.copytree(model, home)
    events = tmp_path / "events.csv"
    events.write_text("type,user_id,product_id\nview,ann,a\n")
    before = run("info", "--json", home=home)
    assert before.returncode == 0
    filler = fill_up(small_disk)
    for arguments in (("index", photos), ("events", "import", events), ("backup", small_disk / "copy")):
        done = run(*arguments, home=home)
        said = done.stderr.decode().strip().splitlines()
        assert done.returncode == 1, arguments
        assert "Traceback" not in done.stderr.decode()
        assert "full" in said[-1] or "No space left" in said[-1], said
    filler.unlink()
    assert not (small_disk / "copy").exists()
    assert json.loads(run("index", photos, "--json", home=home).stdout)["added"] == COUNT
    assert run("events", "import", events, home=home).returncode == 0
    with served(home) as address:
        filler = fill_up(small_disk)
        status, problem = put(address, "new", (9, 99, 199))
        assert status == 507 or (status >= 500 and "full" in str(problem["detail"])), problem
        filler.unlink()
        assert put(address, "new", (9, 99, 199))[0] == 201
    done = run("check", home=home)
    assert done.returncode == 0, done.stdout
    with sartor.open(home) as shop:
        assert len(shop.product_ids()) == COUNT + 1
