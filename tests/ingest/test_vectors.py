from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sartor
from sartor.errors import (
    ModelExists,
    NoNetwork,
    PhotoRejected,
    SourceNotFound,
    SourceShrunk,
    UnreadableVectors,
    UnsafePickle,
    VectorsDisagree,
)
from sartor.ingest.vectors import ImportReport
from sartor.recommend.features import FeatureWeights
from sartor.shop import Shop
from tests.fakes import BLUE, GREEN, RED, folder_of, photo, various_colors

STYLE_ALONE = FeatureWeights(style=1, color=0, category=0)
NAMES = [f"images/{number}.jpg" for number in range(120)]


def vectors(count: int = 120, dimension: int = 16) -> Any:
    return np.random.default_rng(3).normal(size=(count, dimension)).astype(np.float32)


def written(directory: Path, matrix: Any, names: Any) -> tuple[Path, Path]:
    directory.mkdir(exist_ok=True)
    for name, value in (("embeddings.pkl", matrix), ("filenames.pkl", names)):
        (directory / name).write_bytes(pickle.dumps(value))
    return directory / "embeddings.pkl", directory / "filenames.pkl"


@pytest.fixture
def empty(tmp_path: Path) -> Any:
    with sartor.open(tmp_path / "shop") as shop:
        yield shop


@pytest.mark.parametrize(
    "shape",
    [lambda matrix: matrix, list, lambda matrix: matrix.tolist(), lambda matrix: [row[None] for row in matrix]],
    ids=["an array", "a list of arrays", "a list of lists", "a list of batches of one"],
)
def test_the_five_nearest_are_those_of_scikit_learn(tmp_path: Path, empty: Shop, shape: Any) -> None:
    neighbors = pytest.importorskip("sklearn.neighbors")
    matrix = vectors()
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    report = empty.import_embeddings(*written(tmp_path, shape(matrix), NAMES))
    assert (report.vectors, report.products, report.added, report.scaled) == (120, 120, 120, 0)
    fitted = neighbors.NearestNeighbors(n_neighbors=6, algorithm="brute", metric="euclidean").fit(matrix)
    _, nearest = fitted.kneighbors(matrix)
    for row in range(0, 120, 10):
        hits = empty.similar(product=str(row), k=5, weights=STYLE_ALONE, exact=True)
        assert [hit.product_id for hit in hits] == [str(other) for other in nearest[row][1:]]


def test_importing_again_changes_nothing(tmp_path: Path, empty: Shop) -> None:
    files = written(tmp_path, vectors(), NAMES)
    first = empty.import_embeddings(*files)
    before = empty._backends.store.revision
    again = empty.import_embeddings(*files)
    assert (first.added, again.added, again.updated, again.unchanged) == (120, 0, 0, 120)
    assert empty._backends.store.revision == before
    assert empty.check() == ()


def test_a_stopped_import_goes_on_where_it_was(tmp_path: Path, empty: Shop) -> None:
    files = written(tmp_path, vectors(300), [f"{number}.jpg" for number in range(300)])

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        empty.import_embeddings(*files, on_progress=stop)
    assert empty.counts().products == 128
    assert empty.check() == ()
    report = empty.import_embeddings(*files)
    assert (report.added, report.unchanged) == (172, 128)


def test_a_model_of_vectors_becomes_the_default_and_cannot_embed_a_photo(tmp_path: Path, empty: Shop) -> None:
    report = empty.import_embeddings(*written(tmp_path, vectors(), NAMES))
    assert (report.model, report.is_default, report.by_photo) == ("imported-16", True, False)
    assert empty.model.id == "imported-16"
    assert not empty.model.network
    with pytest.raises(NoNetwork, match="has only imported vectors and cannot embed a photo; ask by --product"):
        empty.similar(photo(RED))
    with pytest.raises(NoNetwork):
        empty.index(folder_of(tmp_path / "more", {"red": RED}))
    empty.warm_up()
    assert empty.info().default_model == "imported-16"
    assert empty.facets() is not None


