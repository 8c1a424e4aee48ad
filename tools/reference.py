"""Writes the pages of ``docs/reference/`` that follow from the code.

    python -m tools.reference            write them
    python -m tools.reference --check    fail if one is stale

A page is a function that returns its text, and a line in ``PAGES``. In ``command-line.md``, only what follows the
note is generated; the text above it is written by hand.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.main import get_command

from sartor import errors, limits
from sartor.cli.app import app
from sartor.config import ENV_PREFIX, OTHER_VARIABLES, ServiceSettings, Settings
from sartor.errors import SartorError
from sartor.service.problems import problem_of
from tools import python_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
NOTE = "<!-- Written by python -m tools.reference; edit the code instead. -->"

_IN_HELP = re.compile(r" ?\((SARTOR_\w+); ([^)]*)\)")  # of an option: its variable and its default
_LIMIT = re.compile(r"([A-Z_]+) = .+  # (.+)")
_UNEXPECTED = 500  # the status of an error that no request should cause


def settings_page() -> str:
    """Every setting with its default, option and help."""
    return page(
        "Settings",
        "How a workspace is opened. A program gives all but `runtime`, `threads` and `allow_urls` to "
        "`sartor.open`, a command by its option or by the "
        "variable of the [environment](environment.md).",
        table(("setting", "default", "option", "what it is"), _rows(Settings)),
        "## The service",
        "How `sartor serve` answers. What has no option is set by a program that makes a `ServiceSettings`.",
        table(("setting", "default", "option", "what it is"), _rows(ServiceSettings)),
        "## Limits",
        "Nobody sets these. What exceeds a limit is refused, and the message says why.",
        *_limits(),
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


def command_line_page() -> str:
    """The text by hand, then the options of every command; those that read the environment are listed once."""
    by_hand = (_read(REFERENCE / "command-line.md") or "# Command line").partition(NOTE)[0].rstrip()
    shared: dict[str, tuple[str, ...]] = {}
    sections: list[str] = []
    for name, command in _commands("sartor", get_command(app)):
        arguments = [each for each in command.params if each.param_type_name == "argument"]
        options = [each for each in command.params if each.param_type_name == "option" and not each.hidden]
        rows = {option.opts[0]: _option(option, typer.Context(command)) for option in options}
        from_environment = {option: row for option, row in rows.items() if row[-1]}
        own = [row[:-1] for row in rows.values() if not row[-1]]
        shared |= from_environment
        sections += [f"### `{name}`", f"`{' '.join([name, *map(_usage, arguments)])}`"]
        sections += [" ".join(part.split()) for part in inspect.cleandoc(command.help or "").split("\n\n")]
        if arguments:
            rows_of_arguments = [(f"`{argument.metavar}`", argument.help or "") for argument in arguments]
            sections.append(table(("argument", "what it is"), rows_of_arguments))
        if own:
            sections.append(table(("option", "what it does", "default"), own))
        if from_environment:
            names = ", ".join(f"`{option}`" for option in from_environment)
            sections.append(
                f"And [options that read the environment](#options-that-read-the-environment): {names}."
            )
    columns = ("option", "what it does", "default", "variable")
    head = [by_hand, NOTE, "## Options of each command", "### Options that read the environment"]
    return "\n\n".join([*head, table(columns, shared.values()), *sections]) + "\n"


def errors_page() -> str:
    """A table of errors for each family, with what the service answers."""
    sections: list[str] = []
    alone = []
    for family in _subclasses(SartorError):
        if kinds := _subclasses(family):
            sections += [f"## {family.__name__}", _first_line(family), _errors(kinds)]
        else:
            alone.append(family)
    return page(
        "Errors",
        "Every error that Sartor raises on purpose is a `SartorError`; its name is in `sartor.errors`. Its text "
        "is one line that says what went wrong and what to do next. A command prints this line to stderr and "
        "exits with 1; wrong usage exits with 2, an interruption with 130.",
        "The service answers with [problem details](service.md) of the status and the type in the table. No "
        "request should cause an error without a status; the service would answer it with 500.",
        *sections,
        "## Others",
        _errors(alone),
    )


PAGES: dict[str, Callable[[], str]] = {
    "command-line.md": command_line_page,
    "environment.md": environment_page,
    "python.md": python_page,
    "errors.md": errors_page,
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


def _limits() -> Iterator[str]:
    """The rows of ``sartor.limits``, a table for each of its comments alone on a line."""
    rows: list[tuple[str, str, str]] = []
    for line in [*inspect.getsource(limits).splitlines(), "# "]:
        if row := _LIMIT.fullmatch(line):
            rows.append((f"`{row[1]}`", f"{getattr(limits, row[1]):,}", row[2]))
        elif line.startswith("# "):
            if rows:
                yield table(("limit", "value", "what it bounds"), rows)
            if line != "# ":
                yield f"### {line[2:]}"
            rows = []


def _default(name: str, field: FieldInfo) -> str:
    if field.default_factory is not None:
        return {"workers": "cores", "concurrency": "cores + 1"}[name]
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


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """The commands below one by their full names, in the order of the help."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for part, each in command.commands.items():
        yield from _commands(f"{name} {part}", each)


def _usage(argument: Any) -> str:
    return str(argument.metavar if argument.required else f"[{argument.metavar}]")


def _option(option: Any, context: typer.Context) -> tuple[str, str, str, str]:
    """Option, what it does, default, variable of the environment."""
    written, _ = option.get_help_record(context)
    text, default, variable = option.help or "", _default_of_option(option), ""
    if match := _IN_HELP.search(text):
        default, variable = match[2], f"`{match[1]}`"
        text = text.replace(match[0], "")
    if option.min is not None:
        text += f" Minimum {option.min:g}." if option.max is None else f" From {option.min:g} to {option.max:g}."
    return f"`{written}`", text, default, variable


def _default_of_option(option: Any) -> str:
    match option.default:
        case _ if option.required:
            return "required"
        case None | False:
            return ""
        case True:
            return "on"
        case Enum() as value:
            return str(value.value)
        case float() as value:
            return f"{value:g}"
        case other:
            return str(other)


def _subclasses(kind: type[SartorError]) -> list[type[SartorError]]:
    return [each for each in kind.__subclasses__() if each.__module__ == errors.__name__]


def _errors(kinds: Iterable[type[SartorError]]) -> str:
    return table(("error", "raised when", "status", "type"), map(_error, kinds))


def _error(kind: type[SartorError]) -> tuple[str, ...]:
    problem = problem_of(kind.__new__(kind))  # its status and type depend on the class alone
    answer = ("", "") if problem.status == _UNEXPECTED else (str(problem.status), f"`{problem.kind}`")
    return f"`{kind.__name__}`", _first_line(kind), *answer


def _first_line(kind: type) -> str:
    return (inspect.getdoc(kind) or "").partition("\n")[0]


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
