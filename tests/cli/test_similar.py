from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

import sartor as library
from tests.cli.conftest import Sartor, write_photos, write_table
from tests.copies import copied
from tests.fakes import photo


@pytest.fixture
def query(tmp_path: Path) -> Path:
    file = tmp_path / "query.png"
    file.write_bytes(photo((250, 30, 10)))
    return file


@pytest.fixture(scope="module")
def filled_home(empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of the products of ``table``."""
    directory = tmp_path_factory.mktemp("filled")
    copied(empty_home, directory / "home")
    with library.open(directory / "home") as shop:
        assert shop.index(write_table(write_photos(directory / "photos"))).added == 4
    return directory / "home"


@pytest.fixture
def indexed(sartor: Sartor, home: Path, filled_home: Path) -> Sartor:
    copied(filled_home, home)
    return sartor


def ids(outcome: object) -> list[str]:
    return [hit["product_id"] for hit in outcome.json()["hits"]]


def test_the_json_has_what_others_rely_on(indexed: Sartor, query: Path) -> None:
    answer = indexed("similar", query, "--json").json()
    assert list(answer) == ["model", "kind", "verdict", "good", "seen", "hits", "facets"]
    assert answer["model"] == "color"
    first = answer["hits"][0]
    assert list(first) == [
        "product_id", "score", "match", "likeness", "weak", "style", "color", "reasons", "title",
        "title_predicted", "attributes", "predicted", "variants", "photo",
    ]  # fmt: skip
    assert (first["product_id"], first["title"]) == ("a", "Red shirt")
    assert first["score"] == pytest.approx(1, abs=0.02)
    assert first["attributes"]["color"] == "Red"
    with Image.open(first["photo"]) as shown:
        assert shown.getpixel((0, 0)) == (255, 0, 0)


def test_people_get_a_table(indexed: Sartor, query: Path) -> None:
    outcome = indexed("similar", query, "-k", 2)
    assert outcome.out.startswith("Seen: colors ")
    assert "Red shirt" in outcome.out
    assert "Pink shirt" in outcome.out
    assert "Blue shirt" not in outcome.out


def test_a_product_is_not_its_own_hit(indexed: Sartor) -> None:
    found = ids(indexed("similar", "--product", "a", "--json"))
    assert found[0] == "d"
    assert sorted(found) == ["b", "c", "d"]


def test_an_argument_that_is_no_file_is_a_product(indexed: Sartor, query: Path) -> None:
    by_id = indexed("similar", "a", "--json").json()
    by_option = indexed("similar", "--product", "a", "--json").json()
    assert by_id["hits"] == by_option["hits"]
    both = indexed("similar", query, "a", "--weights", "1,3", "--json")
    assert (
        both.json()["hits"]
        == indexed("similar", query, "--product", "a", "--weights", "1,3", "--json").json()["hits"]
    )


def test_a_file_comes_before_a_product_of_its_name(
    indexed: Sartor, query: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a").write_bytes(query.read_bytes())
    assert indexed("similar", "a", "--json").json()["hits"] == indexed("similar", query, "--json").json()["hits"]


def test_what_is_neither_is_named(indexed: Sartor) -> None:
    assert "15970" in indexed("similar", "15970").err
    assert indexed("similar", "15970").code == 1
    assert "red.jpg" in indexed("similar", "red.jpg").err


def test_a_photo_that_is_in_the_catalog_is_not_its_own_hit(indexed: Sartor, photos: Path) -> None:
    assert ids(indexed("similar", photos / "red.png", "--json"))[0] == "d"


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (["color=Red"], ["a", "d"]),
        (["color=Red,Blue"], ["a", "d", "c"]),
        (["price=20..40"], ["b", "c"]),
        (["price=..40", "color=Red"], ["a"]),
        (["color=Red", "color=Blue"], []),
    ],
)
def test_filters_hold(indexed: Sartor, query: Path, where: list[str], expected: list[str]) -> None:
    arguments = [part for condition in where for part in ("--where", condition)]
    assert sorted(ids(indexed("similar", query, *arguments, "--json"))) == sorted(expected)


def test_no_product_that_passes_is_said_so(indexed: Sartor, query: Path) -> None:
    assert "No product passes the filter" in indexed("similar", query, "--where", "price=500..").out


def test_weights_decide_between_photos(indexed: Sartor, tmp_path: Path) -> None:
    for name, color in (("green.png", (10, 240, 10)), ("blue.png", (10, 10, 240))):
        (tmp_path / name).write_bytes(photo(color))
    photos = tmp_path / "green.png", tmp_path / "blue.png"

    assert ids(indexed("similar", *photos, "--weights", "9,1", "--json"))[0] == "b"
    assert ids(indexed("similar", *photos, "--weights", "1,9", "--json"))[0] == "c"


def test_a_region_of_a_photo_is_the_query(indexed: Sartor, tmp_path: Path) -> None:
    both = Image.new("RGB", (80, 40), (10, 240, 10))
    both.paste((10, 10, 240), (40, 0, 80, 40))
    both.save(tmp_path / "both.png")

    assert ids(indexed("similar", tmp_path / "both.png", "--box", "0,0,.5,1", "--json"))[0] == "b"
    assert ids(indexed("similar", tmp_path / "both.png", "--box", ".5,0,.5,1", "--json"))[0] == "c"


def test_likes_dislikes_colors_and_facets(indexed: Sartor) -> None:
    assert "b" not in ids(indexed("similar", "--product", "a", "--dislike", "b", "--json"))
    assert ids(indexed("similar", "--like", "b", "--json"))
    assert ids(indexed("similar", "--color", "blue", "--json"))[0] == "c"
    answer = indexed("similar", "--product", "a", "--facets", "color", "--dials", "color=1", "--json").json()
    assert answer["facets"] == {
        "color": [
            {"value": "Red", "count": 2},
            {"value": "Blue", "count": 1},
            {"value": "Green", "count": 1},
        ]
    }


def test_exact_and_euclidean_give_the_same_products(indexed: Sartor, query: Path) -> None:
    answers = [ids(indexed("similar", query, "--json", *options)) for options in ([], ["--exact"])]
    answers.append(ids(indexed("similar", query, "--json", "--metric", "euclidean")))
    assert answers[0] == answers[1] == answers[2]


def test_several_photos_are_one_query(indexed: Sartor, photos: Path, tmp_path: Path) -> None:
    green = tmp_path / "green.png"
    green.write_bytes(photo((10, 240, 10)))
    blue = tmp_path / "blue.png"
    blue.write_bytes(photo((10, 10, 240)))
    assert set(ids(indexed("similar", green, blue, "-k", 2, "--json"))) == {"b", "c"}


@pytest.mark.parametrize("name", ["sheet.html", "sheet.PNG"])
def test_a_sheet_shows_the_query_beside_its_hits(indexed: Sartor, query: Path, tmp_path: Path, name: str) -> None:
    sheet = tmp_path / name
    outcome = indexed("similar", query, "--sheet", sheet, "--json")
    assert "sheet written" in outcome.err
    if sheet.suffix == ".html":
        page = sheet.read_text()
        assert page.count("<figure") == 5
        assert "Red shirt" in page
        assert "http" not in page
    else:
        with Image.open(sheet) as shown:
            assert shown.width > shown.height


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["similar"], 1, "the query is empty"),
        (["similar", "none.png"], 1, "none.png cannot be used: No such file or directory"),
        (["similar", "--product", "zz"], 1, "product 'zz' is not in the catalog"),
        (["similar", "--product", "a", "--where", "colour=Red"], 1, "did you mean 'color'"),
        (["similar", "--product", "a", "--where", "color"], 1, "cannot be understood"),
        (
            ["similar", "--product", "a", "--where", "color=Gren"],
            1,
            "no product has color 'Gren'; did you mean 'Green'",
        ),
        (["similar", "--product", "a", "--color", "blu"], 1, "'blu' is no color; did you mean 'blue'?"),
        (["similar", "--product", "a", "--dials", "style=2"], 1, "style is 2"),
        (["similar", "--product", "a", "--dials", "stile=1"], 2, "--dials takes style=0..1"),
        (["similar", "--product", "a", "--weights", "1,2"], 2, "--weights takes 1 numbers"),
        (["similar", "--product", "a", "--box", "0,0,1,1"], 2, "--box is a region of a photo"),
        (["similar", "--product", "a", "--regions", "x.html"], 1, "'color' gives no feature maps"),
        (["similar", "--product", "a", "-k", "0"], 2, "-k"),
        (["similar", "--product", "a", "--sheet", "x.pdf"], 2, "a sheet is an .html or .png file"),
        (
            ["similar", "--product", "a", "--model", "other"],
            1,
            "there is no model 'other' here (there are: color)",
        ),
    ],
)
def test_a_query_that_cannot_be_answered_is_one_clear_line(
    indexed: Sartor, arguments: list[str], code: int, message: str
) -> None:
    outcome = indexed(*arguments)
    assert message in outcome.err
    assert "Traceback" not in outcome.err
    assert outcome.code == code


def test_an_empty_catalog_says_how_to_fill_it(sartor: Sartor, query: Path) -> None:
    outcome = sartor("similar", query)
    assert outcome.code == 1
    assert "holds no photos yet; fill it with: sartor index SOURCE" in outcome.err


def test_a_catalog_of_another_model_is_named(indexed: Sartor, query: Path, color_file: Path) -> None:
    added = indexed("models", "add", color_file, "--id", "other", "--scaling", "raw", "--output", "embedding")
    assert added.code == 0
    outcome = indexed("similar", query, "--model", "other")
    assert outcome.code == 1
    assert "this catalog holds color embeddings, the query is other; add --model color" in outcome.err


def test_a_device_that_is_not_there_is_named(indexed: Sartor, query: Path) -> None:
    outcome = indexed("similar", query, "--device", "cuda")
    assert outcome.code == 1
    assert "there is no device 'cuda' here; there are: cpu" in outcome.err


@pytest.fixture
def with_duplicates(sartor: Sartor, tmp_path: Path) -> Sartor:
    (tmp_path / "clothes").mkdir()
    for name, color, left in (("shirt", "red", 20), ("skirt", "blue", 50), ("hat", "red", 50)):
        image = Image.new("RGB", (120, 120), "white")
        ImageDraw.Draw(image).rectangle((left, 20, left + 40, 100), fill=color)
        image.save(tmp_path / "clothes" / f"{name}.png")
        if name == "shirt":
            image.resize((60, 60)).save(tmp_path / "clothes" / "again.png")
    assert sartor("index", tmp_path / "clothes").code == 0
    return sartor


def test_photos_of_the_same_are_one_group(with_duplicates: Sartor) -> None:
    (group,) = with_duplicates("duplicates", "--json").json()["groups"]

    assert [photo["product_id"] for photo in group] == ["again", "shirt"]
    assert set(group[0]) == {"product_id", "title", "photo", "sha256"}


def test_people_get_a_table_and_a_sheet(with_duplicates: Sartor, tmp_path: Path) -> None:
    outcome = with_duplicates("duplicates", "--sheet", tmp_path / "duplicates.html")

    assert "1 group of 2 photos" in outcome.out
    assert "again, shirt" in outcome.out
    assert (tmp_path / "duplicates.html").read_text().count("<figure") == 2


def test_a_copy_stands_behind_the_hit(with_duplicates: Sartor) -> None:
    hits = with_duplicates("similar", "--product", "hat", "--json").json()["hits"]

    assert {(hit["product_id"], *hit["variants"]) for hit in hits} in (
        {("skirt",), ("again", "shirt")},
        {("skirt",), ("shirt", "again")},
    )


def test_a_dial_that_is_set_twice_and_an_unknown_facet_are_refused(indexed: Sartor) -> None:
    assert indexed("similar", "--product", "a", "--dials", "style=1,style=0").code == 2
    refused = indexed("similar", "--product", "a", "--facets", "nope")
    assert refused.code == 1
    assert "no product has an attribute 'nope'" in refused.err
