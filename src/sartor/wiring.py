"""The one place that chooses back ends: which store, index, runtime and model a workspace stands on."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sartor.encoders.add import adopt, as_one_file
from sartor.encoders.card import CARD_FILE, MODEL_FILE, ModelCard, Precision, RuntimeChoice
from sartor.encoders.encoder import BatchingEncoder, Encoder
from sartor.encoders.heads import Heads, Regions
from sartor.encoders.huggingface import followed, network_file, processor_file
from sartor.encoders.keras.networks import network
from sartor.encoders.registry import DEFAULT_MODEL, DIRECTORY, ModelRegistry, sha256_of
from sartor.errors import MissingExtra, ModelDamaged, ModelNotChosen, NoModel, UnusableModel
from sartor.imaging import UrlPolicy
from sartor.ingest.maintenance import back_up
from sartor.media.folder import MediaStore
from sartor.shop import Shop
from sartor.shop.backends import Backends
from sartor.store.sqlite.catalog import SqliteStore
from sartor.store.sqlite.database import WorkspaceLock
from sartor.store.sqlite.events import EventStore

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.config import Settings
    from sartor.encoders.add import ModelSpec
    from sartor.encoders.base import Runtime, Signature
    from sartor.encoders.card import Pooling
    from sartor.index.edge import EdgeIndex
    from sartor.ingest.maintenance import Backup
    from sartor.recommend.features import FeatureBuilder
    from sartor.training.train import Trained, TrainingOptions, Watch

logger = logging.getLogger(__name__)

_STORE, _EVENTS = "catalog.sqlite3", "events.sqlite3"
_MEDIA, _MODELS = "media", "models"
_FOLDERS = (_MEDIA, _MODELS, "sources")  # of files; what else a workspace has can be made again from it
_OPENVINO_DEVICES = ("auto", "cpu", "gpu", "npu")


def open_shop(settings: Settings, *, many_callers: bool = False) -> Shop:
    """Open a workspace on the embedded back ends; an empty one is made when there is none.

    Args:
        settings: How.
        many_callers: Whether several threads will ask at once: their photos are embedded together then.

    Raises:
        WorkspaceError: Another process holds it, or it cannot be used.
    """
    home = settings.home
    models = open_models(settings)
    lock = WorkspaceLock(home)
    try:
        return Shop(
            Backends(
                home=home,
                lock=lock,
                store=SqliteStore(home / _STORE),
                media=MediaStore(home / _MEDIA),
                urls=UrlPolicy(enabled=settings.allow_urls),
                models=models,
                choose_model=lambda default: choose_model(settings, models, default=default),
                open_encoder=lambda card: open_encoder(settings, models, card, many_callers=many_callers),
                open_index=lambda card, compose: open_index(settings, card, compose),
                open_events=lambda: EventStore(home / _EVENTS),
                has_events=(home / _EVENTS).exists,
                heads=lambda card: Heads.read(models.folders().get(card.id), card),
                regions=lambda card: Regions.read(models.folders().get(card.id), card),
            )
        )
    except BaseException:
        lock.release()
        raise


def require_extra(extra: str, *packages: str) -> None:
    """Check that the packages of an extra are installed.

    Raises:
        MissingExtra: One is not.
    """
    for package in packages:
        if find_spec(package) is None:
            raise MissingExtra(package, extra=extra)


def open_models(settings: Settings) -> ModelRegistry:
    """The models of a workspace, and those that come with Sartor; needs no lock."""
    return ModelRegistry(settings.home / _MODELS, bundled=DIRECTORY)


def choose_model(settings: Settings, models: ModelRegistry, *, default: str | None = None) -> ModelCard:
    """The model that the settings name, else the workspace's default, else the only one added, else the bundled.

    Raises:
        NoModel: There is none.
        ModelNotFound: The one that was asked for is not there.
        ModelNotChosen: Several were added, and nothing says which.
    """
    wanted = settings.model or default
    if wanted is not None:
        return models.card(wanted)
    cards = models.cards()
    added = [card for card in cards if not models.is_bundled(card.id)]
    if len(added) > 1:
        raise ModelNotChosen(known=[card.id for card in cards])
    candidates = added or [card for card in cards if card.id == DEFAULT_MODEL]
    if not candidates:
        raise NoModel(settings.home)
    return candidates[0]


def open_store(settings: Settings) -> SqliteStore:
    """The catalog store alone, beside a process that holds the workspace; for what SQLite itself keeps apart."""
    settings.home.mkdir(parents=True, exist_ok=True)
    return SqliteStore(settings.home / _STORE)


def back_up_workspace(settings: Settings, directory: Path) -> Backup:
    """Copy a workspace to a directory that can be used in its place; another process may hold it, and write to it.

    The index is not copied: it is made again from what is, when the copy is opened.

    Raises:
        BackupFailed: There is no workspace, something is in the way, or a file cannot be copied.
    """
    return back_up(settings.home, directory, stores=(_STORE, _EVENTS), folders=_FOLDERS)


def open_encoder(
    settings: Settings, models: ModelRegistry, card: ModelCard, *, many_callers: bool = False
) -> Encoder:
    """An encoder that loads its model when the first photo comes.

    Raises, when it does:
        ModelDamaged: The model's file is not the one that the card describes.
        DeviceUnavailable: The device cannot be used.
        MissingExtra: The runtime is not installed.
    """

    def load() -> Runtime:
        runtime = load_runtime(settings, models.file(card), card)
        logger.info("model loaded: model=%s runtime=%s", card.id, runtime.description)
        return runtime

    return BatchingEncoder(card, load) if many_callers else Encoder(card, load)


def open_index(settings: Settings, card: ModelCard, compose: FeatureBuilder) -> EdgeIndex:
    """The index of what a model's embeddings are composed to."""
    from sartor.index.edge import EdgeIndex

    dimension = compose.dimension(card.dimension)
    return EdgeIndex(
        settings.home / "index" / card.id, model=card.sha256, dimension=dimension, metric=settings.metric
    )


