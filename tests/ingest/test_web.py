"""Photos by URL: fetched beside each other, politely, and again only when they changed."""

from __future__ import annotations

import time
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import sartor
from sartor.catalog import open_source
from sartor.ingest.pipeline import IngestOptions, ingest
from sartor.limits import FETCHES_PER_HOST, MAX_FAILED_FETCHES
from sartor.shop import Shop
from sartor.store.sqlite.fetched import SqliteFetched
from tests.fakes import BLUE, GREEN, RED, photo, various_colors
from tests.ingest.indexing_child import index_urls
from tests.ingest.killing import child
from tests.ingest.web_server import CUT_OFF, OPEN, PhotoServer, photo_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sartor.ingest.photos import IngestReport, Progress


@pytest.fixture
def server() -> Iterator[PhotoServer]:
    with photo_server() as running:
        running.shelf.photos = {"/red.png": photo(RED), "/green.png": photo(GREEN), "/blue.png": photo(BLUE)}
        yield running


@pytest.fixture
def feed(server: PhotoServer, tmp_path: Path) -> Path:
    return write_feed(server, tmp_path / "feed.csv")


def write_feed(server: PhotoServer, file: Path) -> Path:
    rows = [f"{Path(path).stem},{server.url(path)}" for path in server.shelf.photos]
    file.write_text("\n".join(["id,image", *rows]) + "\n", encoding="utf-8")
    return file


def index(shop: Shop, feed: Path, **options: Any) -> IngestReport:
    """Index a feed of URLs, which may be of this host."""
    on_progress = options.pop("on_progress", lambda _: None)
    with open_source(feed) as source:
        context = replace(shop._model().ingest_context(), urls=OPEN)
        return ingest(source, context, IngestOptions(source_id=str(feed), **options), on_progress=on_progress)


def test_all_photos_are_fetched_and_the_server_is_told_by_whom(
    shop: Shop, server: PhotoServer, feed: Path
) -> None:
    report = index(shop, feed)
    assert (report.products, report.added, report.embedded, report.fetched, report.unfetched) == (3, 3, 3, 3, 0)
    assert server.statuses() == [200, 200, 200]
    assert all("Sartor" in asked.headers["User-Agent"] for asked in server.asked)


