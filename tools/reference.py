"""Writes the pages of ``docs/reference/`` that follow from the code.

    python -m tools.reference            write them
    python -m tools.reference --check    fail if one is stale

A page is a function that returns its text, and a line in ``PAGES``.
"""

from __future__ import annotations

import argparse
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from sartor.config import ENV_PREFIX, OTHER_VARIABLES, ServiceSettings, Settings
from tools import python_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
NOTE = "<!-- Written by python -m tools.reference; edit the code instead. -->"


def settings_page() -> str:
    """Every setting with its default, option and help."""
    return page(
        "Settings",
        "How a workspace is opened. A program gives these to `sartor.open`, a command by its option or by the "
        "variable of the [environment](environment.md).",
        table(("setting", "default", "option", "what it is"), _rows(Settings)),
        "## The service",
        "How `sartor serve` answers. What has no option is set by a program that makes a `ServiceSettings`.",
        table(("setting", "default", "option", "what it is"), _rows(ServiceSettings)),
    )


def environment_page() -> str:
    """Every variable of the environment that Sartor reads."""
    variables = [
        (f"`{ENV_PREFIX}{name.upper()}`", _default(name, field), str(field.description))
        for name, field in Settings.model_fields.items()
    ]
    others = [(f"`{name}`", "", help_) for name, help_ in OTHER_VARIABLES.items()]
    return page(
        "Environment",
        "Variables of the environment that the commands read. An option of a command comes before its variable. "
        "`sartor.open` reads none of them.",
        table(("variable", "default", "what it is"), [*variables, *others]),
    )


def python_page() -> str:
    """What ``import sartor`` has."""
    return page("Python", *python_reference.body())


PAGES: dict[str, Callable[[], str]] = {
    "environment.md": environment_page,
    "python.md": python_page,
    "settings.md": settings_page,
}


def page(title: str, *paragraphs: str) -> str:
    """A page in Markdown."""
    return "\n\n".join((f"# {title}", NOTE, *paragraphs)) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def stale() -> list[str]:
    """Names of the pages that are not what the code says."""
    return [name for name, text in PAGES.items() if _read(REFERENCE / name) != text()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or check them; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.reference", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail if a page is stale, and write nothing")
    check = parser.parse_args(arguments).check
    names = stale()
    for name in names:
        sys.stdout.write(f"{'stale' if check else 'written'}: docs/reference/{name}\n")
        if not check:
            (REFERENCE / name).write_text(PAGES[name](), encoding="utf-8")
    return 1 if check and names else 0


def _rows(settings: type[BaseModel]) -> Iterator[tuple[str, str, str, str]]:
    for name, field in settings.model_fields.items():
        extra = field.json_schema_extra
        option = extra.get("option") if isinstance(extra, dict) else ""
        yield f"`{name}`", _default(name, field), f"`{option}`" if option else "", str(field.description)


def _default(name: str, field: FieldInfo) -> str:
    if field.default_factory is not None:
        return {"workers": "cores + 1"}[name]
    match field.default:
        case None | ():
            return ""
        case bool():
            return "on" if field.default else "off"
        case Enum():
            return f"`{field.default.value}`"
        case int() | float():
            return f"{field.default:,g}" if isinstance(field.default, float) else f"{field.default:,}"
        case other:
            return f"`{other}`"


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
