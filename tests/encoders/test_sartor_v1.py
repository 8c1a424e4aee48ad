"""The model that comes with Sartor, as it lies in the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from PIL import Image, ImageDraw

import sartor
from sartor.choices import Precision
from sartor.encoders.card import CARD_FILE, MODEL_FILE, WEIGHTS_FILE, ModelCard
from sartor.encoders.encoder import Encoder, unit_norm
from sartor.encoders.foreground import Foreground
from sartor.encoders.heads import Regions
from sartor.encoders.onnxruntime import OnnxRuntime
from sartor.encoders.openvino import OpenVinoRuntime
from sartor.encoders.registry import DEFAULT_MODEL, sha256_of
from sartor.evaluation.backgrounds import on_background, wood
from sartor.imaging.color import palette_of
from sartor.imaging.foreground import product_mask
from sartor.recommend.explain import explain
from sartor.recommend.features import color_words
from sartor.training.recipe import Recipe

FOLDER = Path(sartor.__file__).parent / "bundled" / DEFAULT_MODEL  # the fixture of all tests hides it
RECIPE = Path(__file__).parents[2] / "recipes" / "sartor-v1.toml"
RED, BLUE = (200, 30, 40), (30, 50, 200)

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="sartor-v1 is not in this checkout")


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return ModelCard.read(FOLDER / CARD_FILE)


@pytest.fixture(scope="module")
def runtime(card: ModelCard) -> OpenVinoRuntime:
    return OpenVinoRuntime(FOLDER / MODEL_FILE, card)


def shirt(color: tuple[int, int, int], *, shift: int = 0) -> Image.Image:
    """A T-shirt as a child draws it."""
    image = Image.new("RGB", (224, 224), "white")
    outline = [(60, 50), (90, 40), (134, 40), (164, 50), (200, 100), (172, 116), (158, 96), (158, 190)]
    outline += [(66, 190), (66, 96), (52, 116), (24, 100)]
    ImageDraw.Draw(image).polygon([(x + shift, y) for x, y in outline], fill=color)
    return image


def pixels(card: ModelCard, *images: Image.Image) -> np.ndarray:
    return np.stack([np.asarray(image.resize(card.size_px[::-1], Image.Resampling.BILINEAR)) for image in images])


def test_it_is_what_its_card_says_and_small(card: ModelCard) -> None:
    assert card.id == DEFAULT_MODEL
    assert sha256_of(FOLDER / MODEL_FILE) == card.sha256
    assert (FOLDER / MODEL_FILE).stat().st_size <= 10_000_000
    assert (FOLDER / WEIGHTS_FILE).exists()


def test_its_card_tells_its_data_license_recipe_and_figures(card: ModelCard) -> None:
    assert card.license == "Apache-2.0"
    assert card.training is not None
    assert "CC0" in card.training.data
    assert card.training.figures["all at once"].mean > card.training.base_figures["all at once"].mean
    assert Recipe.model_validate(card.training.recipe).labels == Recipe.read(RECIPE).labels


def test_both_runtimes_and_both_precisions_agree(card: ModelCard) -> None:
    photos = pixels(card, shirt(RED), shirt(BLUE))
    expected = unit_norm(OpenVinoRuntime(FOLDER / MODEL_FILE, card, precision=Precision.F32).infer(photos))
    onnx = unit_norm(OnnxRuntime(FOLDER / MODEL_FILE, card).infer(photos))

    np.testing.assert_allclose(onnx, expected, atol=1e-5)
    assert (expected * unit_norm(in_bf16(card, photos))).sum(axis=1).min() > 0.995


def in_bf16(card: ModelCard, photos: np.ndarray) -> np.ndarray:
    """OpenVINO's bf16; where the processor has none, it is emulated."""
    mean, std = np.float32(card.scaling.mean), np.float32(card.scaling.std)
    program = ov.Core().compile_model(FOLDER / MODEL_FILE, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})
    return np.asarray(program({0: (photos.astype(np.float32) - mean) / std})[card.output], np.float32)


def test_a_shirt_is_nearer_to_itself_elsewhere_than_to_one_of_another_color(
    card: ModelCard, runtime: OpenVinoRuntime
) -> None:
    red, moved, blue = unit_norm(runtime.infer(pixels(card, shirt(RED), shirt(RED, shift=14), shirt(BLUE))))

    assert red @ moved > red @ blue + 0.2


def test_its_regions_add_up_to_the_cosine_and_lie_on_the_product(
    card: ModelCard, runtime: OpenVinoRuntime
) -> None:
    regions = Regions.read(FOLDER, card)
    images = shirt(RED), shirt(RED, shift=14)
    with Encoder(card, lambda: runtime) as encoder:
        explained = explain(encoder, regions, images)

    for found in explained.maps:
        assert found.sum() == pytest.approx(explained.cosine, abs=2e-3)
    on_it = np.asarray(images[0].convert("L").resize((16, 16))) < 200
    assert explained.maps[0][on_it].mean() > explained.maps[0][~on_it].mean()
    assert explained.photos[0].size == images[0].size


def test_it_predicts_the_color_and_type_of_a_drawn_shirt(card: ModelCard, runtime: OpenVinoRuntime) -> None:
    heads = {head.name: head for head in card.attributes}
    outputs = runtime.infer_outputs(
        pixels(card, shirt(RED), shirt(BLUE)), [head.output for head in heads.values()]
    )

    colors = [heads["color"].classes[place] for place in outputs[heads["color"].output].argmax(axis=1)]
    kinds = [heads["masterCategory"].classes[place] for place in outputs[heads["masterCategory"].output].argmax(1)]
    assert colors == ["Red", "Blue"]
    assert kinds == ["Apparel", "Apparel"]


def test_its_mask_lies_on_the_product_and_its_palette_is_not_of_the_floor(
    card: ModelCard, runtime: OpenVinoRuntime
) -> None:
    head = Foreground.read(FOLDER, card)
    rng = np.random.default_rng(2)
    on_wood = on_background(shirt(RED), wood, rng)
    with Encoder(card, lambda: runtime) as encoder:
        vectors, maps = encoder.embed_with_maps([encoder.prepare(on_wood)])
        np.testing.assert_allclose(vectors, encoder.embed([on_wood]), atol=1e-6)

    assert head is not None
    mask = product_mask(on_wood, head.of([map_[0] for map_ in maps]))
    on_it = np.asarray(shirt(RED).convert("L").resize(mask.shape)) < 200
    assert ((mask > 0.5) & on_it).sum() / ((mask > 0.5) | on_it).sum() > 0.6
    assert color_words(palette_of(on_wood, mask)) == ("red",)
