from __future__ import annotations

import io
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from sartor.catalog.formats import Row, TableStream
from sartor.catalog.merchant import MerchantXml
from sartor.catalog.source import Findings
from sartor.errors import UnreadableTable

if TYPE_CHECKING:
    from collections.abc import Iterator

RSS = (
    '<?xml version="1.0"?><rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>'
    "<title>A shop</title>{}</channel></rss>"
)
BOMB = """<?xml version="1.0"?>
<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>&b;</g:id></item></channel></rss>"""
EXTERNAL = """<?xml version="1.0"?>
<!DOCTYPE rss [<!ENTITY file SYSTEM "file:///etc/passwd">]>
<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>&file;</g:id></item></channel></rss>"""


def stream_rows(content: str | bytes) -> Iterator[Row]:
    stream = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return MerchantXml().rows(TableStream(label="feed.xml", stream=stream, findings=Findings()))


def cells_of(content: str | bytes) -> list[dict[str, object]]:
    return [dict(row.cells) for row in stream_rows(content)]


def test_the_fields_of_rss_lose_their_prefix_and_win_over_plain_ones() -> None:
    item = (
        "<item><title>Plain</title><link>https://shop/1</link><g:id>1</g:id><g:title> A &amp; B </g:title>"
        "<g:image_link>1.jpg</g:image_link><g:color/></item>"
    )

    assert cells_of(RSS.format(item)) == [
        {"title": "A & B", "link": "https://shop/1", "id": "1", "image_link": "1.jpg", "color": ""}
    ]


def test_an_atom_feed_is_read() -> None:
    atom = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">
    <title>A shop</title>
    <entry><id>tag:shop,1</id><title>Dress</title><link href="https://shop/1"/><g:id>1</g:id></entry>
    <entry><title>Shirt</title><g:id>2</g:id></entry></feed>"""

    assert cells_of(atom) == [
        {"id": "1", "title": "Dress", "link": "https://shop/1"},
        {"title": "Shirt", "id": "2"},
    ]


def test_repeated_fields_are_several_values_and_groups_have_a_dot() -> None:
    item = (
        "<item><g:id>1</g:id><g:additional_image_link>a.jpg</g:additional_image_link>"
        "<g:additional_image_link>b.jpg</g:additional_image_link>"
        "<g:shipping><g:country>FR</g:country><g:price>5 EUR</g:price></g:shipping></item>"
    )

    assert cells_of(RSS.format(item)) == [
        {
            "id": "1",
            "additional_image_link": ("a.jpg", "b.jpg"),
            "shipping.country": "FR",
            "shipping.price": "5 EUR",
        }
    ]


def test_utf16_is_read() -> None:
    feed = RSS.format("<item><g:id>é</g:id></item>").replace("?>", ' encoding="utf-16"?>')

    assert cells_of(feed.encode("utf-16")) == [{"id": "é"}]


@pytest.mark.parametrize("feed", [BOMB, EXTERNAL])
def test_entities_are_refused(feed: str) -> None:
    with pytest.raises(UnreadableTable, match=r"feed\.xml .* declares XML entities"):
        cells_of(feed)


@pytest.mark.parametrize(
    "feed",
    [
        RSS.format("<item><g:id>1</g:id></item><item><g:id>2"),
        RSS.format("<item><g:id>1</g:id></item><item>&nbsp;</item>"),
        RSS.format("<item><g:id>1</g:id></item>" + "<a>" * 200 + "</a>" * 200),
    ],
)
def test_broken_xml_says_how_far_it_was_read(feed: str) -> None:
    rows = stream_rows(feed)

    assert dict(next(rows).cells) == {"id": "1"}
    with pytest.raises(UnreadableTable, match="its XML breaks off after 1 items"):
        next(rows)


@pytest.mark.parametrize("encoding", ["no-such-encoding", "shift_jis"])
def test_an_encoding_that_the_parser_does_not_know_is_unreadable(encoding: str) -> None:
    feed = RSS.format("<item><g:id>1</g:id></item>").replace("?>", f' encoding="{encoding}"?>')

    with pytest.raises(UnreadableTable):
        cells_of(feed)


def test_memory_does_not_grow_with_the_feed() -> None:
    item = f"<item><g:id>1</g:id><g:description>{'long ' * 200}</g:description></item><other>text</other>"
    feed = RSS.format(item * 3_000).encode()
    tracemalloc.start()

    count = sum(1 for _ in stream_rows(feed))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 3_000
    assert peak_bytes < len(feed) / 4 + 2**20


def test_an_item_too_large_for_memory_is_refused() -> None:
    feed = RSS.format(f"<item><g:id>{'x' * 17 * 2**20}</g:id></item>")

    with pytest.raises(UnreadableTable, match="an item is larger than 16 MiB"):
        cells_of(feed)


@pytest.mark.parametrize(
    ("head", "is_feed"),
    [
        (RSS, True),
        (RSS.replace("<rss", "\n<!-- a shop -->\n<rss"), True),
        ('<rss version="2.0"><channel>', False),
        ('<annotation xmlns:g="http://base.google.com/ns/1.0">', False),
        ("id,image\n", False),
    ],
)
def test_a_feed_is_known_by_its_root_and_namespace(head: str, *, is_feed: bool) -> None:
    assert (MerchantXml.sniff(head) is not None) == is_feed