def test_rows_that_cannot_be_used_are_named_and_the_rest_goes_on(tmp_path: Path, empty: Shop) -> None:
    matrix = vectors(5)
    matrix[1], matrix[2, 3] = 0, np.nan
    report = empty.import_embeddings(*written(tmp_path, matrix, ["a.jpg", "b.jpg", "c.jpg", "a.jpg", ""]))
    reasons = {each.photo: each.reason for each in report.rejected}
    assert empty.product_ids() == ["a"]
    assert set(reasons) == {"a.jpg", "b.jpg", "c.jpg", "row 4"}
    assert "twice" in reasons["a.jpg"]
    assert "zero" in reasons["b.jpg"]


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        ([rb"images\1163.jpg", b"images/2.jpg"], ["1163", "2"]),
        (["C:\\Users\\me\\images\\1163.jpg", "/home/me/2.png"], ["1163", "2"]),
        (["a/1.jpg", "b/1.jpg"], ["1", "b/1"]),
        (["v2.1", "x.tar.jpg"], ["v2.1", "x.tar"]),
        ([1163, np.str_("2.jpg")], ["1163", "2"]),
    ],
)
def test_a_product_is_called_as_its_photo(tmp_path: Path, empty: Shop, names: Any, ids: list[str]) -> None:
    empty.import_embeddings(*written(tmp_path, vectors(2), names))
    assert sorted(empty.product_ids()) == sorted(ids)


@pytest.mark.parametrize(
    ("matrix", "names", "message"),
    [
        ([[1.0, 2.0], [1.0, 2.0, 3.0]], ["a.jpg", "b.jpg"], r"row 1 \(b.jpg\) has 3 numbers, the first row 2"),
        ([[1.0, 2.0]], ["a.jpg", "b.jpg"], "1 vectors, and there are 2 names"),
        ([["x"]], ["a.jpg"], "has no numbers"),
        ([], [], "no list of vectors"),
        (np.ones(4), ["a.jpg"], "not one row of numbers for each photo"),
        ([[0.0, 0.0]], ["a.jpg"], "none of its vectors can be used"),
        ([[1.0]], "a.jpg", "no list of names"),
    ],
)
def test_what_does_not_fit_is_one_clear_line(
    tmp_path: Path, empty: Shop, matrix: Any, names: Any, message: str
) -> None:
    with pytest.raises(UnreadableVectors, match=message):
        empty.import_embeddings(*written(tmp_path, matrix, names))
    assert empty.counts().products == 0


def test_photos_and_attributes_are_found_beside(tmp_path: Path, empty: Shop) -> None:
    colors = various_colors(4)
    folder_of(tmp_path / "images", colors)
    rows = "".join(f"{name},Tshirts,Title {name}\n" for name in colors)
    (tmp_path / "styles.csv").write_text(f"id,articleType,productDisplayName\n{rows}")
    (tmp_path / "images" / "p003.png").write_bytes(b"no image")
    files = written(tmp_path, vectors(5), [*(f"/kaggle/images/{name}.jpg" for name in colors), "gone.jpg"])
    report = empty.import_embeddings(*files, images=tmp_path / "images")
    assert (report.images, report.described) == (3, 4)
    assert [each.photo for each in report.rejected] == ["p003.png"]
    assert empty.product("p000").product.title == "Title p000"
    assert empty.thumbnail(empty.product("p000").photos[0]).is_file()
    (without,) = empty.product("gone").photos
    assert (without.width_px, without.thumbnail) == (0, "")
    assert empty.picture(without.sha256, max_px=64) is None
    with pytest.raises(PhotoRejected, match="only its vector was imported"):
        empty.thumbnail(without)
    assert empty.check() == ()
    again = empty.import_embeddings(*files)  # without --images nothing is taken away
    assert (again.images, again.unchanged) == (3, 5)


def test_a_photo_found_later_takes_the_place_of_the_one_without_a_picture(tmp_path: Path, empty: Shop) -> None:
    files = written(tmp_path / "pickles", vectors(2), ["red.png", "green.png"])
    empty.import_embeddings(*files)
    folder = folder_of(tmp_path / "images", {"red": RED, "green": GREEN})
    report = empty.import_embeddings(*files, images=folder)
    assert (report.updated, report.images) == (2, 2)
    assert empty.counts().photos == 2


