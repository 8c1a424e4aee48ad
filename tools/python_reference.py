"""The page of ``import sartor``: its functions, the shop's methods and the types, from their docstrings."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from typing import TYPE_CHECKING, cast

import sartor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SECTIONS = {
    "Args": "Arguments",
    "Attributes": "Attributes",
    "Returns": "Returns",
    "Raises": "Raises",
    "Example": "Example",
    "Source": "Source",
}
_ENTRY = re.compile(r"(\*{0,2}\w+): (.*)")
_WIDTH = 110


def body() -> Iterator[str]:
    """The paragraphs of the page, under its title."""
    yield (
        "A program imports `sartor` and nothing below it: every class of this page is `from sartor import NAME`. "
        "Importing loads nothing heavy. The examples run as tests, on a shop of four garments."
    )
    yield "## Opening a shop"
    yield from _function(sartor.open, "sartor.open")
    yield from _function(sartor.list_models, "sartor.list_models")
    yield "## Shop"
    yield markdown(_doc(sartor.Shop))
    for name, member in vars(sartor.Shop).items():
        if isinstance(member, property):
            yield f"### shop.{name}"
            yield markdown(_doc(member))
        elif inspect.isfunction(member) and not name.startswith("_"):
            yield from _function(member, f"shop.{name}")
    yield "## Types"
    for name in sartor.__all__:
        value = getattr(sartor, name)
        if name in {"Box", "Filter", "PhotoInput"}:
            yield f"### {name}"
            yield f"`{_plain(str(value))}`"
        elif isinstance(value, type) and name not in {"SartorError", "Shop"}:
            yield f"### {name}"
            yield markdown(_doc(value))
            if members := getattr(value, "__members__", None):
                yield "One of " + ", ".join(f"`{member.value}`" for member in members.values()) + "."
    yield "## Errors"
    yield (
        "`SartorError` is the base of every error that is raised on purpose; its text is one line for a person. "
        "[Its kinds](errors.md) are in `errors`: `except sartor.errors.ProductNotFound`."
    )
    yield "## Version"
    yield "`sartor.__version__` is the version of the package."


def markdown(docstring: str) -> str:
    """A docstring of Google's style in Markdown: sections become lists, and the example code."""
    parts = re.split(rf"\n\n({'|'.join(_SECTIONS)}):\n", f"{docstring}\n")
    paragraphs = [_inline(parts[0].strip())]
    for section, text in zip(parts[1::2], parts[2::2], strict=True):
        lines = textwrap.dedent(text).strip()
        if section == "Example":
            paragraphs.append(f"```python\n{lines}\n```")
            continue
        entries = [_inline(" ".join(entry.split())) for entry in re.split(r"\n(?=\S)", lines)]
        bullets = [_ENTRY.sub(r"`\1`: \2", entry) if _ENTRY.match(entry) else entry for entry in entries]
        if section in {"Returns", "Source"}:
            paragraphs.append(f"{_SECTIONS[section]}: {' '.join(entries)}")
        else:
            paragraphs.append(f"{_SECTIONS[section]}:\n\n" + "\n".join(f"- {bullet}" for bullet in bullets))
    return "\n\n".join(paragraphs)


def signature(function: Callable[..., object], name: str) -> str:
    """A call as its source has it, with types and defaults; one parameter a line if it is long."""
    definition = cast("ast.FunctionDef", ast.parse(textwrap.dedent(inspect.getsource(function))).body[0])
    arguments = definition.args
    arguments.args = [argument for argument in arguments.args if argument.arg != "self"]
    arguments.kw_defaults = [_value(default, function) for default in arguments.kw_defaults]
    returns = f" -> {ast.unparse(definition.returns)}" if definition.returns else ""
    written = re.sub(r"(: [^=,]+(?:\[[^]]*\])?[^=,]*)=", r"\1 = ", ast.unparse(arguments))
    if len(name) + len(written) + len(returns) <= _WIDTH:
        return f"{name}({written}){returns}"
    parameters = re.split(r", (?=\*|\w+: )", written)
    return f"{name}(\n    " + ",\n    ".join(parameters) + f",\n){returns}"


def _value(default: ast.expr | None, function: Callable[..., object]) -> ast.expr | None:
    """A default that is a constant of the module, as the value that it has."""
    if not isinstance(default, ast.Name) or not default.id.isupper():
        return default
    return ast.parse(repr(getattr(inspect.getmodule(function), default.id)), mode="eval").body


def _function(function: Callable[..., object], name: str) -> Iterator[str]:
    yield f"### {name}"
    yield f"```python\n{signature(function, name)}\n```"
    yield markdown(_doc(function))


def _doc(thing: object) -> str:
    return inspect.getdoc(thing) or ""


def _inline(text: str) -> str:
    return text.replace("``", "`")


def _plain(annotation: str) -> str:
    """An alias without the modules that its types are in."""
    return re.sub(r"[\w.]+\.(?=[A-Z])|<class '|'>", "", annotation)
