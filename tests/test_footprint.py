"""What Sartor leaves behind and tells others: nothing that nobody asked for."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.main import get_command

from sartor import footprint
from sartor.cli.app import app
from tests.fakes import BLUE, GREEN, RED, folder_of
from tests.footprint_child import RUN_S

ROOT = Path(__file__).resolve().parents[1]
CHILD = Path(__file__).with_name("footprint_child.py")

# Runs in each Python process that is started: what asks for a connection or writes is written down.
HOOK = """
import os, sys

log = os.open(os.environ["FOOTPRINT_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
here = ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "")
writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT

def note(text):
    os.write(log, (text + "  by " + " ".join(sys.orig_argv) + chr(10)).encode())

def hook(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        if isinstance(args[1], tuple) and args[1][0] not in here:  # that of a local socket is a text
            note(f"{event} {args[1]}")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        if args[0] is not None and os.fsdecode(args[0]) not in here:
            note(f"{event} {args[0]}")
    elif event == "open" and isinstance(args[0], (str, bytes)) and args[2] & writing:
        note(f"write {os.path.abspath(os.fsdecode(args[0]))}")
    elif event in ("os.mkdir", "os.rename", "os.symlink", "os.link"):
        note(f"write {os.path.abspath(os.fsdecode(args[0]))}")

sys.addaudithook(hook)
"""

EVENTS = """type,user_id,product_id,timestamp
view,mia,red,2026-01-01T10:00:00Z
like,mia,blue,2026-01-02T10:00:00Z
view,tom,green,2026-01-03T10:00:00Z
"""

# Every command: its arguments, how it may end, and the page that is asked of one that serves. What has to fail
# here does all that it does before, such as importing its libraries.
PLAN: dict[str, list[tuple[str, int, str | None]]] = {
    "index": [("index photos", 0, None)],
    "similar": [("similar photos/red.png --sheet sheet.html", 0, None)],
    "search": [("search red shirt --sheet found.html", 0, None)],
    "outfit": [("outfit red", 0, None)],
    "looks": [("looks photos/red.png --sheet looks.html", 0, None)],
    "duplicates": [("duplicates", 0, None)],
    "embed": [("embed photos -o vectors.npz", 0, None)],
    "import": [("import vectors.npz --home imported", 0, None)],
    "export": [("export catalog.csv -f csv", 0, None), ("export faiss -f faiss", 0, None)],
    "evaluate": [("evaluate photos --relevance kind --model color-histogram --report report.html", 0, None)],
    "replay": [("replay events.csv", 1, None)],  # the log is too short to be replayed
    "for-you": [("for-you mia", 0, None)],
    "trending": [("trending", 0, None)],
    "events import": [("events import events.csv", 0, None)],
    "events show": [("events show --user mia", 0, None)],
    "events forget": [("events forget --user tom", 0, None)],
    "events simulate": [("events simulate --out simulated.jsonl --people 2", 0, None)],
    "train": [("train photos --output trained", 1, None)],  # no attributes
    "train-text": [("train-text", 1, None)],  # too few products
    "models list": [("models list", 0, None)],
    "models add": [("models add broken.h5 --network resnet50 --id b", 1, None)],
    "models export": [("models export resnet50 --weights broken.h5", 1, None)],
    "models promote": [("models promote sartor-v1", 0, None)],
    "models rollback": [("models rollback", 1, None)],
    "serve": [
        ("serve --port 0 --workers 1", 0, "/"),
        ("serve --port 0 --workers 2", 0, "/v1/products/red/similar"),
    ],
    "indexer": [("indexer --once", 1, None)],  # no index is shared
    "studio": [("studio --port 0 --no-browser", 0, "/")],
    "demo": [("demo --port 0 --no-browser --count 3 --home demo", 0, "/")],
    "keys create": [("keys create --scope read", 0, None)],
    "keys list": [("keys list", 0, None)],
    "keys delete": [("keys delete nobody", 1, None)],
    "info": [("info", 0, None)],
    "check": [("check", 0, None), ("check --health", 0, None)],
    "backup": [("backup copy", 0, None)],
    "copy": [("copy imported copied", 0, None)],
}


def commands() -> set[str]:
    tree = get_command(app)
    return {
        f"{name} {inner}".strip()
        for name, command in tree.commands.items()  # type: ignore[attr-defined]
        for inner in getattr(command, "commands", {"": None})
    }


def test_every_command_is_watched() -> None:
    assert set(PLAN) == commands()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], list[str], Path]:
    """All commands, with a fresh home and without a way out: what they did, what was written down, and where."""
    for needed in ("keras", "matplotlib", "streamlit"):
        if find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed: make test")
    top = tmp_path_factory.mktemp("watched")
    work = top / "work"
    for name in ("home", "tmp", "hook"):
        (top / name).mkdir()
    (top / "hook" / "sitecustomize.py").write_text(HOOK)
    folder_of(work / "photos", {"red": RED, "green": GREEN, "blue": BLUE})
    rows = "".join(f"{name},{name}.png,Shirt\n" for name in ("red", "green", "blue"))
    (work / "photos" / "products.csv").write_text("id,image,kind\n" + rows)
    (work / "events.csv").write_text(EVENTS)
    (work / "broken.h5").write_bytes(b"no weights")
    plan, report, log = top / "plan.json", top / "report.json", top / "log"
    plan.write_text(json.dumps([(line.split(), page) for rows in PLAN.values() for line, _, page in rows]))
    log.touch()
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LD_LIBRARY_PATH"}}
    environment = kept | {
        "HOME": str(top / "home"),
        "TMPDIR": str(top / "tmp"),
        "PYTHONPATH": str(ROOT / "src"),
        "FOOTPRINT_HOOK": str(top / "hook"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "FOOTPRINT_LOG": str(log),
    }
    command = [*_isolation(), sys.executable, str(CHILD), str(plan), str(report)]
    subprocess.run(command, cwd=work, env=environment, timeout=RUN_S * 4, check=True)
    return json.loads(report.read_text()), log.read_text().splitlines(), top


def _isolation() -> list[str]:
    """A network namespace without a route, where this user may make one."""
    command = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], check=False).returncode:
        return []
    return command


Watched = tuple[dict[str, object], list[str], Path]


def test_each_command_ends_as_it_should_without_a_network(watched: Watched) -> None:
    rows = [row for rows in PLAN.values() for row in rows]
    outcomes = watched[0]["outcomes"]
    wrong = [
        f"{line}: {code}: {said}"
        for (line, expected, _), (code, said) in zip(rows, outcomes, strict=True)  # type: ignore[call-overload]
        if code != expected or "Traceback" in said or re.search("^[45].. http", said, re.MULTILINE)
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_asks_for_a_connection(watched: Watched) -> None:
    assert [line for line in watched[1] if line.startswith("socket.")] == []


def test_no_library_in_another_language_asks_for_one_either(watched: Watched) -> None:
    report = watched[0]
    if not report["isolated"]:
        pytest.skip("a network namespace of its own is root's, or needs user namespaces")
    assert report["knocks"] == 1, "the kernel does not count what finds no route"
    assert report["left"] == 0


def test_nothing_is_written_but_in_the_workspace_the_cache_and_the_temporary_files(watched: Watched) -> None:
    _, log, top = watched
    places = tuple(f"{top / name}{end}" for name in ("work", "tmp", "home/.cache") for end in ("/", " "))
    written = {line.removeprefix("write ") for line in log if line.startswith("write ")}
    assert {
        line for line in written if not line.startswith((*places, "/dev/", "/proc/", str(top / "log")))
    } == set()
    found = {path.relative_to(top / "home") for path in (top / "home").rglob("*")}
    assert {path for path in found if path.parts[0] != ".cache"} == set()


def run(code: str, **environment: str) -> str:
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=RUN_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_openvinos_telemetry_is_not_there_for_any_importer(tmp_path: Path) -> None:
    out = run(
        "import sartor, openvino\n"
        "from openvino.tools.ovc import telemetry_utils\n"
        "import sys; print(telemetry_utils.tm.__name__, sys.modules['openvino_telemetry'])",
        HOME=str(tmp_path),
    )
    assert out == "openvino.tools.ovc.telemetry_stub None"
    assert list(tmp_path.iterdir()) == []


def test_openvino_still_has_telemetry_that_has_to_be_kept_away() -> None:
    """When this fails, OpenVINO has changed: look at ``footprint.keep_small`` again."""
    pytest.importorskip("openvino")
    tools = Path(str(find_spec("openvino").submodule_search_locations[0])) / "tools" / "ovc"  # type: ignore[union-attr,index]
    importing = (tools / "telemetry_utils.py").read_text()
    assert "import openvino_telemetry as tm" in importing
    assert "except ImportError:\n    import openvino.tools.ovc.telemetry_stub as tm" in importing
    assert 'send_event("ov", "import"' in (tools / "__init__.py").read_text()
    assert version("openvino-telemetry").startswith("2025.2")


@pytest.mark.parametrize("room", ["src", "tools", "benchmarks", "tests", "recipes"])
def test_who_imports_openvino_has_imported_sartor(room: str) -> None:
    """A script of its own would have to begin with it; what is below a package that does has it."""
    importing = re.compile(r"^\s*(?:import openvino|from openvino)", re.MULTILINE)
    files = [file for file in (ROOT / room).rglob("*.py") if importing.search(file.read_text(encoding="utf-8"))]
    for file in files:
        start = ROOT / "benchmarks" / "__init__.py" if room == "benchmarks" else file
        start = ROOT / "tests" / "conftest.py" if room == "tests" else start
        assert room == "src" or re.search(r"^(?:import|from) sartor", start.read_text(), re.MULTILINE), file


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DO_NOT_TRACK", "0")
    monkeypatch.delenv("RAY_USAGE_STATS_ENABLED", raising=False)
    footprint.keep_small()
    assert os.environ["DO_NOT_TRACK"] == "0"
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_libraries_that_have_a_directory_in_the_home_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".keras").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KERAS_HOME", "MPLCONFIGDIR", "XDG_CACHE_HOME", "SARTOR_CACHE"):
        monkeypatch.delenv(name, raising=False)
    footprint.keep_small()
    assert "KERAS_HOME" not in os.environ
    assert os.environ["MPLCONFIGDIR"] == str(tmp_path / ".cache" / "sartor" / "matplotlib")
    monkeypatch.delenv("MPLCONFIGDIR")


def test_the_cache_is_the_chosen_one_else_the_users_else_a_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    assert footprint.cache_directory(tmp_path / "chosen") == tmp_path / "chosen"
    assert footprint.cache_directory() == tmp_path / "cache" / "sartor"
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    temporary = footprint.cache_directory()
    assert temporary == tmp_path / "tmp" / f"sartor-{os.getuid()}"
    assert stat.S_IMODE(temporary.stat().st_mode) == 0o700


def test_a_temporary_directory_that_others_may_write_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    theirs = tmp_path / f"sartor-{os.getuid()}"
    theirs.mkdir()
    theirs.chmod(0o777)
    assert footprint.cache_directory() != theirs
