"""From an SVG file to a figure inside a page: colors of the page, ids of its own, nothing that is fetched."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from defusedxml.ElementTree import fromstring

if TYPE_CHECKING:
    from collections.abc import Iterator

# Colors to draw with. They become those of the page, so that a figure is right on light, on dark and on paper.
INK = "#010203"
GROUND = "#010204"

_OF_PAGE = ((INK, "currentColor"), (GROUND, "var(--ground, #fff)"))
_DECIMALS = re.compile(r"\d+\.\d{3,}")
_FONT = re.compile(r"font-family: [^;]*|'DejaVu Sans'[^;]*")
_REFERENCE = re.compile(r"url\(#([^)]*)\)")


def inline_svg(file: str, *, title: str, description: str, key: str) -> str:
    """A figure as part of an HTML page, as wide as it is given.

    Args:
        file: The SVG file.
        title: Its name for those who do not see it.
        description: What it shows, in a sentence.
        key: Begins each id in it, so that the ids of a page's figures differ.
    """
    drawing = fromstring(file)
    figure = Element("svg", {"role": "img", "aria-label": printable(title), "viewBox": drawing.get("viewBox", "")})
    figure.attrib |= {"width": "100%", "aria-describedby": f"{key}-about", "stroke-linejoin": "round"}
    figure.attrib |= {"fill": "currentColor", "font-family": "system-ui, sans-serif"}
    SubElement(figure, "title").text = printable(title)
    SubElement(figure, "desc", {"id": f"{key}-about"}).text = printable(description)
    figure.extend(part for part in drawing if _name(part.tag) not in {"metadata", "style"})
    _adopt(figure, key)
    return tostring(figure, encoding="unicode")


def printable(text: str) -> str:
    """The text with blanks for what no font can show, some of which XML forbids."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _adopt(figure: Element, key: str) -> None:
    names = {name: f"{key}-{number}" for number, name in enumerate(dict.fromkeys(_referred(figure)))}
    for parent in list(figure.iter()):
        for part in list(parent):
            if _name(part.tag) == "style":  # its rules would hold for the whole page
                parent.remove(part)
    for part in figure.iter():
        part.tag = _name(part.tag)
        part.tail = None
        part.attrib = {_name(name): _value(_name(name), value, names) for name, value in part.items()}
        if part.get("id", key).startswith("#"):
            del part.attrib["id"]


def _referred(figure: Element) -> Iterator[str]:
    for part in figure.iter():
        for name, value in part.items():
            if _name(name) == "href" and value.startswith("#"):
                yield value[1:]
            yield from _REFERENCE.findall(value)


def _value(name: str, value: str, names: dict[str, str]) -> str:
    """The attribute as it is in the page; of an id that nothing refers to, only ``#``."""
    match name:
        case "id":
            return value if value.endswith("-about") else names.get(value, "#")
        case "href":
            return f"#{names[value[1:]]}" if value.startswith("#") else value
        case "d":
            return _DECIMALS.sub(lambda found: f"{float(found[0]):.1f}", " ".join(value.split()))
        case "style":
            for drawn, shown in _OF_PAGE:
                value = value.replace(drawn, shown)
            value = _FONT.sub("", value) if "font-family" in value else value
    return _REFERENCE.sub(lambda found: f"url(#{names[found[1]]})", value)


def _name(tag: str) -> str:
    return tag.rpartition("}")[2]
