"""Models beside an open shop: listed, chosen, run, added, exported from Keras, and trained.

None of this needs the workspace's lock, so a model can be added while a service answers.
"""

from __future__ import annotations

import logging
import shutil
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sartor.choices import Precision, RuntimeChoice
from sartor.encoders import registry
from sartor.encoders.add import as_one_file, make_card
from sartor.encoders.allocator import openvino_aborts_with
from sartor.encoders.card import CARD_FILE, MODEL_FILE, TEXT_RECORD_FILE, ModelCard, TextRecord
from sartor.encoders.detector import DETECTOR_FILE, Detector, DetectorCard, classes_of, make_detector_card
from sartor.encoders.encoder import BatchingEncoder, Encoder
from sartor.encoders.huggingface import followed, network_file, processor_file
from sartor.encoders.networks import network
from sartor.encoders.onnx_file import header_of
from sartor.encoders.registry import DEFAULT_MODEL, ModelRegistry, sha256_of
from sartor.encoders.text.tower import TextTower
from sartor.encoders.text.words import SYNONYMS_FILE, Vocabulary
from sartor.errors import (
    AllocatorInTheWay,
    MissingExtra,
    ModelDamaged,
    ModelExists,
    ModelNotChosen,
    NoModel,
    UnusableModel,
    require_extra,
)
from sartor.recommend.outfit.rules import slot_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sartor.choices import Pooling
    from sartor.config import Settings
    from sartor.encoders.add import ModelSpec
    from sartor.encoders.base import Runtime, Signature
    from sartor.training.loop import TrainingProgress
    from sartor.training.recipe import TrainingOptions
    from sartor.training.train import Trained

logger = logging.getLogger(__name__)

MODELS = "models"  # folder of a workspace
WORDS = (
    "words"  # folder of a workspace: its synonyms, and a folder for each model that has a text tower of its own
)
_PROCESSOR = ("auto", "cpu")
_KNOWN_IR, _KNOWN_OPSET = 13, 26  # to ONNX Runtime 1.31
_OPENVINO_DEVICES = ("auto", "cpu", "gpu", "npu")


def open_models(settings: Settings) -> ModelRegistry:
    """The models of a workspace, and those that come with Sartor."""
    return ModelRegistry(settings.home / MODELS, bundled=registry.DIRECTORY)


def choose_model(settings: Settings, models: ModelRegistry, *, default: str | None = None) -> ModelCard:
    """The model that the settings name, else the workspace's default, else the only one added, else the bundled.

    Raises:
        NoModel: There is none.
        ModelNotFound: The model that was asked for is missing.
        ModelNotChosen: Several were added, and nothing says which.
    """
    named = settings.model or default
    if named is not None:
        return models.card(named)
    cards = models.cards()
    added = [card for card in cards if not models.is_bundled(card.id)]
    if len(added) > 1:
        raise ModelNotChosen(known=[card.id for card in cards])
    candidates = added or [card for card in cards if card.id == DEFAULT_MODEL]
    if not candidates:
        raise NoModel(settings.home)
    return candidates[0]


def open_encoder(
    settings: Settings, models: ModelRegistry, card: ModelCard, *, many_callers: bool = False
) -> Encoder:
    """An encoder that loads its network when the first photo comes.

    Args:
        settings: Which runtime and device.
        models: Where the network is.
        card: Its card.
        many_callers: Whether several threads ask at once: their photos are then embedded together.

    Raises, when it loads:
        ModelDamaged: The network is not the one that the card describes.
        DeviceUnavailable: The device cannot be used.
        MissingExtra: The runtime is not installed.
    """

    def load() -> Runtime:
        runtime = load_runtime(settings, models.file(card), card)
        logger.info("model loaded: model=%s runtime=%s", card.id, runtime.description)
        return runtime

    return BatchingEncoder(card, load) if many_callers else Encoder(card, load)


