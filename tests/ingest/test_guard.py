"""A source that suddenly says much less than before is stopped before anything changes."""

from __future__ import annotations

from pathlib import Path

import pytest

import sartor
from sartor.errors import SourceEmpty, SourceError, SourceShrunk, UnreadableTable
from sartor.ingest.guard import ShrinkLimits
from sartor.shop import Shop
from tests.fakes import folder_of, various_colors

COUNT = 20
HEADER = "id,image,title,color,price"
RSS = '<?xml version="1.0"?><rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>{}</channel></rss>'
ITEM = "<item><g:id>p{0}</g:id><title>Robe {0}</title><g:image_link>images/p{0}.png</g:image_link></item>"


def row(number: int, *, id_: str = "p{}", title: str = "Robe d'été {}") -> str:
    return f"{id_.format(number)},images/p{number}.png,{title.format(number)},Red,{number}.00 EUR"


def feed_of(rows: list[str], *, header: str = HEADER, end: str = "\n") -> bytes:
    return ("\n".join([header, *rows]) + end).encode()


ROWS = [row(number) for number in range(COUNT)]


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """A feed of 20 products with the folder of its photos beside it."""
    colors = list(various_colors(COUNT).values())
    folder_of(tmp_path / "nightly" / "images", {f"p{number}": colors[number] for number in range(COUNT)})
    file = tmp_path / "nightly" / "feed.csv"
    file.write_bytes(feed_of(ROWS))
    return file


def catalog_of(shop: Shop) -> dict[str, object]:
    return {product_id: shop.product(product_id) for product_id in shop.product_ids()}


SHRUNK = {
    "the header alone": feed_of([]),
    "half of its rows": feed_of(ROWS[:10]),
    "no prices": feed_of([line.rpartition(",")[0] + "," for line in ROWS]),
    "no column of prices": feed_of(
        [line.rpartition(",")[0] for line in ROWS], header=HEADER.removesuffix(",price")
    ),
    "no images": feed_of([line.replace("images/", "").replace(f"p{n}.png", "") for n, line in enumerate(ROWS)]),
    "other ids": feed_of([row(number, id_="sku-{}") for number in range(COUNT)]),
    "letters read wrongly": feed_of(ROWS).decode().encode("utf-8").decode("cp1252").encode(),
    "letters of Mac OS": feed_of(ROWS).decode().encode("mac-roman"),
    "UTF-16": feed_of(ROWS).decode().encode("utf-16"),
    "cut in a row": feed_of(ROWS)[:-30],
    "cut in a quoted cell": feed_of([*ROWS[:-1], "p19,images/p19.png,\"Robe\nd'"]).rstrip(),
}


@pytest.mark.parametrize("prune", [False, True])
@pytest.mark.parametrize("whole_folder", [False, True])
def test_a_feed_that_says_less_changes_nothing(shop: Shop, feed: Path, *, prune: bool, whole_folder: bool) -> None:
    source = feed.parent if whole_folder else feed
    shop.index(source, prune=True)
    before = catalog_of(shop)
    for name, content in SHRUNK.items():
        feed.write_bytes(content)
        if name == "half of its rows" and not prune and not whole_folder:
            assert shop.index(source).updated == 0, name
        else:
            with pytest.raises(SourceError):
                shop.index(source, prune=prune)
        assert catalog_of(shop) == before, name
    feed.write_bytes(feed_of(ROWS))
    assert shop.index(source, prune=prune).unchanged == COUNT


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (feed_of(ROWS[:10]), "10 of 20 products would be deleted"),
        (SHRUNK["no prices"], "20 of 20 products would lose their price"),
        (SHRUNK["no images"], "20 of 20 products would lose their photos"),
        (SHRUNK["other ids"], "20 of 20 products have another id for the same photo"),
        (SHRUNK["letters read wrongly"], "20 of 20 products would have other letters"),
    ],
)
def test_the_error_says_what_would_change_and_which_flag_means_it(
    shop: Shop, feed: Path, content: bytes, message: str
) -> None:
    shop.index(feed)
    feed.write_bytes(content)
    with pytest.raises(SourceShrunk, match="--allow-shrink") as error:
        shop.index(feed, prune=True)
    assert message in str(error.value)
    assert any(message in loss for loss in error.value.losses)


def test_what_is_meant_is_done(shop: Shop, feed: Path) -> None:
    shop.index(feed)
    feed.write_bytes(feed_of(ROWS[:3]))
    report = shop.index(feed, prune=True, allow_shrink=True)
    assert (report.unchanged, report.deleted) == (3, COUNT - 3)


def test_all_is_deleted_only_if_that_is_meant(shop: Shop, feed: Path) -> None:
    shop.index(feed)
    feed.write_bytes(feed_of([]))
    with pytest.raises(SourceEmpty, match=r"has no product \(the catalog has 20 from it\)"):
        shop.index(feed, prune=True)
    with pytest.raises(SourceEmpty):
        shop.index(feed, allow_shrink=True)
    assert shop.index(feed, prune=True, allow_shrink=True).deleted == COUNT
    assert shop.product_ids() == []


