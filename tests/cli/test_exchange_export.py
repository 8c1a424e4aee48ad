from __future__ import annotations

import json
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import sartor as library
from sartor.ingest.export import run as exporting
from sartor.ingest.put import ProductInput
from sartor.shop import Shop
from sartor.store.sqlite.catalog import SqliteCatalogStore
from sartor.types import Product
from tests.cli.conftest import Sartor
from tests.fakes import photo


@pytest.fixture
def filled(sartor: Sartor, table: Path) -> Sartor:
    assert sartor("index", table).code == 0
    return sartor


def products_of(home: Path) -> dict[str, tuple[Product, tuple[str, ...]]]:
    with library.open(home) as shop:
        stored = [shop.product(each) for each in shop.product_ids()]
    return {each.product.id: (each.product, tuple(photo.sha256 for photo in each.photos)) for each in stored}


def leftovers(directory: Path) -> list[str]:
    return [each.name for each in directory.iterdir() if each.name.startswith(".")]


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_an_export_with_images_is_a_source_of_the_same_products(
    filled: Sartor, home: Path, tmp_path: Path, format_: str
) -> None:
    before = products_of(home)
    out = tmp_path / "out"
    assert filled("export", out, "--format", format_, "--images").code == 0
    assert sorted(each.name for each in out.iterdir()) == ["export.json", "images", f"products.{format_}"]
    with library.open(home) as shop:
        for product_id in shop.product_ids():
            shop.delete(product_id)
    assert filled("index", out).code == 0
    assert products_of(home) == before


def test_products_of_every_kind_of_attribute_come_back_from_json_lines(
    filled: Sartor, home: Path, tmp_path: Path
) -> None:
    attributes = {"price": 1.5, "year": 2011, "new": True, "tags": ("a, b", 'c"'), "note": "two\nlines"}
    with library.open(home) as shop:
        shop.put(ProductInput(product=Product(id="x/y z", attributes=attributes), photos=(photo((9, 9, 9)),) * 2))
    filled("export", tmp_path / "out", "--format", "jsonl", "--images")
    before = products_of(home)
    with library.open(home) as shop:
        shop.delete("x/y z")
        shop.index(tmp_path / "out")
    assert products_of(home) == before
    assert before["x/y z"][0].attributes == attributes


def test_json_tells_what_was_written_and_what_is_lost(filled: Sartor, tmp_path: Path) -> None:
    told = filled("export", tmp_path / "e.npz", "--format", "npz", "--json").json()
    assert told.pop("seconds") >= 0
    assert told.pop("size_bytes") == (tmp_path / "e.npz").stat().st_size
    assert told == {
        "format": "npz",
        "path": str(tmp_path / "e.npz"),
        "model": "color",
        "files": [str(tmp_path / "e.npz")],
        "products": 4,
        "photos": 4,
        "embeddings": 4,
        "lost": ["titles and attributes"],
    }


def test_the_file_is_what_embed_writes(filled: Sartor, photos: Path, tmp_path: Path) -> None:
    filled("export", tmp_path / "e.npz", "--format", "npz")
    filled("embed", photos, "-o", tmp_path / "f.npz")
    with np.load(tmp_path / "e.npz") as ours, np.load(tmp_path / "f.npz") as theirs:
        assert [(name, ours[name].dtype, ours[name].shape) for name in ours] == [
            (name, theirs[name].dtype, theirs[name].shape) for name in theirs
        ]
        assert np.allclose(ours["embeddings"], theirs["embeddings"], atol=1e-6)


def test_where_takes_only_what_passes(filled: Sartor, tmp_path: Path) -> None:
    outcome = filled("export", tmp_path / "e.csv", "--format", "csv", "--where", "color=Red")
    assert "e.csv: 2 products, 2 photos;" in outcome.out
    assert "lost: CSV: numbers, yes and no become texts" in outcome.out
    assert [line.split(",")[0] for line in (tmp_path / "e.csv").read_text().splitlines()] == ['"id"', "a", "d"]
    assert (
        "no product has color 'Rde'"
        in filled("export", tmp_path / "f.csv", "-f", "csv", "--where", "color=Rde").err
    )


def test_pickles_lie_in_a_folder_with_a_word_of_what_they_are(filled: Sartor, tmp_path: Path) -> None:
    assert filled("export", tmp_path / "out", "--format", "pickle").code == 0
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == [
        "embeddings.pkl",
        "export.json",
        "filenames.pkl",
    ]
    told = json.loads((tmp_path / "out" / "export.json").read_text())
    assert (told["model"], told["dimension"], told["metric"]) == ("color", 3, "cosine")