def load_runtime(settings: Settings, file: Path, card: ModelCard) -> Runtime:
    """Load a network into the runtime that the settings, the device and the installed packages call for."""
    device = "cpu" if settings.device == "auto" else settings.device
    if _runtime_for(settings, file) is RuntimeChoice.OPENVINO:
        from sartor.encoders.openvino import OpenVinoRuntime

        return OpenVinoRuntime(file, card, device=device, precision=settings.precision, threads=settings.threads)
    from sartor.encoders.onnxruntime import OnnxRuntime

    return OnnxRuntime(file, card, device=device, precision=settings.precision, threads=settings.threads)


def require_runtime(settings: Settings) -> None:
    """Refuse at the start of a service what its first photo would be refused for.

    Raises:
        AllocatorInTheWay: OpenVINO would end the process.
        MissingExtra: The runtime is not installed.
    """
    _runtime_of(settings)


def add_model(settings: Settings, source: Path, spec: ModelSpec) -> ModelCard:
    """Add an ONNX network to the models of a workspace, after running it once.

    Args:
        settings: The workspace, and the runtime.
        source: The file, or a folder of Hugging Face Optimum.
        spec: What is said of it. Without a scaling, the ``preprocessor_config.json`` beside the network says how
            photos are prepared.

    Raises:
        UnusableModel: It does not embed photos as the specification says.
        MissingExtra: Its weights are in further files, and the package that brings them together is not installed.
        ModelExists: Another model has its id.
        ModelBundled: A model that comes with Sartor has it.
    """
    file = network_file(source)
    if not file.is_file():
        raise UnusableModel(file, reason="there is no such file")
    if spec.scaling is None and (processor := processor_file(file)) is not None:
        spec = followed(spec, processor)
    models = open_models(settings)
    with models.staging() as directory:
        whole = as_one_file(file, directory)
        card = make_card(
            whole,
            spec,
            signature=_signature(settings, whole),
            load=lambda network, draft: load_runtime(settings, network, draft),
        )
        models.add(whole, card)
        _warn_of_version(settings, whole)
    return card


def add_detector(settings: Settings, source: Path, spec: ModelSpec, *, classes: Sequence[str]) -> DetectorCard:
    """Add a detector of garments to a workspace, after running it once; a workspace has one.

    Args:
        settings: The workspace, and the runtime.
        source: The ONNX file, or a folder of Hugging Face Optimum.
        spec: What is said of it.
        classes: Names of its classes; empty takes those that it comes with.

    Raises:
        UnusableModel: It is no detector that Sartor reads, finds no garments, or there is another one.
        ModelExists: A model has its id.
    """
    file = network_file(source)
    if not file.is_file():
        raise UnusableModel(file, reason="there is no such file")
    models = open_models(settings)
    with models.staging() as directory:
        whole = as_one_file(file, directory)
        card = make_detector_card(
            whole,
            spec,
            classes=classes or classes_of(file),
            signature=_signature(settings, whole),
            load=lambda network, draft: load_runtime(settings, network, draft),
        )
        if not any(slot_of(name) for name in card.classes):
            reason = f"none of its classes is a garment: {', '.join(card.classes[:8])}"
            raise UnusableModel(file, reason=reason)
        if (other := find_detector(models)) is not None and other[1] != card:
            reason = (
                f"there is the detector {other[1].network.id!r} already; to replace it, delete {other[0]} first"
            )
            raise UnusableModel(file, reason=reason)
        _warn_of_version(settings, whole)
        target = models.directory / spec.id
        if other is None:
            if target.exists():
                raise ModelExists(spec.id)
            draft = directory / "detector"
            draft.mkdir()
            shutil.copyfile(whole, draft / MODEL_FILE)
            card.write(draft / DETECTOR_FILE)
            draft.rename(target)
    return card


def find_detector(models: ModelRegistry) -> tuple[Path, DetectorCard] | None:
    """The detector of a workspace, and its folder; None without one."""
    for file in sorted(models.directory.glob(f"[!.]*/{DETECTOR_FILE}")):
        return file.parent, DetectorCard.read(file)
    return None