def test_a_few_products_may_go(shop: Shop, feed: Path) -> None:
    shop.index(feed)
    feed.write_bytes(feed_of(ROWS[:15]))
    assert shop.index(feed, prune=True).deleted == 5


def test_an_rss_feed_with_an_empty_channel_changes_nothing(shop: Shop, feed: Path) -> None:
    rss = feed.with_name("feed.xml")
    feed.unlink()
    rss.write_text(RSS.format("".join(ITEM.format(number) for number in range(COUNT))))
    shop.index(rss)
    before = catalog_of(shop)
    rss.write_text(RSS.format(""))
    with pytest.raises(SourceEmpty):
        shop.index(rss, prune=True)
    rss.write_text(RSS.format("".join(ITEM.format(number) for number in range(COUNT)))[:-300])
    with pytest.raises(UnreadableTable, match="breaks off after"):
        shop.index(rss, prune=True)
    assert catalog_of(shop) == before


def test_json_lines_that_break_off_change_nothing(shop: Shop, feed: Path) -> None:
    lines = feed.with_name("feed.jsonl")
    lines.write_text("".join(f'{{"id": "p{n}", "image": "images/p{n}.png", "size": "M"}}\n' for n in range(COUNT)))
    shop.index(lines)
    before = catalog_of(shop)
    lines.write_text(lines.read_text()[:-12])
    with pytest.raises(UnreadableTable, match="breaks off in the middle of an object, at line 20"):
        shop.index(lines, prune=True)
    assert catalog_of(shop) == before


def test_a_photo_without_a_row_keeps_what_is_known(shop: Shop, feed: Path) -> None:
    shop.index(feed.parent)
    feed.write_bytes(feed_of(ROWS[:15]))
    report = shop.index(feed.parent)
    assert (report.updated, report.unchanged) == (0, COUNT)
    assert shop.product("p19").product.title == "Robe d'été 19"
    assert shop.product("p19").product.attributes["price"] == "19.00 EUR"


def test_photos_that_are_gone_stay_known(shop: Shop, feed: Path) -> None:
    shop.index(feed)
    for file in (feed.parent / "images").iterdir():
        file.unlink()
    report = shop.index(feed)
    assert (report.unchanged, report.pictured) == (COUNT, COUNT)
    assert report.failure is None
    assert shop.similar(product="p3", k=3)


def test_a_shop_of_three_products_does_not_lose_all_of_them(shop: Shop, feed: Path) -> None:
    feed.write_bytes(feed_of(ROWS[:3]))
    shop.index(feed)
    feed.write_bytes(feed_of([row(number, id_="new-{}") for number in range(3)]))
    with pytest.raises(SourceShrunk, match="3 of 3 products would be deleted"):
        shop.index(feed, prune=True)


def test_mended_letters_are_welcome(shop: Shop, feed: Path) -> None:
    feed.write_bytes(SHRUNK["letters read wrongly"])
    shop.index(feed)
    feed.write_bytes(feed_of(ROWS))
    assert shop.index(feed).updated == COUNT


def test_a_feed_in_windows_1252_is_read_right(shop: Shop, feed: Path) -> None:
    shop.index(feed)
    feed.write_bytes(feed_of(ROWS).decode().encode("cp1252"))
    assert shop.index(feed).unchanged == COUNT


def test_products_of_another_source_are_named_when_they_are_taken_over(
    shop: Shop, feed: Path, tmp_path: Path
) -> None:
    shop.index(feed)
    other = feed.with_name("other.csv")
    other.write_bytes(feed_of(ROWS[:2]))
    findings = {finding.case: finding for finding in shop.index(other).findings}
    taken = findings["products that another source had, now this one's"]
    assert taken.count == 2
    assert taken.examples[0] == f"p0 (from {feed.resolve()})"


@pytest.mark.parametrize(
    ("lost", "of", "reached"),
    [
        (9, 20, False),
        (10, 20, True),
        (10, 100, False),
        (20, 100, True),
        (3, 3, True),
        (1, 1, False),
        (0, 0, False),
    ],
)
def test_the_threshold_is_a_share_and_a_number_or_all(lost: int, of: int, *, reached: bool) -> None:
    assert ShrinkLimits(share=0.2, products=10).is_reached(lost, of=of) is reached


def test_the_threshold_is_a_setting(home: Path, feed: Path) -> None:
    (home / "sartor.toml").write_text("shrink_share = 0.6\n")
    with sartor.open(home) as shop:
        shop.index(feed)
        feed.write_bytes(feed_of(ROWS[:10]))
        assert shop.index(feed, prune=True).deleted == 10