def test_a_name_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path, empty: Shop) -> None:
    secret = folder_of(tmp_path / "private", {"secret": RED}) / "secret.png"
    files = written(tmp_path / "download", vectors(2), [str(secret), "../private/secret.png"])
    assert empty.import_embeddings(*files).images == 0


def test_images_that_are_not_there_are_said(tmp_path: Path, empty: Shop) -> None:
    with pytest.raises(SourceNotFound):
        empty.import_embeddings(*written(tmp_path, vectors(1), ["a.jpg"]), images=tmp_path / "none")


def test_vectors_of_a_model_are_held_against_it(tmp_path: Path, shop: Shop) -> None:
    folder = folder_of(tmp_path / "images", {"red": RED, "green": GREEN, "blue": BLUE})
    names = ["red.png", "green.png", "blue.png"]
    files = written(tmp_path / "pickles", 3 * np.eye(3), names)
    report = shop.import_embeddings(*files, images=folder, model="color")
    assert report.agreement is not None
    assert (report.agreement.photos, report.scaled) == (3, 3)
    assert report.agreement.least > 0.999
    assert [hit.product_id for hit in shop.similar(photo((250, 5, 5)), k=1)] == ["red"]


def test_vectors_of_another_model_are_refused_unless_forced(tmp_path: Path, shop: Shop) -> None:
    folder = folder_of(tmp_path / "images", {"red": RED, "green": GREEN, "blue": BLUE})
    files = written(tmp_path / "pickles", np.eye(3)[::-1], ["red.png", "green.png", "blue.png"])
    with pytest.raises(VectorsDisagree, match="another preprocessing, pooling or weights"):
        shop.import_embeddings(*files, images=folder, model="color")
    assert shop.counts().products == 0
    report = shop.import_embeddings(*files, images=folder, model="color", force=True)
    assert report.agreement is not None
    assert not report.agreement.is_close


def test_vectors_of_another_length_do_not_fit_a_model(tmp_path: Path, shop: Shop) -> None:
    with pytest.raises(UnreadableVectors, match="its vectors have 16 numbers, those of color have 3"):
        shop.import_embeddings(*written(tmp_path, vectors(), NAMES), model="color")


def test_other_vectors_need_another_id(tmp_path: Path, empty: Shop) -> None:
    empty.import_embeddings(*written(tmp_path, vectors(), NAMES))
    with pytest.raises(ModelExists):
        empty.import_embeddings(*written(tmp_path, vectors() + 1, NAMES))
    report = empty.import_embeddings(*written(tmp_path, vectors() + 1, NAMES), id="mine")
    assert (report.model, report.is_default) == ("mine", False)
    more = written(tmp_path, vectors(2), ["x.jpg", "y.jpg"])
    assert empty.import_embeddings(*more, model="mine").added == 2


def test_npy_npz_and_parquet_are_read(tmp_path: Path, empty: Shop) -> None:
    matrix = vectors(3)
    np.save(tmp_path / "e.npy", matrix)
    (tmp_path / "n.txt").write_text("a.jpg\nb.jpg\nc.jpg\n")
    assert empty.import_embeddings(tmp_path / "e.npy", tmp_path / "n.txt").products == 3
    np.savez(tmp_path / "e.npz", ids=["a", "a", "c"], photos=["1.jpg", "2.jpg", "3.jpg"], embeddings=matrix)
    report = empty.import_embeddings(tmp_path / "e.npz")
    assert (report.products, len(empty.product("a").photos)) == (2, 2)
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(
        pa.table({"filename": ["a.jpg", "b.jpg", "c.jpg"], "vector": list(matrix)}), tmp_path / "e.parquet"
    )
    assert empty.import_embeddings(tmp_path / "e.parquet").products == 3