def open_detector(settings: Settings, models: ModelRegistry) -> Detector | None:
    """The detector of a workspace, whose network is loaded when the first photo comes; None without one.

    Raises:
        ModelDamaged: Its network is not the one that its card describes.
    """
    found = find_detector(models)
    if found is None:
        return None
    folder, card = found
    file = folder / MODEL_FILE
    if (actual := sha256_of(file)) != card.network.sha256:
        raise ModelDamaged(file, expected=card.network.sha256, actual=actual)
    return Detector(card, lambda: load_runtime(settings, file, card.network))


def read_vocabulary(home: Path) -> Vocabulary:
    """What words mean in a workspace: as everywhere, and by its own synonyms.

    Raises:
        UnusableSynonyms: Its file of synonyms is no such table.
    """
    own = home / WORDS / SYNONYMS_FILE
    return Vocabulary.read(*((own,) if own.exists() else ()))


def open_text_tower(home: Path, models: ModelRegistry, card: ModelCard) -> TextTower | None:
    """The text tower of a model, the workspace's own if one was trained there; None without any.

    Raises:
        UnusableModel: Its file is not the one that was trained, or it learned from another network.
        UnusableSynonyms: The workspace's file of synonyms is no such table.
    """
    own = home / WORDS / card.id
    if (own / TEXT_RECORD_FILE).is_file():
        return TextTower.read(own, TextRecord.read(own / TEXT_RECORD_FILE), card, read_vocabulary(home))
    folder = models.folders().get(card.id)
    if folder is None or card.text is None:
        return None
    return TextTower.read(folder, card.text, card, read_vocabulary(home))


def export_model(
    settings: Settings, name: str, *, pooling: Pooling | None, weights: Path | None, model_id: str | None
) -> ModelCard:
    """Export an ImageNet network of Keras and add it to the models of a workspace, after comparing it with Keras.

    Args:
        settings: The workspace, and the runtime that it is compared with.
        name: Name of the network.
        pooling: How its last feature map is pooled; by default as the weights file says, else the average.
        weights: A Keras weights file, also of a fine-tuned model with the network in it; else the official ones.
        model_id: Id of the model; else the network's name.

    Raises:
        MissingExtra: Keras or TensorFlow is not installed.
        ModelNotFound: There is no network of this name.
        WeightsUnavailable: The official weights cannot be fetched.
        UnusableModel: The weights file does not fit the network, or the export does not compute the same.
        ModelExists: Another model has its id.
    """
    chosen = network(name)
    require_extra("keras", "keras", "tensorflow", "tf2onnx")
    from sartor.encoders.keras.export import export

    exact = settings.model_copy(update={"precision": Precision.F32})
    models = open_models(settings)
    with models.staging() as directory:
        card = export(
            chosen,
            directory=directory,
            pooling=pooling,
            weights=weights,
            model_id=model_id,
            runtime=lambda file, draft: load_runtime(exact, file, draft),
        )
        models.add(directory / MODEL_FILE, card)
    return card


def add_trained(settings: Settings, directory: Path) -> ModelCard:
    """Add what ``sartor train`` wrote to the models of a workspace.

    Raises:
        UnusableModel: The directory holds no trained model.
        ModelDamaged: Its network is not the one that its card describes.
        ModelExists: Another model has its id.
        ModelBundled: A model that comes with Sartor has it.
    """
    card = ModelCard.read(directory / CARD_FILE)
    file = directory / MODEL_FILE
    actual = sha256_of(file)
    if actual != card.sha256:
        raise ModelDamaged(file, expected=card.sha256, actual=actual)
    open_models(settings).add(file, card)
    return card


def train_model(
    settings: Settings,
    options: TrainingOptions,
    *,
    on_photos: Callable[[int], None],
    on_progress: Callable[[TrainingProgress], None],
) -> Trained:
    """Train an encoder on sources.

    Raises:
        MissingExtra: A package of the training is not installed.
        ModelNotFound: There is no base of this name.
        SourceError: A source cannot be read.
        TrainingError: There is nothing to learn, or the output cannot be used.
        UnusableModel: Weights do not fit.
        WeightsUnavailable: The official weights cannot be fetched.
    """
    require_extra("train", "keras", "tensorflow", "tf2onnx", "matplotlib", "sklearn")
    from sartor.training.start import find_start
    from sartor.training.train import Job, train

    start = find_start(options.recipe.base, weights=options.weights, folders=open_models(settings).folders())
    job = Job(
        sources=options.sources,
        output=options.output,
        recipe=options.recipe,
        start=start,
        resume=options.resume,
    )
    return train(job, on_photos=on_photos, on_progress=on_progress)