def test_what_is_there_is_kept_without_force(filled: Sartor, tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("mine")
    outcome = filled("export", path, "--format", "csv")
    assert (outcome.code, path.read_text()) == (1, "mine")
    assert "replace it with --force" in outcome.err
    assert filled("export", path, "--format", "csv", "--force").code == 0
    assert path.read_text().startswith('"id"')


def test_a_folder_is_replaced_only_if_an_export_wrote_all_of_it(filled: Sartor, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert filled("export", out, "-f", "pickle").code == 0
    assert filled("export", out, "-f", "pickle").code == 1
    assert filled("export", out, "-f", "pickle", "--force").code == 0
    (out / "mine.txt").write_text("mine")
    outcome = filled("export", out, "-f", "pickle", "--force")
    assert outcome.code == 1
    assert "holds mine.txt, which no earlier export wrote; choose another path" in outcome.err
    assert (out / "mine.txt").read_text() == "mine"
    assert leftovers(tmp_path) == []


def test_an_export_that_fails_leaves_what_was_there(
    filled: Sartor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    filled("export", out, "-f", "pickle")
    before = (out / "embeddings.pkl").read_bytes()

    def full(directory: Path, stock: object) -> tuple[str, ...]:
        (directory / "embeddings.pkl").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(exporting._WRITERS, exporting.ExportFormat.PICKLE, full)
    outcome = filled("export", out, "-f", "pickle", "--force")
    assert outcome.code == 1
    assert outcome.err == (
        f"sartor: {out} cannot be written (No space left on device); nothing of it was left behind\n"
    )
    assert (out / "embeddings.pkl").read_bytes() == before
    assert leftovers(tmp_path) == []


def test_a_path_that_cannot_be_made_is_one_line(filled: Sartor, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    outcome = filled("export", tmp_path / "file" / "e.npz", "-f", "npz")
    assert outcome.code == 1
    assert "cannot be written" in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("path", "options", "said"),
    [
        ("e.csv", ("-f", "npz"), "npz is one file *.npz"),
        ("out", ("-f", "csv"), "csv is one file *.csv"),
        ("e.csv", ("-f", "csv", "--images"), "csv with images is a folder, not one file *.csv"),
        ("e.npz", ("-f", "pickle"), "pickle is a folder, not one file *.npz"),
        ("out", ("-f", "pickle", "--images"), "has no place for images"),
    ],
)
def test_a_path_that_does_not_fit_is_refused(
    filled: Sartor, tmp_path: Path, path: str, options: tuple[str, ...], said: str
) -> None:
    outcome = filled("export", tmp_path / path, *options)
    assert (outcome.code, said in outcome.err) == (1, True)


def test_an_unknown_format_and_a_snapshot_are_wrong_usage_with_a_reason(filled: Sartor, tmp_path: Path) -> None:
    outcome = filled("export", tmp_path / "out", "-f", "xlsx")
    assert outcome.code == 2
    assert "pickle, npz, parquet" in outcome.err
    outcome = filled("export", tmp_path / "out", "-f", "qdrant-snapshot")
    assert outcome.code == 2
    assert "qdrant-edge" in outcome.err


@pytest.mark.parametrize("format_", ["csv", "npz", "pickle"])
def test_an_empty_workspace_is_told(sartor: Sartor, tmp_path: Path, format_: str) -> None:
    path = tmp_path / ("out" if format_ == "pickle" else f"out.{format_}")
    outcome = sartor("export", path, "-f", format_)
    assert outcome.code == 1
    assert "holds no photos yet" in outcome.err
    assert not path.exists()


def test_a_missing_package_names_its_extra(
    filled: Sartor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "find_spec", lambda _: None)
    assert "pip install '.[annoy]'" in filled("export", tmp_path / "out", "-f", "annoy").err


def test_from_python_it_is_the_same(shop: Shop, table: Path, tmp_path: Path) -> None:
    shop.index(table)
    report = shop.export(tmp_path / "e.npz", format="npz", where={"color": ["Red", "Blue"]})
    assert (report.products, report.embeddings, report.files) == (3, 3, (tmp_path / "e.npz",))
    assert shop.similar(product="a", k=1)[0].product_id == "d"


@pytest.fixture
def imported(sartor: Sartor, tmp_path: Path) -> tuple[Sartor, dict[str, np.ndarray]]:
    """A workspace of vectors alone, without photos, and its vectors by product."""
    vectors = np.random.default_rng(3).normal(size=(40, 12)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = [f"images/{number}.jpg" for number in range(len(vectors))]
    file = tmp_path / "theirs.npz"
    np.savez(file, photos=names, embeddings=vectors)
    assert sartor("import", file).code == 0
    return sartor, {Path(name).stem: vector for name, vector in zip(names, vectors, strict=True)}


def vectors_of(home: Path, model: str) -> dict[str, np.ndarray]:
    with closing(SqliteCatalogStore(home / "catalog.sqlite3")) as store:
        photos = {each: store.products([each])[each].photos[0].sha256 for each in store.product_ids()}
        found = store.embeddings(model, list(photos.values()))
    return {product_id: found[sha256] for product_id, sha256 in photos.items()}


@pytest.mark.parametrize("format_", ["pickle", "npz", "parquet"])
def test_vectors_without_a_network_come_back_from_an_export(
    imported: tuple[Sartor, dict[str, np.ndarray]], tmp_path: Path, format_: str
) -> None:
    sartor, vectors = imported
    path = tmp_path / ("out" if format_ == "pickle" else f"out.{format_}")
    if format_ == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'sartor[parquet]'")
    told = sartor("export", path, "-f", format_, "--json").json()
    assert (told["model"], told["products"], told["embeddings"]) == ("imported-12", 40, 40)
    files = [path / "embeddings.pkl", path / "filenames.pkl"] if format_ == "pickle" else [path]
    again = tmp_path / "again"
    assert sartor("import", *files, "--home", again).code == 0
    found = vectors_of(again, "imported-12")
    assert found.keys() == vectors.keys()
    assert all(np.allclose(found[each], vector, atol=1e-6) for each, vector in vectors.items())


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_a_catalog_of_vectors_alone_is_a_table_and_its_images_are_said_to_be_lost(
    imported: tuple[Sartor, dict[str, np.ndarray]], tmp_path: Path, format_: str
) -> None:
    sartor, _ = imported
    plain = sartor("export", tmp_path / f"out.{format_}", "-f", format_, "--json").json()
    assert (plain["model"], plain["products"]) == (None, 40)
    with_images = sartor("export", tmp_path / "out", "-f", format_, "--images", "--json").json()
    assert (with_images["products"], with_images["photos"]) == (40, 0)
    assert "photos whose thumbnail is not kept: 40" in with_images["lost"]


@pytest.mark.parametrize(("format_", "package"), [("annoy", "annoy"), ("faiss", "faiss"), ("qdrant-edge", "")])
def test_another_library_finds_what_the_imported_vectors_are_close_to(
    imported: tuple[Sartor, dict[str, np.ndarray]], tmp_path: Path, format_: str, package: str
) -> None:
    sartor, vectors = imported
    if package and find_spec(package) is None:
        pytest.skip(f"{package} is not installed: pip install 'sartor[{package}]'")
    out = tmp_path / "out"
    assert sartor("export", out, "-f", format_).code == 0
    expected = sorted(vectors, key=lambda each: -float(vectors[each] @ vectors["7"]))[:5]
    assert nearest(format_, out, vectors["7"]) == expected


def nearest(format_: str, out: Path, vector: np.ndarray) -> list[str]:
    """The five products closest to a vector, as the other library has them."""
    if format_ == "qdrant-edge":
        import qdrant_edge as qdrant

        shard = qdrant.EdgeShard.load(str(out / "shard"))
        query = qdrant.Query.Nearest(vector.tolist())
        found = shard.query(qdrant.QueryRequest(query=query, limit=5, with_payload=True))
        shard.close()
        return [point.payload["id"] for point in found]
    ids = json.loads((out / "ids.json").read_text())["ids"]
    if format_ == "annoy":
        import annoy

        index = annoy.AnnoyIndex(len(vector), "angular")
        index.load(str(out / "embeddings.ann"))
        return [ids[row] for row in index.get_nns_by_vector(vector.tolist(), 5, search_k=10_000)]
    import faiss

    _, rows = faiss.read_index(str(out / "embeddings.faiss")).search(vector[None], 5)
    return [ids[row] for row in rows[0]]


def test_nul_is_left_out_of_csv_and_kept_by_json_lines(sartor: Sartor, home: Path, tmp_path: Path) -> None:
    with library.open(home) as shop:
        told = Product(id="a", title="a\0b", attributes={"note": "x\0y", "a\0c": "z"})
        shop.put(ProductInput(product=told, photos=(photo((9, 9, 9)),)))
    for format_ in ("csv", "jsonl"):
        assert sartor("export", tmp_path / f"e.{format_}", "-f", format_).code == 0
    header, row, *_ = (tmp_path / "e.csv").read_text().splitlines()
    assert header == '"id","title","image_path","a c","note"'
    assert row == "a,ab,photo 1 of a,z,xy"
    line = json.loads((tmp_path / "e.jsonl").read_text())
    assert (line["title"], line["note"], line["a\0c"]) == ("a\0b", "x\0y", "z")


def test_a_filter_that_nothing_passes_writes_no_empty_export(filled: Sartor, tmp_path: Path) -> None:
    both = ("--where", "color=Red", "--where", "color=Blue")
    refused = filled("export", tmp_path / "none.csv", "--format", "csv", *both)
    assert refused.code == 1
    assert "no product passes the filter" in refused.err
    assert not (tmp_path / "none.csv").exists()