def test_a_damaged_npy_or_npz_is_one_clear_line(tmp_path: Path, empty: Shop) -> None:
    np.save(tmp_path / "o.npy", np.array([object()], dtype=object), allow_pickle=True)
    with pytest.raises(UnreadableVectors, match="neither numbers nor text"):
        empty.import_embeddings(tmp_path / "o.npy")
    np.save(tmp_path / "e.npy", vectors(3))
    (tmp_path / "e.npy").write_bytes((tmp_path / "e.npy").read_bytes()[:-5])
    with pytest.raises(UnreadableVectors, match="announces"):
        empty.import_embeddings(tmp_path / "e.npy")
    np.savez_compressed(tmp_path / "bomb.npz", embeddings=np.zeros((4000, 4000), np.float32))
    with pytest.raises(UnreadableVectors, match="unpacks to more"):
        empty.import_embeddings(tmp_path / "bomb.npz")


def test_a_hostile_pickle_leaves_the_workspace_as_it_was(tmp_path: Path, empty: Shop) -> None:
    file = tmp_path / "embeddings.pkl"
    file.write_bytes(b"\x80\x04cos\nsystem\nX\x02\x00\x00\x00id\x85R.")
    with pytest.raises(UnsafePickle, match=r"it asks for os\.system"):
        empty.import_embeddings(file)
    assert empty.counts().products == 0


def test_a_product_without_a_picture_is_deleted_like_any_other(tmp_path: Path, empty: Shop) -> None:
    empty.import_embeddings(*written(tmp_path, vectors(2), ["a.jpg", "b.jpg"]))
    assert empty.delete("a")
    assert empty.counts().photos == 1
    assert empty.check() == ()


def noticed(report: ImportReport) -> dict[str, tuple[int, tuple[str, ...]]]:
    return {finding.case: (finding.count, finding.examples) for finding in report.findings}


def packed(file: Path, matrix: Any, photos: Any, **arrays: Any) -> Path:
    file.parent.mkdir(exist_ok=True)
    np.savez(file, embeddings=matrix, photos=photos, **arrays)
    return file


def test_of_two_vectors_of_a_photo_the_first_counts_and_the_other_is_named(tmp_path: Path, empty: Shop) -> None:
    folder = folder_of(tmp_path / "images", {"red": RED})
    file = packed(tmp_path / "e.npz", vectors(3), ["red.png"] * 3, ids=["a", "a", "b"])
    report = empty.import_embeddings(file, images=folder)
    assert [each.photo for each in report.rejected] == ["row 1 (red.png)", "row 2 (red.png)"]
    assert "has the same photo as row 0 (red.png), whose vector counts" in report.rejected[0].reason


def test_a_file_that_names_the_same_thing_twice_is_refused(tmp_path: Path, empty: Shop) -> None:
    file = packed(tmp_path / "e.npz", vectors(2), ["a.jpg", "b.jpg"], filenames=["c.jpg", "d.jpg"])
    with pytest.raises(UnreadableVectors, match="photos and filenames, which are names for the same"):
        empty.import_embeddings(file)


def test_arrays_that_are_not_read_are_named(tmp_path: Path, empty: Shop) -> None:
    file = packed(tmp_path / "e.npz", vectors(2), ["a.jpg", "b.jpg"], ids=["a", "b"], labels=["x", "y"])
    unread = "arrays or columns of the file, not read"
    assert noticed(empty.import_embeddings(file)) == {unread: (1, ("labels",))}
    names = tmp_path / "names.txt"
    names.write_text("a.jpg\nb.jpg\n")
    report = empty.import_embeddings(file, names, id="by-names")
    assert noticed(report)[unread] == (3, ("ids", "labels", "photos"))


def test_columns_that_are_not_read_are_named_and_an_empty_id_is_none(tmp_path: Path, empty: Shop) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    pa = pytest.importorskip("pyarrow")
    tags = [["new"], ["old"]]  # a list of texts is no vector
    table = pa.table({"id": ["a", None], "brand": ["x", "y"], "tags": tags, "vector": vectors(2).tolist()})
    parquet.write_table(table, tmp_path / "e.parquet")
    report = empty.import_embeddings(tmp_path / "e.parquet")
    assert noticed(report) == {"arrays or columns of the file, not read": (2, ("brand", "tags"))}
    assert empty.product_ids() == ["a"]
    assert [each.reason for each in report.rejected] == ["its vector has no name"]


