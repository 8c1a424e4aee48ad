"""The same photo has the same answer at every door: Python, the API, the pages, the command line, the studio."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import sartor
from sartor.cli import main
from sartor.config import Settings
from sartor.encoders.card import CARD_FILE, MatchCalibration, ModelCard
from sartor.errors import BadDial
from sartor.recommend.weights import DEFAULT_FEATURE_WEIGHTS, feature_weights
from sartor.studio.backend import SearchOptions, WorkspaceBackend
from sartor.studio.queries import _label
from sartor.types import Verdict
from tests.fakes import BLUE, GREEN, RED, folder_of, various_colors
from tests.service.conftest import serving
from tests.shop.test_predictions import describe_by

K = 12


def street_photo() -> bytes:
    """A large photo as a phone makes it: turned, with metadata, and too colorful to survive a second encoding."""
    rng = np.random.default_rng(11)
    pixels = rng.integers(0, 256, (90, 120, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a phone"
    stream = io.BytesIO()
    Image.fromarray(pixels).resize((1200, 900), Image.Resampling.NEAREST).save(
        stream, "JPEG", exif=exif, quality=60
    )
    return stream.getvalue()


def calibrate(home: Path) -> None:
    """Give the model a calibration, so that lists are ordered by match."""
    file = home / "models" / "color" / CARD_FILE
    calibration = MatchCalibration(slope=9.0, color=3.0, intercept=-9.0, attributes=("color",))
    ModelCard.read(file).model_copy(update={"calibration": calibration}).write(file)


def said(answer: Mapping[str, Any], hits: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
    """What an answer says of itself and of its hits; matches to the digits that JSON has."""
    return (
        answer["verdict"],
        answer["kind"],
        answer["good"],
        [(hit["likeness"], hit["weak"]) for hit in hits],
        [hit["match"] for hit in hits],
    )


@pytest.fixture
def filled(home: Path, tmp_path: Path) -> Path:
    with sartor.open(home) as shop:
        shop.index(folder_of(tmp_path / "photos", various_colors(60)))
    return home


@pytest.fixture
def query(tmp_path: Path) -> Path:
    file = tmp_path / "street.jpg"
    file.write_bytes(street_photo())
    return file


@pytest.mark.parametrize("asked", [{}, {"color": "navy"}, {"dials": {"color": 0.9}}], ids=str)
def test_every_door_gives_the_same_products_in_the_same_order(
    filled: Path,
    query: Path,
    asked: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    color, dials = asked.get("color"), asked.get("dials")
    calibrate(filled)
    found: dict[str, list[str]] = {}
    words: dict[str, tuple[Any, ...]] = {}  # what is said of the answer and of each hit
    with sartor.open(filled) as shop:
        answer = shop.similar(query, k=K, color=color, weights=dials)
        found["python"] = [hit.product_id for hit in answer]
        words["python"] = said(
            {"kind": answer.kind, "verdict": answer.verdict, "good": answer.good},
            [{"match": hit.match, "likeness": hit.likeness, "weak": hit.weak} for hit in answer],
        )
        scores = [hit.score for hit in answer]
        assert scores == sorted(scores, reverse=True)
        assert scores == [hit.match for hit in answer]

    with serving(filled) as client:
        files = [
            ("query", (None, json.dumps({"k": K, **asked}))),
            ("photo", ("street.jpg", query.read_bytes(), "image/jpeg")),
        ]
        answer = client.post("/v1/similar", files=files)
        found["api"] = [hit["product_id"] for hit in answer.json()["hits"]]
        words["api"] = said(answer.json(), answer.json()["hits"])
        there = client.post("/search", files=[files[1]], follow_redirects=False).headers["location"]
        there += "&color=navy" if color else ""
        there += "&colorweight=0.9" if dials else ""
        page = client.get(there, headers={"Accept": "text/html"})
        found["page"] = re.findall(r'class="card[^"]*" data-product="([^"]+)"', page.text)[:K]

    options = ["--color", color] if color else ["--dials", "color=0.9"] if dials else []
    command = ["sartor", "--home", str(filled), "similar", str(query), "-k", str(K), "--json", *options]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit):
        main()
    printed = json.loads(capsys.readouterr().out)
    found["command line"] = [hit["product_id"] for hit in printed["hits"]]
    words["command line"] = said(printed, printed["hits"])

    if not color:  # the studio asks for none
        backend = WorkspaceBackend(Settings(home=filled))
        weights = feature_weights(dials)
        results = backend.similar([query.read_bytes()], None, SearchOptions(model="color", k=K, dials=weights))
        found["studio"] = [hit.product_id for hit in results]
        words["studio"] = said(
            {"kind": results.kind, "verdict": results.verdict, "good": results.good},
            [{"match": hit.match, "likeness": hit.likeness, "weak": hit.weak} for hit in results],
        )
        backend.close()

    assert len(found["python"]) == K
    assert found == dict.fromkeys(found, found["python"])
    for door, own in words.items():
        assert own[:-1] == words["python"][:-1], door
        assert own[-1] == pytest.approx(words["python"][-1], abs=1e-4), door
    assert words["python"][0] in set(Verdict)


def test_what_is_predicted_is_marked_at_every_door(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    describe_by(home, "color")
    with sartor.open(home) as shop:
        shop.index(
            folder_of(tmp_path / "photos", {"IMG_1": RED, "IMG_2": GREEN, "IMG_3": BLUE, "IMG_4": (9, 9, 200)})
        )
        (hit,) = shop.similar(product="IMG_3", where="articleType=Jeans")
        assert (hit.title, hit.title_predicted) == ("Navy blue jeans", True)

    with serving(home) as client:
        (product,) = client.get("/v1/products?where=articleType%3DDresses").json()["products"]
        assert (product["title"], product["title_predicted"], product["attributes"]) == ("Green dress", True, {})
        assert product["predicted"]["articleType"]["value"] == "Dresses"
        assert client.get("/v1/products/IMG_2").json()["predicted"] == product["predicted"]
        assert client.get("/v1/catalog").json()["predicted"] == ["articleType", "color", "usage"]
        hits = client.get("/v1/products/IMG_3/similar?where=articleType%3DJeans").json()["hits"]
        assert [(each["title"], each["title_predicted"]) for each in hits] == [("Navy blue jeans", True)]
        home_page = client.get("/", headers={"Accept": "text/html"}).text
        assert "Navy blue jeans" in home_page
        assert "Seen in the photo" in home_page
        assert "As seen in the photos" in home_page
        assert "seen in the photo" in client.get("/product/IMG_2", headers={"Accept": "text/html"}).text

    for options in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", ["sartor", "--home", str(home), "similar", "IMG_3", "-k", "1", *options])
        with pytest.raises(SystemExit):
            main()
        said = capsys.readouterr().out
        assert ("(predicted)" if not options else '"title_predicted": true') in said

    backend = WorkspaceBackend(Settings(home=home))
    assert _label(backend.product("IMG_2")) == "Green dress (predicted) · IMG_2"
    assert {facet.value for facet in backend.overview().facets["articleType"]} == {"Shirts", "Dresses", "Jeans"}
    backend.close()


def test_weights_that_are_not_given_are_the_defaults() -> None:
    assert feature_weights() == feature_weights({}) == DEFAULT_FEATURE_WEIGHTS == SearchOptions(model="m").dials
    assert feature_weights({"style": 0.5}).color == DEFAULT_FEATURE_WEIGHTS.color
    assert feature_weights({"style": 0.5}, has_color=True) == feature_weights(
        {"style": 0.5, "color": 1.0, "category": 0.4}
    )
    with pytest.raises(BadDial, match="there is no colour"):
        feature_weights({"colour": 1.0})


def test_a_photo_of_200_megapixels_is_taken_at_every_door(home: Path, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "photos", {"red": RED, "blue": BLUE})
    stream = io.BytesIO()
    Image.new("RGB", (16_320, 12_240), RED).save(stream, "JPEG", quality=60)
    large = stream.getvalue()
    (folder / "large.jpg").write_bytes(large)
    with sartor.open(home) as shop:
        assert shop.index(folder).rejected == ()
        assert shop.similar(large, k=1)[0].product_id in {"red", "large"}
    with serving(home) as client:
        files = [("photo", ("large.jpg", large, "image/jpeg"))]
        assert client.post("/v1/similar", files=files).status_code == 200
        assert client.put("/v1/products/new", files=files, data={"product": "{}"}).status_code == 201
        there = client.post("/search", files=files, follow_redirects=False).headers["location"]
        assert client.get(there, headers={"Accept": "text/html"}).status_code == 200
    backend = WorkspaceBackend(Settings(home=home))
    try:
        weights = feature_weights(None)
        assert backend.similar([large], None, SearchOptions(model="color", k=1, dials=weights)).hits
    finally:
        backend.close()
