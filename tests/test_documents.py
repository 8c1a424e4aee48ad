"""What the documents show is run, and what they name exists."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.fakes import BLUE, GREEN, RED, folder_of, photo
from tests.service.test_durability import service
from tests.test_how_to import WRITTEN, needs_curl

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
README = ROOT / "README.md"
PACKAGE = ROOT / "src" / "sartor"
INDEX = ROOT / "docs" / "index.md"
MATHEMATICS = ROOT / "docs" / "explanation" / "mathematics.md"
NAMES_OF_MATHEMATICS = [
    (path, name)
    for path, names in re.findall(r"`([\w/]+\.py)` \(([^)]*)\)", MATHEMATICS.read_text())
    for name in re.findall(r"`(\w+)`", names)
]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.fixture
def beside_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the photos that the README speaks of."""
    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path / "photos", {"red": RED, "10001": GREEN, "blue": BLUE})
    (tmp_path / "my-photo.jpg").write_bytes(photo((200, 80, 80), format_="JPEG"))
    return tmp_path


def test_the_python_of_the_readme_runs(
    home: Path, beside_photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.rename(beside_photos / "shop")
    for snippet in blocks("python"):
        exec(compile(snippet, "README.md", "exec"), {})  # noqa: S102 - that is the test
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("red 0.")
    assert len(rest) == 2 + 2
    assert "because you liked 10001" in rest[2] or "new in" in rest[2]


def test_the_command_line_of_the_readme_runs(
    home: Path, beside_photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sartor.cli.app import app

    monkeypatch.setenv("SARTOR_HOME", str(home))
    commands, _ = blocks("bash")
    for command in commands.splitlines():
        program, *arguments = shlex.split(command)
        outcome = CliRunner().invoke(app, arguments)
        assert program == "sartor"
        assert outcome.exit_code == 0, outcome.output
    assert "red" in outcome.output
    assert "blue" in outcome.output
    assert (beside_photos / "similar.html").exists()


def test_the_examples_of_the_readme_run_on_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sartor.cli import serve
    from sartor.cli.app import app
    from sartor.encoders import registry

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "DIRECTORY", PACKAGE / "bundled")
    monkeypatch.setattr(serve, "run", lambda *_, **__: None)
    demo = ["demo", "--no-browser", "--count", "40", "--home", "sartor-demo"]
    assert CliRunner().invoke(app, demo).exit_code == 0
    queries = tmp_path / "sartor-demo" / "demo" / "queries"
    street = next(queries.glob("10001-*"))
    shutil.copy(street, tmp_path / "my-photo.jpg")
    folder_of(tmp_path / "photos", {"mine": BLUE})

    monkeypatch.setenv("SARTOR_HOME", "sartor-demo")
    commands, _ = blocks("bash")
    said = [CliRunner().invoke(app, shlex.split(command)[1:]) for command in commands.splitlines()]
    assert [outcome.exit_code for outcome in said] == [0, 0, 0], [outcome.output for outcome in said]
    assert "1 product" in said[0].output
    assert " 10001 " in said[1].output  # the photo shows it
    assert " 10001 " not in said[2].output

    (tmp_path / "sartor-demo").rename(tmp_path / "shop")
    for snippet in blocks("python"):
        exec(compile(snippet, "README.md", "exec"), {})  # noqa: S102 - that is the test
    *_, last = capsys.readouterr().out.splitlines()
    assert "because" in last or "new in" in last


@needs_curl
def test_the_http_of_the_readme_runs(home: Path, beside_photos: Path) -> None:
    _, commands = blocks("bash")
    answers = []
    with service(home) as running:
        for command in commands.splitlines():
            step = ["bash", "-e", "-c", command.replace("curl ", "curl --fail ").replace(WRITTEN, running.address)]
            done = subprocess.run(step, cwd=beside_photos, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stderr
            answers.append(done.stdout)

    assert '"title":"Oxford shirt"' in answers[0]
    assert '"recommendation_id"' in answers[1]


def test_the_readme_is_short_and_leads_to_the_documentation() -> None:
    text = README.read_text()
    assert len(text.splitlines()) < 120
    assert "](docs/index.md)" in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_that_exist(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_into_a_page_lead_to_a_heading(document: Path) -> None:
    for page, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", document.read_text()):
        target = document.parent / page if page else document
        assert anchor in headings(target), f"{document.name} links to {page}#{anchor}"


def test_every_page_can_be_reached_from_the_index() -> None:
    found, waiting = set(), [INDEX]
    while waiting:
        page = waiting.pop()
        if page in found:
            continue
        found.add(page)
        targets = re.findall(r"\]\(([^)#:]+\.md)[^)]*\)", page.read_text())
        waiting += [(page.parent / target).resolve() for target in targets]
    assert {path for path in DOCUMENTS if path.is_relative_to(ROOT / "docs")} <= found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_is_installed_comes_from_the_checkout(document: Path) -> None:
    assert not re.search(r"pip install '?sartor\b", document.read_text())


@pytest.mark.parametrize(("path", "name"), NAMES_OF_MATHEMATICS, ids=str)
def test_the_code_that_the_mathematics_names_exists(path: str, name: str) -> None:
    assert name in names_in(PACKAGE / path)


def test_every_command_of_the_reference_exists() -> None:
    from typer.main import get_command

    from sartor.cli.app import app

    commands = get_command(app).commands
    names = re.findall(
        r"^\| `sartor ([\w-]+)(?: (\w+))?", (ROOT / "docs/reference/command-line.md").read_text(), re.M
    )
    assert names
    for name, second in names:
        assert name in commands
        if second and hasattr(commands[name], "commands"):
            assert second in commands[name].commands
    assert {name for name, _ in names} == set(commands)


def headings(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def names_in(source: Path) -> set[str]:
    """Names that a module defines."""
    names: set[str] = set()
    for node in ast.parse(source.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            names |= {
                part.id
                for target in getattr(node, "targets", [getattr(node, "target", None)])
                for part in ast.walk(target)
                if isinstance(part, ast.Name)
            }
    return names
