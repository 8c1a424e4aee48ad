from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Sartor

KEYS = ["source", "model", "products", "photos", "added", "updated", "unchanged", "deleted", "gone"]
KEYS += ["pictured", "embedded", "fetched", "unfetched", "rejected", "findings", "seconds", "photos_per_second"]


def test_the_json_report_has_what_others_rely_on(sartor: Sartor, photos: Path) -> None:
    (photos / "broken.jpg").write_bytes(b"no image")
    report = sartor("index", photos, "--json").json()
    assert list(report) == KEYS
    assert report["source"] == str(photos)
    assert report["model"] == "color"
    assert (report["products"], report["photos"], report["added"]) == (4, 5, 4)
    (rejected,) = report["rejected"]
    assert rejected["photo"] == "broken.jpg"
    assert "not an image" in rejected["reason"]
    assert report["seconds"] > 0
    assert report["photos_per_second"] > 0


def test_people_get_a_sentence_and_a_table_of_rejected_photos(sartor: Sartor, photos: Path) -> None:
    (photos / "broken.jpg").write_bytes(b"no image")
    outcome = sartor("index", photos)
    assert outcome.code == 0
    assert "4 products (4 added, 0 updated, 0 unchanged, 0 deleted)" in outcome.out
    assert "broken.jpg" in outcome.out
    assert outcome.err == ""


def test_several_sources_are_reported_one_by_one(sartor: Sartor, photos: Path, table: Path) -> None:
    outcome = sartor("index", photos, table, "--json")
    assert [line.count('"source"') for line in outcome.out.splitlines()] == [1, 1]


