"""A week of a small shop: after each nightly feed the catalog is right or unchanged, and is told which."""

from __future__ import annotations

from pathlib import Path

from sartor import open as open_shop
from tests.cli.conftest import Sartor
from tests.fakes import folder_of, various_colors

COUNT = 24
HEADER = "id,image,title,color,price\n"


def feed_of(rows: dict[str, tuple[int, str]]) -> str:
    """A feed of products by id, with the number of its photo and its price."""
    return HEADER + "".join(f"{id_},p{n}.png,Robe été {n},Red,{price} EUR\n" for id_, (n, price) in rows.items())


def test_a_week_of_a_small_shop(sartor: Sartor, home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder_of(folder, {f"p{number}": color for number, color in enumerate(various_colors(COUNT + 2).values())})
    feed = folder / "feed.csv"
    first = {f"sku-{number}": (number, f"{number}.00") for number in range(COUNT)}
    second = {id_: row for id_, row in first.items() if id_ != "sku-3"} | {"sku-24": (24, "9.00")}
    cheaper = {id_: (number, "4.50") for id_, (number, _) in second.items()}
    renumbered = {f"new-{number}": (number, price) for number, price in cheaper.values()}
    last = cheaper | {"sku-25": (25, "7.50")}
    whole = feed_of(second)
    week = [
        ("Monday", feed_of(first).encode(), first, "24 products (24 added"),
        ("Tuesday", HEADER.encode(), None, "has no product (the catalog has 24 from it); nothing was changed"),
        ("Wednesday", whole.encode(), second, "24 products (1 added, 0 updated, 23 unchanged, 1 deleted)"),
        ("Thursday", whole.encode()[:-14], None, "breaks off in the middle of a row, at line 25"),
        ("Friday", feed_of(cheaper).encode("cp1252"), cheaper, "(0 added, 24 updated, 0 unchanged, 0 deleted)"),
        ("Saturday", feed_of(renumbered).encode(), None, "24 of 24 products would be deleted"),
        ("Sunday", feed_of(last).encode(), last, "25 products (1 added, 0 updated, 24 unchanged, 0 deleted)"),
    ]
    expected: dict[str, tuple[int, str]] = {}
    for day, content, catalog, said in week:
        feed.write_bytes(content)
        outcome = sartor("index", feed, "--prune")
        assert outcome.code == (0 if catalog is not None else 1), (day, outcome)
        assert said in " ".join((outcome.out or outcome.err).split()), (day, outcome)
        if catalog is None:
            assert outcome.err.splitlines()[-1].startswith("sartor: "), day
        expected = expected if catalog is None else catalog
        with open_shop(home) as shop:
            found = {id_: shop.product(id_) for id_ in shop.product_ids()}
            assert shop.check() == (), day
        assert found.keys() == expected.keys(), day
        for id_, (number, price) in expected.items():
            assert found[id_].product.title == f"Robe été {number}", day
            assert found[id_].product.attributes == {"color": "Red", "price": f"{price} EUR"}, day
            assert [photo.name for photo in found[id_].photos] == [f"p{number}.png"], day