def test_names_with_no_photo_or_several_are_counted(tmp_path: Path, empty: Shop) -> None:
    for folder in ("images/x", "images/y"):
        folder_of(tmp_path / folder, {"same": RED})
    file = packed(tmp_path / "e.npz", vectors(2), ["same.png", "gone.png"])
    assert noticed(empty.import_embeddings(file, images=tmp_path / "images")) == {
        "names that several photos have, none was taken": (1, ("same.png",)),
        "names that no photo has": (1, ("gone.png",)),
    }


def test_an_id_with_a_backslash_stays_itself(tmp_path: Path, empty: Shop) -> None:
    file = packed(tmp_path / "e.npz", vectors(2), ["a.jpg", "b.jpg"], ids=["x\\1", "x/1"])
    empty.import_embeddings(file)
    assert set(empty.product_ids()) == {"x\\1", "x/1"}


def test_names_in_another_encoding_are_refused(tmp_path: Path, empty: Shop) -> None:
    (tmp_path / "names.txt").write_bytes("a.jpg\nété.jpg\n".encode("cp1252"))
    np.save(tmp_path / "e.npy", vectors(2))
    with pytest.raises(UnreadableVectors, match="its names are not UTF-8"):
        empty.import_embeddings(tmp_path / "e.npy", tmp_path / "names.txt")


def described(folder: Path, rows: str) -> None:
    (folder / "products.csv").write_text(f"id,image,title{rows}")


def test_a_table_beside_may_not_erase_what_is_known(tmp_path: Path, shop: Shop) -> None:
    folder = folder_of(tmp_path / "images", {"red": RED, "green": GREEN})
    described(folder, ",color\na,red.png,Red,Red\nb,green.png,Green,Green\n")
    shop.index(folder / "products.csv")
    before = [shop.product(id_) for id_ in ("a", "b")]
    described(folder, "\na,red.png,Red\nb,green.png,Green\n")
    file = packed(tmp_path / "vectors" / "e.npz", vectors(2), ["red.png", "green.png"], ids=["a", "b"])
    with pytest.raises(SourceShrunk, match="2 of 2 products would lose their color"):
        shop.import_embeddings(file, images=folder)
    assert [shop.product(id_) for id_ in ("a", "b")] == before
    assert "imported-16" not in [card.id for card in shop.models]
    report = shop.import_embeddings(file, images=folder, allow_shrink=True)
    assert (report.table, report.described) == (str(folder), 2)
    assert shop.product("a").product.attributes == {}


def test_vectors_without_photos_may_not_take_those_of_products(tmp_path: Path, shop: Shop) -> None:
    folder = folder_of(tmp_path / "images", {"red": RED, "green": GREEN})
    described(folder, "\na,red.png,Red\nb,green.png,Green\n")
    shop.index(folder / "products.csv")
    both = packed(tmp_path / "vectors" / "e.npz", vectors(2), ["1.png", "2.png"], ids=["a", "b"])
    with pytest.raises(SourceShrunk, match="2 of 2 products would lose their photos"):
        shop.import_embeddings(both)
    one = packed(tmp_path / "vectors" / "one.npz", vectors(1), ["1.png"], ids=["a"])
    report = shop.import_embeddings(one)
    assert noticed(report) == {"products that show other photos than before": (1, ("a",))}


def test_tables_beside_that_are_not_read_are_named(tmp_path: Path, empty: Shop) -> None:
    file = packed(tmp_path / "e.npz", vectors(1), ["red.png"])
    (tmp_path / "products.csv").write_text('id,title\nred,"Red\n')
    ((case, (count, _)),) = noticed(empty.import_embeddings(file)).items()
    assert (case, count) == ("tables beside the vectors that cannot be read", 1)
    (tmp_path / "more.csv").write_text("id,title\nred,Red\n")
    ((case, (count, _)),) = noticed(empty.import_embeddings(file)).items()
    assert (case, count) == ("other tables, not read", 2)
