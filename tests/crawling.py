"""Follows all that pages point to, as a browser and its shopper could."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urljoin, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

HTML = {"Accept": "text/html,*/*"}
_ADDRESSES = {"href", "src", "action", "poster", "formaction"}


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.gets: list[str] = []
        self.posts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        for name, value in attrs:
            if name in _ADDRESSES and value is not None:
                is_post = tag == "form" and (values.get("method") or "get") == "post"
                (self.posts if is_post else self.gets).append(value)
            if name == "srcset" and value:
                self.gets += [part.split()[0] for part in value.split(",")]


@dataclass
class Crawl:
    """What was found: the status and the page that led there, by address."""

    found: dict[str, tuple[int, str]] = field(default_factory=dict)
    posts: set[str] = field(default_factory=set)
    outside: dict[str, str] = field(default_factory=dict)

    @property
    def broken(self) -> dict[str, tuple[int, str]]:
        return {address: what for address, what in self.found.items() if what[0] >= 400}


def crawl(get: Callable[..., Any], base: str, *, limit: int = 250) -> Crawl:
    """Follow links from the page at ``base``, which ends with a slash; what does not begin so is outside."""
    crawled, waiting = Crawl(), [(base, "")]
    while waiting and len(crawled.found) < limit:
        address, came_from = waiting.pop(0)
        if address in crawled.found:
            continue
        answer = get(address, headers=HTML)
        crawled.found[address] = (answer.status_code, came_from)
        end = str(answer.url)
        if not end.startswith(base):
            crawled.outside[end] = address
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        links = _Links()
        links.feed(answer.text)
        for text in (*links.gets, *links.posts):
            target = urldefrag(urljoin(end, text)).url
            if not target.startswith(base):
                crawled.outside[target] = address
            elif text in links.posts:
                crawled.posts.add(target)
            else:
                waiting.append((target, address))
    return crawled


def paths_of(addresses: object) -> set[str]:
    """The paths of addresses."""
    return {urlsplit(address).path for address in addresses}  # type: ignore[attr-defined]
