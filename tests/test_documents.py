"""What the documents show is run, and what they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fakes import BLUE, GREEN, RED, folder_of, photo

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_the_python_of_the_readme_runs(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    snippets = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    home.rename(tmp_path / "shop")
    folder_of(tmp_path / "photos", {"red": RED, "15970": GREEN, "blue": BLUE})
    (tmp_path / "my-photo.jpg").write_bytes(photo((200, 80, 80), format_="JPEG"))
    for snippet in snippets:
        exec(compile(snippet, "README.md", "exec"), {})  # noqa: S102 - that is the test
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("red 0.")
    assert len(rest) == 2 + 2
    assert "because you liked 15970" in rest[2] or "new in" in rest[2]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_that_exist(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


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