def test_prune_and_limit_together_are_wrong_usage(sartor: Sartor, photos: Path) -> None:
    outcome = sartor("index", photos, "--prune", "--limit", 3)
    assert outcome.code == 2
    assert "--prune needs the whole source" in outcome.err


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none", None, "there is no file or folder"),
        ("notes.txt", b"hello", "cannot be read as a table of products: it has no column of images"),
        ("embeddings.pkl", b"\x80\x04\x95cos\nsystem\n.", "is no source that Sartor can read; looked for:"),
        ("photos.zip", b"PK\x03\x04 and then nothing", "is refused"),
    ],
)
def test_a_source_that_cannot_be_read_is_one_clear_line(
    sartor: Sartor, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    source = tmp_path / "in" / name
    source.parent.mkdir()
    if content is not None:
        source.write_bytes(content)
    outcome = sartor("index", source)
    assert outcome.code == 1
    assert outcome.out == ""
    assert outcome.err.startswith("sartor: ")
    assert outcome.err.count("\n") == 1
    assert message in outcome.err
    assert name in outcome.err


def test_without_a_model_the_error_names_both_ways_to_get_one(
    sartor: Sartor, photos: Path, tmp_path: Path
) -> None:
    outcome = sartor("index", photos, "--home", tmp_path / "new")
    assert outcome.code == 1
    assert "sartor models add FILE.onnx" in outcome.err
    assert "sartor models export mobilenet_v2" in outcome.err


def test_an_interrupted_index_says_that_it_can_go_on(
    sartor: Sartor, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sartor.shop import Shop

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Shop, "index", interrupted)
    outcome = sartor("index", photos)
    assert outcome.code == 130
    assert "the same command continues from there" in outcome.err


def test_a_bar_is_shown_only_on_a_terminal(sartor: Sartor, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    outcome = sartor("index", photos)
    assert "Indexing photos" in outcome.err
    assert "Indexing" not in outcome.out


def test_a_setting_of_the_environment_that_is_not_valid_is_named(
    sartor: Sartor, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SARTOR_METRIC", "manhattan")
    outcome = sartor("index", photos)
    assert outcome.code == 2
    assert "SARTOR_METRIC='manhattan' in the environment is not valid" in outcome.err


def test_urls_are_refused_unless_they_are_allowed(sartor: Sartor, tmp_path: Path) -> None:
    table = tmp_path / "feed.csv"
    table.write_text("id,image\na,http://127.0.0.1:9/a.jpg\n")
    (refused,) = sartor("index", table, "--json").json()["rejected"]
    assert refused["photo"] == "http://127.0.0.1:9/a.jpg"
    assert "--allow-urls" in refused["reason"]
    (not_public,) = sartor("index", table, "--json", "--allow-urls").json()["rejected"]
    assert "not a public address" in not_public["reason"]


def test_embeddings_are_written_with_ids_in_the_order_of_the_source(
    sartor: Sartor, photos: Path, tmp_path: Path
) -> None:
    (photos / "broken.png").write_bytes(b"no")
    output = tmp_path / "vectors.npz"
    outcome = sartor("embed", photos, "--output", output)
    assert outcome.code == 0
    assert "4 embeddings of 3 by color" in outcome.out
    assert "broken.png" in outcome.out
    with np.load(output) as written:
        assert list(written["ids"]) == ["blue", "green", "pink", "red"]
        assert list(written["photos"]) == ["blue.png", "green.png", "pink.png", "red.png"]
        assert written["embeddings"].dtype == np.float32
        assert np.allclose(np.linalg.norm(written["embeddings"], axis=1), 1)
        assert np.allclose(written["embeddings"][0], [0, 0, 1], atol=1e-3)


def test_json_tells_the_shape(sartor: Sartor, photos: Path, tmp_path: Path) -> None:
    told = sartor("embed", photos, "-o", tmp_path / "v.npz", "--limit", 3, "--json").json()
    assert told == {"model": "color", "output": str(tmp_path / "v.npz"), "shape": [3, 3], "rejected": []}


def test_another_suffix_is_wrong_usage(sartor: Sartor, photos: Path) -> None:
    outcome = sartor("embed", photos, "--output", "v.csv")
    assert outcome.code == 2
    assert "the output is an .npz file, not v.csv" in outcome.err


def test_the_catalog_is_not_touched(sartor: Sartor, photos: Path, tmp_path: Path) -> None:
    sartor("embed", photos, "--output", tmp_path / "v.npz")
    assert sartor("info", "--json").json()["counts"]["products"] == 0


def test_image_cells_of_lists_and_percents_are_found(sartor: Sartor, photos: Path) -> None:
    (photos / "green.png").rename(photos / "robe été.png")
    (photos / "100%25.png").write_bytes((photos / "pink.png").read_bytes())
    rows = ["a;['red.png']", 'b;["blue.png"]', "c;robe%20%C3%A9t%C3%A9.png", "d;100%25.png"]
    (photos / "products.csv").write_text("\n".join(["id;images", *rows]) + "\n")
    report = sartor("index", photos / "products.csv", "--json").json()
    assert (report["products"], report["pictured"], report["findings"]) == (4, 4, [])


def test_a_source_of_which_no_photo_was_found_is_no_success(sartor: Sartor, photos: Path) -> None:
    (photos / "products.csv").write_text("id,image,title\na,none.png,A\nb,nothing.png,B\n")
    outcome = sartor("index", photos / "products.csv")
    assert outcome.code == 1
    assert outcome.err.splitlines()[-1].startswith(f"sartor: no photo of {photos / 'products.csv'} was found")


def test_a_source_that_says_less_is_refused_unless_it_is_meant(sartor: Sartor, photos: Path, table: Path) -> None:
    sartor("index", table)
    table.write_text("id,image,title,color,price\na,red.png,,,\nb,green.png,,,\n")
    refused = sartor("index", table, "--prune")
    assert refused.code == 1
    assert "2 of 2 products would lose their price" in refused.err
    assert "--allow-shrink" in refused.err
    assert sartor("index", table, "--prune", "--allow-shrink").code == 0


def test_a_source_that_cannot_be_read_keeps_no_other_from_being_indexed(
    sartor: Sartor, table: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("id,image\n")
    outcome = sartor("index", empty, table)
    assert outcome.code == 1
    assert f"sartor: {empty} has no product; nothing was changed" in outcome.err
    assert "4 products (4 added" in outcome.out