@pytest.mark.parametrize("says", ["etag", "date"])
def test_what_the_server_says_is_unchanged_is_not_sent_nor_decoded(
    shop: Shop, server: PhotoServer, feed: Path, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.shelf.says = says
    index(shop, feed)
    server.asked.clear()

    def decode(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("sartor.ingest.photos.decode", decode)
    report = index(shop, feed)
    assert server.statuses() == [304, 304, 304]
    assert (report.unchanged, report.embedded, report.fetched, report.unfetched) == (3, 0, 0, 3)
    assert report.rejected == ()


def test_only_what_changed_is_fetched_again(shop: Shop, server: PhotoServer, feed: Path) -> None:
    index(shop, feed)
    server.asked.clear()
    server.shelf.photos["/red.png"] = photo((9, 9, 9))
    report = index(shop, feed)
    assert sorted(server.statuses()) == [200, 304, 304]
    assert (report.updated, report.unchanged, report.embedded, report.fetched) == (1, 2, 1, 1)


def test_a_server_without_versions_is_asked_for_all_and_nothing_is_embedded_again(
    shop: Shop, server: PhotoServer, feed: Path
) -> None:
    server.shelf.says = "nothing"
    index(shop, feed)
    report = index(shop, feed)
    assert server.statuses() == [200] * 6
    assert (report.unchanged, report.embedded, report.fetched) == (3, 0, 3)


def test_a_photo_that_the_catalog_lost_is_fetched_whole(shop: Shop, server: PhotoServer, feed: Path) -> None:
    index(shop, feed)
    shop.delete("red")
    server.asked.clear()
    report = index(shop, feed)
    assert server.statuses("/red.png") == [200]
    assert (report.added, report.embedded) == (1, 1)


def test_failures_that_pass_are_tried_again(shop: Shop, server: PhotoServer, feed: Path) -> None:
    server.shelf.failures = {"/red.png": [500], "/green.png": [CUT_OFF], "/blue.png": [503]}
    report = index(shop, feed)
    assert report.rejected == ()
    assert report.embedded == 3
    assert server.statuses("/red.png") == [500, 200]
    assert server.statuses("/green.png") == [200, 200]
    assert server.statuses("/blue.png") == [503, 200]


@pytest.mark.parametrize("as_date", [False, True])
def test_the_whole_host_is_left_alone_for_as_long_as_it_asks(
    shop: Shop, server: PhotoServer, tmp_path: Path, *, as_date: bool
) -> None:
    server.shelf.photos = {f"/{name}.png": photo(color) for name, color in various_colors(12).items()}
    first = next(iter(server.shelf.photos))
    wait = formatdate(time.time() + 3, usegmt=True) if as_date else "2"
    server.shelf.failures = {first: [(429, wait)]}
    report = index(shop, write_feed(server, tmp_path / "feed.csv"))
    assert report.rejected == ()
    assert server.statuses(first) == [429, 200]
    refused_s = next(asked.at_s for asked in server.asked if asked.status == 429)
    again_s = next(asked.at_s for asked in server.asked if asked.path == first and asked.status == 200)
    assert again_s - refused_s >= 1.5
    on_their_way = [asked for asked in server.asked if refused_s + 0.5 < asked.at_s < refused_s + 1.5]
    assert on_their_way == []


def test_a_host_that_asks_for_a_long_time_is_told_and_asked_no_more(
    shop: Shop, server: PhotoServer, tmp_path: Path
) -> None:
    server.shelf.photos = {f"/{name}.png": photo(color) for name, color in various_colors(40).items()}
    server.shelf.failures = {path: [(429, "3600")] for path in server.shelf.photos}
    report = index(shop, write_feed(server, tmp_path / "feed.csv"))
    assert len(report.rejected) == 40
    assert all("asks to come back in" in rejection.reason for rejection in report.rejected)
    assert len(server.asked) <= FETCHES_PER_HOST


def test_what_is_not_there_is_asked_for_once(shop: Shop, server: PhotoServer, feed: Path) -> None:
    del server.shelf.photos["/red.png"]
    report = index(shop, feed)
    assert server.statuses("/red.png") == [404]
    (rejection,) = report.rejected
    assert rejection.reason == "was answered with 404 Not Found"


def test_a_host_is_asked_for_few_photos_at_the_same_time(shop: Shop, server: PhotoServer, tmp_path: Path) -> None:
    server.shelf.photos = {f"/{name}.png": photo(color) for name, color in various_colors(40).items()}
    server.shelf.takes_s = 0.02
    said: list[Progress] = []
    report = index(shop, write_feed(server, tmp_path / "feed.csv"), on_progress=said.append)
    assert report.fetched == 40
    assert 1 < server.most_active <= FETCHES_PER_HOST
    assert said[-1].fetched == 40


def test_a_photo_of_many_products_is_asked_for_once(shop: Shop, server: PhotoServer, tmp_path: Path) -> None:
    feed = tmp_path / "feed.csv"
    rows = [f"{number},{server.url('/red.png')}" for number in range(300)]
    feed.write_text("\n".join(["id,image", *rows]), encoding="utf-8")
    report = index(shop, feed)
    assert report.products == 300
    assert len(server.asked) <= FETCHES_PER_HOST  # those that began before the first one came
    assert shop.info().counts.photos == 1


def test_a_photo_that_is_none_is_rejected_for_every_product(
    shop: Shop, server: PhotoServer, tmp_path: Path
) -> None:
    server.shelf.photos = {"/red.png": photo(RED), "/text.png": b"this is no photo at all", "/too.png": b""}
    report = index(shop, write_feed(server, tmp_path / "feed.csv"))
    assert report.added == 1
    assert {Path(rejection.photo).name for rejection in report.rejected} == {"text.png", "too.png"}
    assert server.statuses("/too.png") == [200]


def test_what_was_fetched_before_a_kill_is_not_fetched_again(
    home: Path, server: PhotoServer, tmp_path: Path
) -> None:
    server.shelf.says = "nothing"
    server.shelf.photos = {f"/{name}.png": photo(color) for name, color in various_colors(200).items()}
    server.shelf.takes_s = 0.02
    feed = write_feed(server, tmp_path / "feed.csv")
    with child(index_urls, home, feed) as indexing:
        assert indexing.stdout.readline() == "ready\n"
        end_s = time.monotonic() + 60
        while len(server.asked) < 40 and time.monotonic() < end_s:
            time.sleep(0.01)
        indexing.kill()
    time.sleep(0.2)  # answers that nobody reads
    before = len(server.asked)
    assert 40 <= before < 200
    server.shelf.takes_s = 0.0
    with sartor.open(home) as shop:
        report = index(shop, feed)
    assert report.products == 200
    assert report.rejected == ()
    # Only those on their way when it was killed are asked for twice.
    assert 200 <= len(server.asked) <= 200 + 2 * FETCHES_PER_HOST
    assert report.unfetched >= before - 2 * FETCHES_PER_HOST


def test_what_a_source_names_no_more_is_forgotten_and_no_bytes_stay(
    shop: Shop, server: PhotoServer, feed: Path, home: Path
) -> None:
    index(shop, feed)
    notes = SqliteFetched(home / "fetched" / "photos.sqlite3")
    count = "SELECT (SELECT count(*) FROM photos), (SELECT count(*) FROM contents), (SELECT count(*) FROM runs)"
    assert notes._database.all(count) == [(3, 0, 0)]
    del server.shelf.photos["/red.png"]
    write_feed(server, feed)
    index(shop, feed, prune=True)
    assert notes._database.all(count) == [(2, 0, 0)]
    other = write_feed(server, feed.with_name("other.csv"))
    for product in ("green", "blue"):
        shop.delete(product)
    index(shop, other)
    assert notes._database.all("SELECT DISTINCT source FROM photos") == [(str(other),)]
    notes.close()


def test_a_host_that_fails_all_the_time_is_given_up(
    shop: Shop, server: PhotoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sartor.ingest.web.FETCH_TRIES", 1)
    server.shelf.photos = {f"/{name}.png": photo(color) for name, color in various_colors(60).items()}
    server.shelf.failures = {path: [500] * 9 for path in server.shelf.photos}
    report = index(shop, write_feed(server, tmp_path / "feed.csv"))
    assert len(report.rejected) == 60
    assert MAX_FAILED_FETCHES <= len(server.asked) < MAX_FAILED_FETCHES + FETCHES_PER_HOST
    assert "its host failed for" in report.rejected[-1].reason
