"""The models of a workspace: a folder for each, with its network and its card."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sartor.encoders.card import CARD_FILE, MODEL_FILE, ModelCard
from sartor.errors import ModelDamaged, ModelExists, ModelNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator


class ModelRegistry:
    """Adds, lists and finds models below one directory: ``{id}/model.onnx`` and ``{id}/card.json``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def cards(self) -> tuple[ModelCard, ...]:
        """Cards of all models, sorted by id.

        Raises:
            UnusableModel: A card cannot be read.
        """
        files = sorted(self._directory.glob(f"*/{CARD_FILE}"))
        return tuple(ModelCard.read(file) for file in files if not file.parent.name.startswith("."))

    def card(self, model_id: str) -> ModelCard:
        """The card of one model.

        Raises:
            ModelNotFound: There is none with this id.
            UnusableModel: Its card cannot be read.
        """
        known = [card.id for card in self.cards()]
        if model_id not in known:
            raise ModelNotFound(model_id, known=known)
        return ModelCard.read(self._directory / model_id / CARD_FILE)

    def file(self, card: ModelCard) -> Path:
        """The network of a card, checked against the card's SHA-256.

        Raises:
            ModelDamaged: The file is not the one that the card describes.
        """
        file = self._directory / card.id / MODEL_FILE
        actual = sha256_of(file)
        if actual != card.sha256:
            raise ModelDamaged(file, expected=card.sha256, actual=actual)
        return file

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A directory to put a network in before it is added; gone afterwards, also after an error."""
        self._directory.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._directory, prefix=".staging-") as directory:
            yield Path(directory)

    def add(self, network: Path, card: ModelCard) -> None:
        """Take a network and its card in; adding the same model again changes nothing.

        Args:
            network: The ONNX file; it is copied.
            card: Its card, with the SHA-256 of the file.

        Raises:
            ModelExists: Another model has this id.
        """
        target = self._directory / card.id
        if target.exists():
            if ModelCard.read(target / CARD_FILE) != card:
                raise ModelExists(card.id)
            return
        with self.staging() as staging:
            shutil.copyfile(network, staging / MODEL_FILE)
            card.write(staging / CARD_FILE)
            staging.rename(target)
            staging.mkdir()  # TemporaryDirectory expects to remove it


def sha256_of(file: Path) -> str:
    """Hex digest of a file's bytes; of nothing when the file is missing."""
    if not file.is_file():
        return hashlib.sha256().hexdigest()
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
