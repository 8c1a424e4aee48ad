"""The models of a workspace: a folder for each, with its network and its card; and those that come with Sartor."""

from __future__ import annotations

import hashlib
import shutil
from abc import ABC, abstractmethod
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from sartor.choices import Layout, Scaling
from sartor.encoders.card import CARD_FILE, MODEL_FILE, WEIGHTS_FILE, ModelCard, PixelScaling
from sartor.encoders.encoder import Encoder
from sartor.errors import ModelBundled, ModelDamaged, ModelExists, ModelNotFound, NoNetwork

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from sartor.encoders.base import Pixels
    from sartor.types import Matrix

DIRECTORY = Path(__file__).resolve().parents[1] / "bundled"  # {id}/model.onnx and {id}/card.json
DEFAULT_MODEL = "sartor-v1"  # of a workspace that has neither a default nor a model of its own

COLOR_HISTOGRAM, RANDOM = "color-histogram", "random"
BASELINES = (COLOR_HISTOGRAM, RANDOM)
_BINS = 8  # of each channel
_SIDE_PX = 64
_RANDOM_DIMENSION = 64


class ModelRegistry:
    """Adds, lists and finds models below a directory: ``{id}/model.onnx`` and ``{id}/card.json``.

    Bundled models lie just so below another directory, which is only ever read. Where a workspace has a model
    of the same id, from before it was bundled, the workspace's own counts.
    """

    def __init__(self, directory: Path, *, bundled: Path | None = None) -> None:
        self._directory = directory
        self._bundled = bundled

    def cards(self) -> tuple[ModelCard, ...]:
        """Cards of all models, sorted by id.

        Raises:
            UnusableModel: A card cannot be read.
        """
        return tuple(ModelCard.read(folder / CARD_FILE) for _, folder in sorted(self._folders().items()))

    def is_bundled(self, model_id: str) -> bool:
        """Whether a model comes with Sartor, rather than from the workspace."""
        folder = self._folders().get(model_id)
        return folder is not None and folder.parent != self._directory

    def card(self, model_id: str) -> ModelCard:
        """The card of one model.

        Raises:
            ModelNotFound: There is none with this id.
            UnusableModel: Its card cannot be read.
        """
        known = [card.id for card in self.cards()]
        if model_id not in known:
            raise ModelNotFound(model_id, known=known)
        return ModelCard.read(self._folders()[model_id] / CARD_FILE)

    def file(self, card: ModelCard) -> Path:
        """The network of a card, checked against the card's SHA-256.

        Raises:
            ModelDamaged: The file is not the one that the card describes.
            NoNetwork: The card is of imported vectors.
        """
        if not card.network:
            raise NoNetwork(card.id)
        file = self._folders().get(card.id, self._directory / card.id) / MODEL_FILE
        actual = sha256_of(file)
        if actual != card.sha256:
            raise ModelDamaged(file, expected=card.sha256, actual=actual)
        return file

    def folders(self) -> dict[str, Path]:
        """Where each model lies, by its id."""
        return self._folders()

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A directory to put a network in before it is added; gone afterwards, also after an error."""
        self._directory.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._directory, prefix=".staging-") as directory:
            yield Path(directory)

    def add(self, network: Path | None, card: ModelCard) -> None:
        """Take a network and its card in; adding the same model again changes nothing.

        Args:
            network: The ONNX file; it is copied, and so are the weights of a trained model beside it. None for a
                card of imported vectors.
            card: Its card, with the SHA-256 of the file.

        Raises:
            ModelExists: Another model has this id.
            ModelBundled: A model that comes with Sartor has it.
        """
        if self.is_bundled(card.id):
            raise ModelBundled(card.id)
        target = self._directory / card.id
        if target.exists():
            if ModelCard.read(target / CARD_FILE) != card:
                raise ModelExists(card.id)
            return
        with self.staging() as staging:
            if network is not None:
                shutil.copyfile(network, staging / MODEL_FILE)
                if (weights := network.with_name(WEIGHTS_FILE)).is_file() and card.training is not None:
                    shutil.copyfile(weights, staging / WEIGHTS_FILE)
            card.write(staging / CARD_FILE)
            staging.rename(target)
            staging.mkdir()  # TemporaryDirectory expects to remove it

    def _folders(self) -> dict[str, Path]:
        """Where each model lies, by its id."""
        folders: dict[str, Path] = {}
        for directory in (self._bundled, self._directory):
            if directory is not None:
                files = directory.glob(f"*/{CARD_FILE}")
                folders |= {file.parent.name: file.parent for file in files}
        return {name: folder for name, folder in folders.items() if not name.startswith(".")}


def sha256_of(file: Path) -> str:
    """Hex digest of a file's bytes; of nothing when the file is missing."""
    if not file.is_file():
        return hashlib.sha256().hexdigest()
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def baseline(name: str) -> Encoder:
    """One of ``BASELINES`` as an encoder.

    Raises:
        KeyError: There is none of this name.
    """
    runtime, dimension = {
        COLOR_HISTOGRAM: (_ColorHistogram(), _BINS**3),
        RANDOM: (_Chance(), _RANDOM_DIMENSION),
    }[name]
    return Encoder(_card(name, dimension), lambda: runtime)


class _Baseline(ABC):
    """A runtime without a network."""

    description = "NumPy"
    streams = 1
    batch_size = 64

    def infer(self, pixels: Pixels) -> Matrix:
        """``(n, h, w, 3)`` to ``(n, d)``."""
        return np.stack([self._vector(each) for each in pixels])

    def infer_outputs(self, pixels: Pixels, names: Sequence[str]) -> dict[str, npt.NDArray[np.float32]]:
        return dict.fromkeys(names, self.infer(pixels))

    @abstractmethod
    def _vector(self, pixels: Pixels) -> npt.NDArray[np.float32]: ...


class _ColorHistogram(_Baseline):
    """How many pixels have each of 512 colors; square roots, so that the cosine is the overlap of two photos.

    Source: M. Swain and D. Ballard, "Color indexing" (1991); A. Bhattacharyya (1943) for the roots.
    """

    def _vector(self, pixels: Pixels) -> npt.NDArray[np.float32]:
        red, green, blue = (pixels.reshape(-1, 3) // (256 // _BINS)).astype(np.int64).T
        counts = np.bincount((red * _BINS + green) * _BINS + blue, minlength=_BINS**3)
        return np.sqrt(counts).astype(np.float32)


class _Chance(_Baseline):
    """A direction drawn at random, the same one for the same pixels."""

    def _vector(self, pixels: Pixels) -> npt.NDArray[np.float32]:
        seed = int.from_bytes(hashlib.blake2b(pixels.tobytes(), digest_size=8).digest(), "big")
        return np.random.default_rng(seed).normal(size=_RANDOM_DIMENSION).astype(np.float32)


def _card(name: str, dimension: int) -> ModelCard:
    return ModelCard(
        id=name,
        sha256="0" * 64,  # there is no file
        size_px=(_SIDE_PX, _SIDE_PX),
        layout=Layout.NHWC,
        scaling=PixelScaling.named(Scaling.RAW),
        output="vector",
        dimension=dimension,
        origin="computed by Sartor, nothing is learned",
    )
