"""The pages of docs/reference that are written from the code."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from tools import reference


@pytest.mark.parametrize("page", [reference.COMMAND_LINE, reference.ERRORS], ids=lambda path: path.name)
def test_a_generated_page_says_what_the_code_says(page: Path) -> None:
    assert page.read_text("utf-8") == reference.pages()[page], "stale; run: python -m tools.reference"


def test_check_fails_if_a_page_is_stale_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand = tmp_path / "command-line.md"
    by_hand.write_text("# Command line\n\nBy hand.\n")
    monkeypatch.setattr(reference, "COMMAND_LINE", by_hand)
    monkeypatch.setattr(reference, "ERRORS", tmp_path / "errors.md")

    with pytest.raises(typer.Exit) as stopped:
        reference.main(check=True)
    assert stopped.value.exit_code == 1
    assert by_hand.read_text() == "# Command line\n\nBy hand.\n"

    reference.main()
    assert by_hand.read_text().startswith(f"# Command line\n\nBy hand.\n\n{reference.MARKER}")
    reference.main(check=True)