def load_runtime(settings: Settings, file: Path, card: ModelCard) -> Runtime:
    """Load a network into the runtime that the settings, the device and what is installed call for."""
    if _choose_runtime(settings) is RuntimeChoice.OPENVINO:
        from sartor.encoders.openvino import OpenVinoRuntime

        return OpenVinoRuntime(file, card, device=_device(settings), precision=settings.precision)
    from sartor.encoders.onnxruntime import OnnxRuntime

    return OnnxRuntime(file, card, device=_device(settings), precision=settings.precision)


def add_model(settings: Settings, source: Path, adoption: ModelSpec) -> ModelCard:
    """Add an ONNX network to the models of a workspace, after running it once.

    Args:
        settings: Where, and with which runtime.
        source: The file, or a folder of Hugging Face Optimum.
        adoption: What is said of it. Without a scaling, the ``preprocessor_config.json`` beside the network says
            how photos are prepared.

    Raises:
        UnusableModel: It does not embed photos as it was said to.
        MissingExtra: Its weights lie in further files, and the package that brings them together is not installed.
        ModelExists: Another model has its id.
        ModelBundled: A model that comes with Sartor has it.
    """
    file = network_file(source)
    if not file.is_file():
        raise UnusableModel(file, reason="there is no such file")
    if adoption.scaling is None and (processor := processor_file(file)) is not None:
        adoption = followed(adoption, processor)
    models = open_models(settings)
    with models.staging() as directory:
        whole = as_one_file(file, directory)
        card = adopt(
            whole,
            adoption,
            signature=_signature(settings, whole),
            load=lambda network, draft: load_runtime(settings, network, draft),
        )
        models.add(whole, card)
    return card


def export_model(
    settings: Settings, name: str, *, pooling: Pooling | None, weights: Path | None, model_id: str | None
) -> ModelCard:
    """Export an ImageNet network of Keras and add it to the models of a workspace, after comparing it with Keras.

    Args:
        settings: Where, and with which runtime it is compared.
        name: Name of the network.
        pooling: How its last feature map is pooled; without it as the weights file tells, else the average.
        weights: A Keras weights file, also of a fine-tuned model with the network in it; else the official ones.
        model_id: Id that the model shall have; else the network's name.

    Raises:
        MissingExtra: Keras or TensorFlow is not installed.
        ModelNotFound: There is no network of this name.
        WeightsUnavailable: The official weights cannot be fetched.
        UnusableModel: The weights file does not fit the network, or what was exported does not compute the same.
        ModelExists: Another model has its id.
    """
    wanted = network(name)
    require_extra("keras", "keras", "tensorflow", "tf2onnx")
    from sartor.encoders.keras.export import export

    exact = settings.model_copy(update={"precision": Precision.F32})
    models = open_models(settings)
    with models.staging() as directory:
        card = export(
            wanted,
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


def train_model(settings: Settings, order: TrainingOptions, watch: Watch) -> Trained:
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

    start = find_start(order.recipe.base, weights=order.weights, folders=open_models(settings).folders())
    job = Job(sources=order.sources, output=order.output, recipe=order.recipe, start=start, resume=order.resume)
    return train(job, on_photos=watch.on_photos, on_progress=watch.on_progress)


def _signature(settings: Settings, file: Path) -> Signature:
    if _choose_runtime(settings) is RuntimeChoice.OPENVINO:
        from sartor.encoders import openvino as openvino_runtime

        return openvino_runtime.signature(file)
    from sartor.encoders import onnxruntime as onnx_runtime

    return onnx_runtime.signature(file)


def _choose_runtime(settings: Settings) -> RuntimeChoice:
    choice = settings.runtime
    if choice is RuntimeChoice.AUTO:
        fits = settings.device in _OPENVINO_DEVICES and find_spec("openvino") is not None
        choice = RuntimeChoice.OPENVINO if fits else RuntimeChoice.ONNXRUNTIME
    if find_spec(choice.value) is None:
        raise MissingExtra(choice.value, extra="onnxruntime")
    return choice


def _device(settings: Settings) -> str:
    return "cpu" if settings.device == "auto" else settings.device
