"""Answers of two builds of Sartor, compared.

An answer is compared twice. Its facts are what a program relies on: statuses, ids, scores, order, headers. Its
wording also has the sentences that people read, such as the detail of a problem. Only what differs between any two
runs of one build is left out first: timings, random ids, folders, ports, dates and versions.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Members of JSON that differ between two runs of one build.
_RUN_MEMBERS = frozenset(
    {
        "took_ms",
        "seconds",
        "photos_per_second",
        "recommendation_id",
        "made_at",
        "size_bytes",  # of databases and of the index; what is exported is compared itself
        "command",
        "version",
        "versions",
    }
)
# Opaque to clients: only what it leads to counts, and that is asked for.
_OPAQUE_MEMBERS = frozenset({"next"})
# Sentences for people.
_WORDED_MEMBERS = frozenset({"detail", "reason", "case", "what", "meaning", "remedy", "notes", "lost"})
# What OpenAPI says to people or to generators of code, and the names of schemas, which stand in references.
_OPENAPI_WORDED = frozenset({"title", "description", "summary", "operationId", "tags", "info", "components"})
_RUN_HEADERS = frozenset({"date", "content-length", "x-request-id"})
_RUN_TEXTS = (
    (re.compile(r"/static/[0-9a-f]{16}/"), "/static/<digest>/"),
    (re.compile(r"\bvia=[0-9a-f]{32}\b"), "via=<recommendation>"),
    (re.compile(r"\bafter=[\w-]+"), "after=<cursor>"),
    (re.compile(r"\bsartor_visitor=[0-9a-f]{32}\b"), "sartor_visitor=<visitor>"),
    (re.compile(r"\bexpires=[^;]+", re.IGNORECASE), "expires=<date>"),
)
_RANDOM_ID = re.compile(r"[0-9a-f]{32}")  # of events that have no other id
# Figures of Prometheus: timings, when a counter was made, and how often it was asked whether the service is ready.
_RUN_METRICS = re.compile(
    r"""^(\w+(?:_seconds_bucket|_seconds_sum|_created)\b.*|\w+\{.*"/health/ready".*) \S+$""", re.MULTILINE
)
_METRICS_HELP = re.compile(r"^# HELP .*\n", re.MULTILINE)
_DIFF_WIDTH = 160


class Verdict(StrEnum):
    """How two answers compare."""

    IDENTICAL = "identical"
    REWORDED = "reworded"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of one build, ready to be compared.

    Attributes:
        facts: What a program relies on, as lines.
        wording: The same with the sentences for people.
    """

    facts: str
    wording: str

    @classmethod
    def of(cls, said: Mapping[str, Any], *, names: Mapping[str, str] | None = None) -> Answer:
        """An answer from what a command or the service said.

        Args:
            said: Status, headers, content and files, of types that JSON has.
            names: What stands for the text of this run alone, such as a folder: by the text itself.
        """
        headers = {name: value for name, value in said.get("headers", {}).items() if name not in _RUN_HEADERS}
        same = normalized({**said, **({"headers": headers} if headers else {})}, names or {})
        return cls(facts=_lines(_without_words(same)), wording=_lines(same))


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One question, and how the answers to it compare.

    Attributes:
        kind: Kind of the question.
        asked: The question, as a person would type it.
        verdict: How the answers compare.
        diff: The first lines that differ; empty where none do.
    """

    kind: str
    asked: str
    verdict: Verdict
    diff: tuple[str, ...] = ()


@dataclass(slots=True)
class Tally:
    """The questions of one kind, by how their answers compare."""

    counts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))

    @property
    def asked(self) -> int:
        """All of them."""
        return sum(self.counts.values())


def compared(kind: str, asked: str, before: Answer, after: Answer, *, diff_lines: int = 12) -> Compared:
    """Compare two answers to one question."""
    if before == after:
        return Compared(kind=kind, asked=asked, verdict=Verdict.IDENTICAL)
    if before.facts == after.facts:
        verdict, texts = Verdict.REWORDED, (before.wording, after.wording)
    else:
        verdict, texts = Verdict.DIFFERENT, (before.facts, after.facts)
    return Compared(kind=kind, asked=asked, verdict=verdict, diff=tuple(islice(_diff(*texts), diff_lines)))


def tallied(results: Iterable[Compared]) -> dict[str, Tally]:
    """Count the verdicts of each kind, in the order in which the kinds were first asked."""
    tallies: dict[str, Tally] = {}
    for result in results:
        tallies.setdefault(result.kind, Tally()).counts[result.verdict] += 1
    return tallies


def normalized(value: Any, names: Mapping[str, str]) -> Any:
    """The same without what differs between two runs of one build.

    Args:
        value: Of types that JSON has.
        names: What stands for a text of this run, by that text.
    """
    match value:
        case dict():
            return {_text(name, names): _member(name, member, names) for name, member in value.items()}
        case list() | tuple():
            return [normalized(each, names) for each in value]
        case str():
            return _text(value, names)
    return value


def interface(document: Mapping[str, Any]) -> dict[str, Any]:
    """What clients rely on in an OpenAPI document: paths, parameters and bodies, each schema where it is used."""
    schemas = document.get("components", {}).get("schemas", {})
    found: dict[str, Any] = _resolved(document, schemas, ())
    return found


def _member(name: str, value: Any, names: Mapping[str, str]) -> Any:
    is_of_the_run = name in _RUN_MEMBERS or name in _OPAQUE_MEMBERS
    # An absent figure is an answer, and so is a schema that only bears the name.
    if is_of_the_run and value not in (None, "") and not _is_schema(value):
        return f"<{name}>"
    if name == "event_id" and isinstance(value, str) and _RANDOM_ID.fullmatch(value):
        return "<event>"
    return normalized(value, names)


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict) and not value.keys().isdisjoint({"type", "anyOf", "$ref"})


def _text(text: str, names: Mapping[str, str]) -> str:
    for found, name in names.items():
        text = text.replace(found, name)
    for pattern, name in _RUN_TEXTS:
        text = pattern.sub(name, text)
    return _RUN_METRICS.sub(r"\1 <figure>", text)


def _without_words(value: Any) -> Any:
    match value:
        case {"openapi": str(), "paths": dict()}:
            return interface(value)
        case dict():
            return {name: _without_words(each) for name, each in value.items() if name not in _WORDED_MEMBERS}
        case list():
            return [_without_words(each) for each in value]
        case str():
            return _METRICS_HELP.sub("", value)
    return value


def _resolved(value: Any, schemas: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    """An OpenAPI value without words; ``inside`` are the schemas around it, which may refer to themselves."""
    match value:
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            if name in inside or name not in schemas:
                return {"$ref": "<itself>" if name in inside else reference}
            return _resolved(schemas[name], schemas, (*inside, name))
        case dict():
            return {
                name: _properties(each, schemas, inside)
                if name == "properties"
                else _resolved(each, schemas, inside)
                for name, each in value.items()
                if name not in _OPENAPI_WORDED
            }
        case list():
            return [_resolved(each, schemas, inside) for each in value]
    return value


def _properties(value: Mapping[str, Any], schemas: Mapping[str, Any], inside: tuple[str, ...]) -> dict[str, Any]:
    """Properties of a schema by name; a property may be called ``title``."""
    return {name: _resolved(each, schemas, inside) for name, each in value.items()}


def _lines(value: Any) -> str:
    """JSON with a member a line; its order has no meaning, that of lists has. A long text is lines of its own."""
    text = json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True)
    return text.replace("\\n", "\n")


def _diff(before: str, after: str) -> Iterable[str]:
    old, new = (text.replace("><", ">\n<").splitlines() for text in (before, after))  # a tag a line
    for line in islice(difflib.unified_diff(old, new, lineterm="", n=1), 2, None):  # without the names of files
        yield line if len(line) <= _DIFF_WIDTH else f"{line[:_DIFF_WIDTH]}…"
