"""Photos are prepared as the network's own image processor does it, and what cannot be followed is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sartor.choices import Layout, Resampling, ResizePolicy, RuntimeChoice
from sartor.config import Settings
from sartor.encoders.add import ModelSpec
from sartor.encoders.encoder import prepare
from sartor.encoders.huggingface import followed, network_file
from sartor.encoders.onnxruntime import scale
from sartor.errors import UnusableModel
from sartor.shop.library import add_model, open_models
from tests.cli.conftest import Sartor, sartor  # noqa: F401 - the fixture
from tests.fakes import COLOR_CARD
from tests.networks import color_network, tower_network

CLIP = {
    "image_processor_type": "CLIPImageProcessor",
    "crop_size": {"height": 224, "width": 224},
    "do_center_crop": True,
    "do_convert_rgb": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "size": {"shortest_edge": 224},
}
OLD_CLIP = {"feature_extractor_type": "CLIPFeatureExtractor", "size": 224, "crop_size": 224, "resample": 3}
VIT = {"image_processor_type": "ViTImageProcessor", "size": {"height": 224, "width": 224}, "resample": 2}
OLD_VIT = {"feature_extractor_type": "ViTFeatureExtractor", "size": 192, "image_mean": 0.5, "image_std": 0.5}
SIGLIP = {"image_processor_type": "SiglipImageProcessor", "size": {"height": 256, "width": 256}, "resample": 3}
DINO = CLIP | {"image_processor_type": "BitImageProcessorFast", "size": {"shortest_edge": 256}}
CONVNEXT = {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 224}, "crop_pct": 0.875}
LARGE_CONVNEXT = CONVNEXT | {"size": {"shortest_edge": 384}}
DEIT = {"image_processor_type": "DeiTImageProcessor", "size": {"height": 256, "width": 256}, "crop_size": 224}
UNSCALED = VIT | {"do_rescale": False, "do_normalize": False}
PLAIN = VIT | {"do_normalize": False, "rescale_factor": 1 / 127.5}
ALL = {
    "clip": CLIP,
    "old clip": OLD_CLIP,
    "vit": VIT,
    "old vit": OLD_VIT,
    "siglip": SIGLIP,
    "dino": DINO,
    "convnext": CONVNEXT,
    "large convnext": LARGE_CONVNEXT,
    "deit": DEIT,
    "unscaled": UNSCALED,
    "plain": PLAIN,
}
HALF = (0.5, 0.5, 0.5)
SIZES = [(640, 480), (333, 517), (224, 224), (100, 90), (1500, 400)]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("config", ALL.values(), ids=list(ALL))
def test_a_photo_becomes_what_the_documented_steps_make_of_it(
    tmp_path: Path, config: dict[str, Any], size: tuple[int, int]
) -> None:
    spec = followed(ModelSpec(id="tower"), written(tmp_path, config))
    card = COLOR_CARD.model_copy(
        update={
            "layout": Layout.NCHW,
            "scaling": spec.scaling,
            "size_px": spec.size_px,
            "resize": spec.resize,
            "resizing": spec.resizing,
        }
    )
    photo = random_photo(size)
    ours = scale(prepare(photo, card)[None], card)[0]
    theirs = documented_steps(photo, config)
    assert ours.shape == theirs.shape
    per_level = 1 / np.array(card.scaling.std, np.float32)[:, None, None]
    assert np.abs((ours - theirs) / per_level).mean() < 0.01  # of 255 levels
    assert np.abs((ours - theirs) / per_level).max() < 1.01  # rounded the other way


def test_the_center_of_a_photo_as_long_as_a_thread_takes_no_memory(tmp_path: Path) -> None:
    spec = followed(ModelSpec(id="tower"), written(tmp_path, CLIP))
    card = COLOR_CARD.model_copy(update={"size_px": spec.size_px, "resizing": spec.resizing})
    assert prepare(Image.new("RGB", (1, 60_000), (9, 8, 7)), card).shape == (224, 224, 3)


def test_a_card_tells_the_steps_in_its_own_words(tmp_path: Path) -> None:
    dino = followed(ModelSpec(id="tower"), written(tmp_path, DINO))
    assert (dino.size_px, dino.resize) == ((224, 224), ResizePolicy.CROP)
    assert dino.resizing.model_dump() == {"to_px": 256, "resampling": Resampling.BICUBIC}
    vit = followed(ModelSpec(id="tower"), written(tmp_path, VIT))
    assert (vit.resize, vit.scaling.mean) == (ResizePolicy.STRETCH, pytest.approx((127.5,) * 3))
    assert followed(ModelSpec(id="tower"), written(tmp_path, {"image_processor": VIT})) == vit


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ([], "cannot be read"),
        ({"size": 224}, "its image processor without a name is not known"),
        (CLIP | {"image_processor_type": "DonutImageProcessor"}, "processor Donut is not known .*CLIP, Bit, ViT"),
        (CLIP | {"size": {"longest_edge": 224}}, "its size longest_edge cannot be followed"),
        (CLIP | {"size": {"shortest_edge": -1}}, "cannot be read .*size"),
        (CLIP | {"do_center_crop": False}, "leaves a photo its shape"),
        (CLIP | {"do_resize": False}, "resizes no photo"),
        (CLIP | {"do_pad": True}, "its step do_pad cannot be followed"),
        (CLIP | {"crop_size": 448}, "cuts out 448x448, more than it resizes a photo to"),
        (CLIP | {"image_std": [0.2, 0.0, 0.2]}, "image_std must not be 0"),
        (CLIP | {"image_mean": [0.2, 0.2]}, "cannot be read"),
        (CLIP | {"resample": 9}, "cannot be read .*resample"),
        (CONVNEXT | {"size": {"height": 2, "width": 2}}, "no shortest_edge"),
    ],
)
def test_what_cannot_be_followed_is_refused_in_one_line(tmp_path: Path, config: Any, reason: str) -> None:
    with pytest.raises(UnusableModel, match=reason) as caught:
        followed(ModelSpec(id="tower"), written(tmp_path, config))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("runtime", [RuntimeChoice.OPENVINO, RuntimeChoice.ONNXRUNTIME], ids=str)
@pytest.mark.parametrize("place", ["model.onnx", "onnx/vision_model.onnx"])
def test_a_folder_of_a_tower_is_added_as_it_is(tmp_path: Path, runtime: RuntimeChoice, place: str) -> None:
    folder = tower(tmp_path / "clip", place, {"last_hidden_state": 3, "pooler_output": 2, "image_embeds": 2})
    chosen = Settings(home=tmp_path / "home", runtime=runtime)
    card = add_model(chosen, folder, ModelSpec(id="clip"))
    assert (card.layout, card.size_px, card.output, card.dimension) == (
        Layout.NCHW,
        (224, 224),
        "image_embeds",
        3,
    )
    assert open_models(chosen).cards() == (card,)
    assert add_model(chosen, folder / place, ModelSpec(id="clip")) == card


@pytest.mark.parametrize(
    ("outputs", "chosen"),
    [
        ({"last_hidden_state": 3, "pooler_output": 2}, "pooler_output"),
        ({"last_hidden_state": 3, "vector": 2}, "vector"),
    ],
)
def test_the_output_of_one_vector_a_photo_is_chosen(tmp_path: Path, outputs: dict[str, int], chosen: str) -> None:
    folder = tower(tmp_path / "tower", "model.onnx", outputs)
    assert add_model(Settings(home=tmp_path / "home"), folder, ModelSpec(id="t")).output == chosen


@pytest.mark.parametrize(
    ("outputs", "inputs", "said", "reason"),
    [
        ({"last_hidden_state": 3}, (), None, "is .*1, 3.*, a vector for each part of a photo, not"),
        ({"last_hidden_state": 3, "pooler_output": 2}, (), "last_hidden_state", "add --output pooler_output"),
        ({"image_embeds": 2}, ("input_ids",), None, "also wants input_ids.*; give the image tower alone"),
    ],
)
def test_what_is_no_image_tower_is_refused(
    tmp_path: Path, outputs: dict[str, int], inputs: tuple[str, ...], said: str | None, reason: str
) -> None:
    folder = tower(tmp_path / "tower", "model.onnx", outputs, inputs=inputs)
    with pytest.raises(UnusableModel, match=reason):
        add_model(Settings(home=tmp_path / "home"), folder, ModelSpec(id="t", output=said))
    assert open_models(Settings(home=tmp_path / "home")).cards() == ()


def test_a_folder_of_several_networks_asks_for_one(tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        color_network(tmp_path / name)
    with pytest.raises(UnusableModel, match=r"give one of its networks: a\.onnx, b\.onnx"):
        network_file(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnusableModel, match=r"neither a card\.json nor an ONNX file"):
        network_file(tmp_path / "empty")


def test_without_a_processor_the_scaling_has_to_be_said(tmp_path: Path) -> None:
    file = tower_network(tmp_path / "model.onnx", outputs={"image_embeds": 2})
    with pytest.raises(UnusableModel, match=r"no preprocessor_config\.json lies beside it; give --scaling"):
        add_model(Settings(home=tmp_path / "home"), file, ModelSpec(id="t"))


def test_the_command_line_takes_a_folder(sartor: Sartor, tmp_path: Path) -> None:  # noqa: F811
    folder = tower(tmp_path / "clip", "model.onnx", {"image_embeds": 2})
    outcome = sartor("models", "add", folder, "--id", "clip")
    assert outcome.out == "added clip: 224x224 photos to 3 numbers\n  output image_embeds; clip\n"
    own = sartor("models", "add", folder, "--id", "own", "--scaling", "unit", "--size", "64", "--json").json()
    assert (own["size_px"], own["resizing"], own["scaling"]["std"]) == ([64, 64], None, [255, 255, 255])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--id", "x", "--size", "64"), "preprocessor_config.json gives size and resizing"),
        ((), "clip needs --id"),
    ],
)
def test_options_that_contradict_are_wrong_usage(
    sartor: Sartor,  # noqa: F811
    tmp_path: Path,
    options: tuple[str, ...],
    message: str,
) -> None:
    folder = tower(tmp_path / "clip", "model.onnx", {"image_embeds": 2})
    outcome = sartor("models", "add", folder, *options)
    assert outcome.code == 2
    assert message in " ".join(outcome.err.replace("│", " ").split())


def tower(folder: Path, place: str, outputs: dict[str, int], *, inputs: tuple[str, ...] = ()) -> Path:
    (folder / place).parent.mkdir(parents=True)
    tower_network(folder / place, outputs=outputs, inputs=inputs)
    written(folder, CLIP)
    return folder


def written(folder: Path, config: Any) -> Path:
    (folder / "preprocessor_config.json").write_text(json.dumps(config))
    return folder / "preprocessor_config.json"


def random_photo(size: tuple[int, int]) -> Image.Image:
    rng = np.random.default_rng(sum(size))
    blocks = Image.fromarray(rng.integers(0, 256, (9, 7, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
    noise = rng.normal(0, 25, (size[1], size[0], 3))
    return Image.fromarray(np.clip(np.asarray(blocks) + noise, 0, 255).astype(np.uint8))


def documented_steps(photo: Image.Image, config: dict[str, Any]) -> np.ndarray:
    """Resize, cut out the center, rescale, normalize, channels first; the whole photo at each step."""
    kind = config.get("image_processor_type", config.get("feature_extractor_type"))
    photo, crop = resized(photo, kind, config)
    top, left = (photo.height - crop[0]) // 2, (photo.width - crop[1]) // 2
    pixels = np.asarray(photo)[top : top + crop[0], left : left + crop[1]].astype(np.float64)
    if config.get("do_rescale", True):
        pixels = pixels * config.get("rescale_factor", 1 / 255)
    if config.get("do_normalize", True):
        is_clip = kind.startswith("CLIP")
        mean = config.get("image_mean", CLIP["image_mean"] if is_clip else HALF)
        std = config.get("image_std", CLIP["image_std"] if is_clip else HALF)
        pixels = (pixels - np.array(mean)) / np.array(std)
    return pixels.transpose(2, 0, 1).astype(np.float32)


def resized(photo: Image.Image, kind: str, config: dict[str, Any]) -> tuple[Image.Image, tuple[int, int]]:
    size, resample = config["size"], config.get("resample", 2 if kind.startswith("ViT") else 3)
    if kind.startswith("ConvNext"):
        edge = size["shortest_edge"]
        if edge >= 384:
            return photo.resize((edge, edge), resample), (edge, edge)
        return to_shorter(photo, int(edge / config["crop_pct"]), resample), (edge, edge)
    if kind.startswith(("CLIP", "Bit")):
        edge = size if isinstance(size, int) else size["shortest_edge"]
        return to_shorter(photo, edge, resample), (224, 224)
    height, width = (size, size) if isinstance(size, int) else (size["height"], size["width"])
    return photo.resize((width, height), resample), (224, 224) if kind.startswith("DeiT") else (height, width)


def to_shorter(photo: Image.Image, edge: int, resample: int) -> Image.Image:
    short, long = sorted(photo.size)
    longer = int(edge * long / short)
    return photo.resize((edge, longer) if photo.width <= photo.height else (longer, edge), resample)
