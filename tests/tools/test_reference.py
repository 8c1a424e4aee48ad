"""The generated pages of the reference."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sartor
from sartor import errors
from tools import python_reference, reference

SOURCES = Path(reference.__file__).parents[1] / "src" / "sartor"


def test_no_generated_page_is_stale() -> None:
    assert reference.stale() == [], "run: python -m tools.reference"


def test_every_variable_that_the_package_names_is_on_the_page() -> None:
    text = "\n".join(file.read_text(encoding="utf-8") for file in SOURCES.rglob("*.py"))
    named = set(re.findall(r"\bSARTOR_[A-Z]+(?:_[A-Z]+)*\b", text))
    assert named <= set(re.findall(r"`(SARTOR_\w+)`", reference.environment_page()))


def test_a_stale_page_fails_the_check_and_is_written_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reference, "REFERENCE", tmp_path)
    assert reference.main(["--check"]) == 1
    assert not list(tmp_path.iterdir())
    assert reference.main([]) == 0
    assert {file.name for file in tmp_path.iterdir()} == set(reference.PAGES)
    assert reference.main(["--check"]) == 0
    assert "stale: docs/reference/settings.md" in capsys.readouterr().out


def test_the_page_of_python_has_every_public_name_and_every_method_of_a_shop() -> None:
    text = (reference.REFERENCE / "python.md").read_text(encoding="utf-8")
    assert all(re.search(rf"\b{name}\b", text) for name in sartor.__all__)
    assert all(f"### shop.{name}\n" in text for name in vars(sartor.Shop) if not name.startswith("_"))


def test_a_docstring_becomes_markdown() -> None:
    docstring = (
        "Say ``it``.\n\nArgs:\n    one: The first,\n        at length.\n    two: 2.\n\nExample:\n    >>> 1\n    1"
    )
    assert python_reference.markdown(docstring) == (
        "Say `it`.\n\nArguments:\n\n- `one`: The first, at length.\n- `two`: 2.\n\n```python\n>>> 1\n1\n```"
    )


def test_a_cell_with_a_bar_stays_one_cell() -> None:
    assert reference.table(("a",), [("x|y",)]).splitlines()[-1] == "| x\\|y |"


def test_what_is_written_by_hand_above_the_options_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "REFERENCE", tmp_path)
    (tmp_path / "command-line.md").write_text("# Command line\n\nBy hand.\n")
    assert reference.main([]) == 0
    assert (tmp_path / "command-line.md").read_text().startswith(f"# Command line\n\nBy hand.\n\n{reference.NOTE}")
    assert reference.main(["--check"]) == 0


def test_every_command_and_every_error_is_on_its_page() -> None:
    commands, families = reference.command_line_page(), reference.errors_page()
    assert "### `sartor events import`" in commands
    assert "| `--home <str>` |" in commands
    assert all(f"`{name}`" in families or f"## {name}" in families for name in errors_of_the_package())


def errors_of_the_package() -> set[str]:
    kinds = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    return {name for name, kind in kinds.items() if issubclass(kind, errors.SartorError)} - {"SartorError"}