def _signature(settings: Settings, file: Path) -> Signature:
    if _runtime_for(settings, file) is RuntimeChoice.OPENVINO:
        from sartor.encoders import openvino as openvino_runtime

        return openvino_runtime.signature(file)
    from sartor.encoders import onnxruntime as onnx_runtime

    return onnx_runtime.signature(file)


def _runtime_for(settings: Settings, file: Path) -> RuntimeChoice:
    """The runtime for a network: OpenVINO only if it computes what the network says."""
    choice = _runtime_of(settings)
    if choice is not RuntimeChoice.OPENVINO or not (ignored := header_of(file).ignored):
        return choice
    asked = ", ".join(ignored)
    is_installed = find_spec(RuntimeChoice.ONNXRUNTIME.value) is not None
    if settings.runtime is not RuntimeChoice.AUTO or settings.device not in _PROCESSOR or not is_installed:
        remedy = (
            "set SARTOR_RUNTIME=onnxruntime on a processor"
            if is_installed
            else ("install ONNX Runtime, which does not: pip install 'sartor[onnxruntime]'")
        )
        reason = f"it resizes with {asked}, which OpenVINO ignores, so its embeddings would be others; {remedy}"
        raise UnusableModel(file, reason=f"{reason}, or export it without resizing inside")
    logger.warning("ONNX Runtime instead of OpenVINO, which ignores %s in %s", asked, file.name)
    return RuntimeChoice.ONNXRUNTIME


def _warn_of_version(settings: Settings, file: Path) -> None:
    """Say at once what else would fail on the day that the network goes to a GPU that OpenVINO does not drive."""
    if _runtime_for(settings, file) is not RuntimeChoice.OPENVINO:
        return
    header = header_of(file)
    if find_spec(RuntimeChoice.ONNXRUNTIME.value) is None:
        is_too_new = header.ir_version > _KNOWN_IR or header.opset > _KNOWN_OPSET
    else:
        from sartor.encoders import onnxruntime as onnx_runtime

        is_too_new = not onnx_runtime.reads(file)
    if is_too_new:
        logger.warning(
            "OpenVINO runs %s, but ONNX Runtime%s does not read it (IR %d, opset %d), so it cannot run "
            "on CUDA, CoreML or DirectML; export it with opset %d and IR %d at most, or convert it with "
            "onnx.version_converter",
            file.name,
            "" if find_spec(RuntimeChoice.ONNXRUNTIME.value) is None else " as installed",
            header.ir_version,
            header.opset,
            _KNOWN_OPSET,
            _KNOWN_IR,
        )


def _runtime_of(settings: Settings) -> RuntimeChoice:
    choice = settings.runtime
    if choice is RuntimeChoice.AUTO:
        fits = settings.device in _OPENVINO_DEVICES and find_spec("openvino") is not None
        choice = RuntimeChoice.OPENVINO if fits else RuntimeChoice.ONNXRUNTIME
    if find_spec(choice.value) is None:
        raise MissingExtra(choice.value, extra="onnxruntime")
    if choice is RuntimeChoice.OPENVINO and (allocator := openvino_aborts_with()) is not None:
        is_replaceable = settings.device in _PROCESSOR and find_spec(RuntimeChoice.ONNXRUNTIME.value) is not None
        if settings.runtime is not RuntimeChoice.AUTO or not is_replaceable:
            raise AllocatorInTheWay(allocator)
        logger.warning(
            "ONNX Runtime instead of OpenVINO, which aborts with %s; unset LD_PRELOAD to change it", allocator
        )
        return RuntimeChoice.ONNXRUNTIME
    return choice
