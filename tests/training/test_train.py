"""A whole training, from photos that the test draws to files that serve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sartor.choices import Precision
from sartor.encoders.card import ModelCard
from sartor.encoders.encoder import unit_norm
from sartor.encoders.foreground import FINER, Foreground
from sartor.encoders.keras.model import build
from sartor.encoders.networks import network
from sartor.encoders.onnxruntime import OnnxRuntime
from sartor.encoders.openvino import OpenVinoRuntime
from sartor.errors import ModelNotFound, NothingToLearn, OutputTaken, UnusableModel
from sartor.training.dataset import read_dataset, targets_of
from sartor.training.loop import TrainingProgress
from sartor.training.network import EMBEDDING, embed
from sartor.training.recipe import Label, Sampling, Schedule, Upper
from sartor.training.stages import halves_of
from sartor.training.start import find_start, make_networks
from sartor.training.train import Job, Trained, train
from tests.training.conftest import catalog_of
from tests.training.small import CUT, SMALL, eager_steps, small_recipe

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

STEPS = 40


@pytest.fixture(scope="module")
def progress() -> list[TrainingProgress]:
    return []


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return catalog_of(tmp_path_factory.mktemp("source") / "catalog", products=150, broken=2)


@pytest.fixture(scope="module")
def trained(
    source: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory, progress: list[TrainingProgress]
) -> Trained:
    job = Job(
        sources=[source],
        output=tmp_path_factory.mktemp("trained") / "small",
        recipe=small_recipe(steps=STEPS),
        start=find_start(SMALL.name, weights=weights, folders={}),
    )
    return train(job, on_progress=progress.append)


def order(source: Path, weights: Path, output: Path, **changes: object) -> Job:
    recipe = small_recipe(steps=2).changed(**changes)
    return Job(
        sources=[source],
        output=output,
        recipe=recipe,
        start=find_start(SMALL.name, weights=weights, folders={}),
    )


def photos() -> np.ndarray:
    """Two photos as the network takes them, ``(2, 32, 32, 3)``."""
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, (2, 8, 8, 3), np.uint8).repeat(4, axis=1).repeat(4, axis=2)


def test_a_small_catalog_is_learned_to_perfect_retrieval(trained: Trained) -> None:
    record = trained.card.training

    assert record is not None
    assert record.figures["all at once"].mean >= 0.99
    assert record.figures["all at once"].mean > record.base_figures["all at once"].mean + 0.2
    assert trained.test.p_value < 0.05
    assert trained.verdict.startswith("It helped")


def test_progress_tells_loss_figures_and_time_left(trained: Trained, progress: list[TrainingProgress]) -> None:
    assert [each.step for each in progress][-1] == STEPS
    assert progress[0].loss > progress[-1].loss
    assert progress[0].left_s > 0
    assert progress[-1].left_s == 0
    assert 0.9 < progress[-1].figures["retrieval"] <= 1


def test_the_card_tells_how_the_model_was_made(trained: Trained) -> None:
    card = ModelCard.read(trained.directory / "card.json")

    assert card == trained.card
    assert [head.name for head in card.attributes] == ["color", "shape"]
    assert card.attributes[0].classes == ("Blue", "Red") or card.attributes[0].classes == ("Red", "Blue")
    assert all(head.accuracy is not None and head.accuracy > 0.9 for head in card.attributes)
    assert card.calibration is not None
    assert card.calibration.slope > 0
    assert card.training is not None
    assert card.training.recipe["seed"] == 3
    assert card.training.started_from == "keras.applications.SmallMobileNet, ImageNet weights"
    assert {"keras", "tensorflow-cpu", "python"} <= set(card.training.versions)


def test_the_report_shows_whether_a_match_keeps_its_word(trained: Trained) -> None:
    assert "Match on held-out products" in (trained.directory / "report.html").read_text()


def test_broken_photos_are_told_and_do_not_stop_it(trained: Trained) -> None:
    assert len(trained.rejected) == 2


def test_what_it_needed_on_the_way_is_gone(trained: Trained) -> None:
    assert {path.name for path in trained.directory.iterdir()} == {
        "model.onnx", "card.json", "weights.npz", "report.html",
    }  # fmt: skip


def test_a_model_learns_to_tell_products_from_what_is_behind_them(
    source: Path, weights: Path, tmp_path: Path
) -> None:
    card = train(order(source, weights, tmp_path / "small", foreground=True)).card
    head = Foreground.read(tmp_path / "small", card)
    maps = OnnxRuntime(tmp_path / "small" / "model.onnx", card).infer_outputs(photos(), card.feature_maps)

    assert head is not None
    mask = head.of([maps[name][0] for name in card.feature_maps])
    assert mask.shape == tuple(FINER * side for side in maps[card.feature_maps[0]].shape[1:3])
    assert ((mask > 0) & (mask < 1)).all()


def test_the_report_needs_no_other_file(trained: Trained) -> None:
    page = (trained.directory / "report.html").read_text()

    assert trained.verdict.split(":")[0] in page
    assert 'src="http' not in page
    assert page.count("<svg") == 3


def test_both_runtimes_give_the_same_embedding_logits_and_maps(trained: Trained) -> None:
    file, card = trained.directory / "model.onnx", trained.card
    names = (card.output, *card.feature_maps, *(head.output for head in card.attributes))
    openvino = OpenVinoRuntime(file, card, precision=Precision.F32).infer_outputs(photos(), names)
    onnx = OnnxRuntime(file, card).infer_outputs(photos(), names)

    for name in names:
        np.testing.assert_allclose(openvino[name], onnx[name], atol=2e-3)
    assert np.linalg.norm(openvino[card.output], axis=1) == pytest.approx(1, abs=1e-3)
    assert card.feature_maps == ("feature_map_0", "feature_map_1", "feature_map_2")
    sides = [openvino[name].shape[:2] for name in card.feature_maps]
    assert sides[0] > sides[1] > sides[2]
    assert [openvino[head.output].shape for head in card.attributes] == [(2, 2), (2, 2)]


def test_a_trained_model_can_be_gone_on_from(trained: Trained, source: Path, tmp_path: Path) -> None:
    recipe = small_recipe(steps=2, base="small")
    start = find_start("small", weights=None, folders={"small": trained.directory})
    dataset = read_dataset([source], tmp_path / "work", recipe.split, side_px=40)

    networks = make_networks(start, recipe, targets_of(dataset.training, recipe))

    assert start.words == "small"
    served = unit_norm(OpenVinoRuntime(trained.directory / "model.onnx", trained.card).infer(photos()))
    for model in (networks.before, networks.learner):
        found = embed(model, list(photos()), outputs=(EMBEDDING,))[EMBEDDING]
        assert (found * served).sum(axis=1) == pytest.approx(1, abs=2e-3)


def test_mobilenet_learns_its_upper_layers_as_they_are_cut_from_it(source: Path, tmp_path: Path) -> None:
    recipe = small_recipe(steps=0, base="mobilenet_v2")
    recipe = recipe.changed(network=recipe.network.model_copy(update={"freeze_until": "early"}))
    file = tmp_path / "mobilenet.weights.h5"
    build(network("mobilenet_v2"), pooling=None, side_px=32).save_weights(file)
    start = find_start("mobilenet_v2", weights=file, folders={})
    dataset = read_dataset([source], tmp_path, recipe.split, side_px=40)

    networks = make_networks(start, recipe, targets_of(dataset.training, recipe))
    halves = halves_of(networks.encoder, networks.scaled, cut="block_12_add")

    assert start.words == "keras.applications.MobileNetV2, ImageNet weights"
    learning = [layer.name for layer in networks.encoder.layers if layer.trainable and layer.weights]
    assert learning[0] == "block_6_expand"  # right behind the early part
    whole = networks.learner(photos(), training=False)[EMBEDDING].numpy()
    upper = halves.upper(halves.lower(photos(), training=False), training=False)[EMBEDDING].numpy()
    np.testing.assert_allclose(upper, whole, atol=1e-5)


def test_what_was_not_trained_by_sartor_cannot_be_gone_on_from(trained: Trained, tmp_path: Path) -> None:
    trained.card.model_copy(update={"training": None}).write(tmp_path / "card.json")

    with pytest.raises(UnusableModel, match="not trained by Sartor"):
        find_start("other", weights=None, folders={"other": tmp_path})
    with pytest.raises(ModelNotFound):
        find_start("none", weights=None, folders={})


def test_three_products_are_too_few(tmp_path: Path, weights: Path) -> None:
    source = catalog_of(tmp_path / "catalog", products=3)

    with pytest.raises(NothingToLearn, match="3 products"):
        train(order(source, weights, tmp_path / "out"))


def test_a_label_that_nobody_has_is_refused(tmp_path: Path, weights: Path, source: Path) -> None:
    with pytest.raises(NothingToLearn, match="material"):
        train(order(source, weights, tmp_path / "out", labels=(Label(name="material"),)))


def test_an_output_that_holds_a_training_is_not_written_over(
    trained: Trained, source: Path, weights: Path
) -> None:
    with pytest.raises(OutputTaken, match="--resume"):
        train(order(source, weights, trained.directory))


def test_a_second_stage_goes_on_with_the_upper_layers_and_never_ends_worse(
    source: Path, weights: Path, tmp_path: Path
) -> None:
    schedule = Schedule(steps=12, learning_rate=1e-3, validate_every=6, averaging=0.9)
    upper = Upper(after=CUT, views=2, sampling=Sampling(views=32), schedule=schedule)
    job = order(source, weights, tmp_path / "out", upper=upper)
    seen: list[TrainingProgress] = []

    trained = train(job, on_progress=seen.append)

    assert trained.card.training is not None
    assert trained.card.training.steps == 2 + 12
    first, last = seen[1].figures["retrieval"], seen[-1].figures["retrieval"]
    assert trained.card.training.figures["all at once"].mean >= min(first, last) - 0.2
    assert {path.name for path in trained.directory.iterdir()} >= {"model.onnx", "card.json"}


def test_a_trained_model_gains_a_hidden_layer_and_learns_on_with_its_upper_layers_alone(
    trained: Trained, source: Path, tmp_path: Path
) -> None:
    first = small_recipe(steps=0, base="small")
    schedule = Schedule(steps=6, learning_rate=1e-3, validate_every=6, averaging=0.9)
    recipe = first.changed(
        id="grown",
        network=first.network.model_copy(update={"hidden": 24}),
        objective=first.objective.model_copy(update={"agreement_weight": 1.0}),
        upper=Upper(after=CUT, views=2, sampling=Sampling(views=32), schedule=schedule),
    )
    start = find_start("small", weights=None, folders={"small": trained.directory})

    with eager_steps():
        grown = train(Job(sources=[source], output=tmp_path / "grown", recipe=recipe, start=start))

    assert grown.card.training is not None
    assert (grown.card.training.steps, grown.card.training.hidden) == (6, 24)
    assert grown.card.training.base_figures["all at once"].mean >= 0.99
    assert grown.card.training.figures["all at once"].mean >= 0.99
    again = find_start("grown", weights=None, folders={"grown": grown.directory})
    unchanged = make_networks(
        again, recipe, targets_of(read_dataset([source], tmp_path, recipe.split, side_px=40).training, recipe)
    )
    expected = embed(unchanged.before, list(photos()), outputs=(EMBEDDING,))[EMBEDDING]
    found = unit_norm(OpenVinoRuntime(grown.directory / "model.onnx", grown.card).infer(photos()))
    assert (found * expected).sum(axis=1).min() > 0.999
