"""Models of a workspace on the server, so that every host has the ones that any host added.

A model is a folder of files: the network, its card, and the weights of a trained one. The files lie in GridFS
under their SHA-256, and a file of the model's name lists them. It is written last, so a model is there whole or
not at all.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from contextlib import suppress
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sartor.errors import ModelDamaged, ModelExists
from sartor.limits import SERVER_FILE_S
from sartor.store.mongo.files import MongoFiles

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.store.mongo.database import MongoDatabase

logger = logging.getLogger(__name__)

_MODEL = "model:"  # before the name of a model; the other files are named by their SHA-256


class ModelFiles:
    """The models in a workspace's database, and the folder of this host that has them for use.

    Args:
        database: The workspace's database.
        directory: The folder of models, with a folder for each.

    One host calls ``push("color")`` after the model was added, and ``pull()`` on another host fetches it.
    """

    def __init__(self, database: MongoDatabase, directory: Path) -> None:
        self._files = MongoFiles(database, "models", call_s=SERVER_FILE_S)
        self._directory = directory

    def push(self, model_id: str) -> None:
        """Put a model of the folder on the server; a model that is there already changes nothing.

        Raises:
            ModelExists: Another model has this id there.
            StoreAway: The server does not answer.
        """
        folder = self._directory / model_id
        digests = {path.name: _sha256_of(path) for path in sorted(folder.iterdir()) if path.is_file()}
        there = self._list(model_id)
        if there is None:
            for name, digest in digests.items():
                with (folder / name).open("rb") as file:
                    self._files.upload(digest, file)
            self._files.put(f"{_MODEL}{model_id}", json.dumps(digests).encode())
            there = self._list(model_id)  # of another process, if that was faster
        self._files.remove_leftovers(min_age_s=SERVER_FILE_S)  # of processes that were killed while they did this
        if there != digests:
            raise ModelExists(model_id)

    def exchange(self) -> None:
        """Fetch the models that the folder lacks, and put those there that the server lacks."""
        self.pull()
        there = set(self._ids())
        for folder in sorted(self._directory.glob("[!.]*/")):
            if folder.name not in there:
                self.push(folder.name)

    def _ids(self) -> list[str]:
        return [name.removeprefix(_MODEL) for name in self._files.names() if name.startswith(_MODEL)]

    def pull(self) -> list[str]:
        """Fetch the models that the folder lacks; returns their ids, sorted.

        A model appears in the folder whole. One that the folder has already is left as it is.

        Raises:
            ModelDamaged: A file of a model is not the one that was put.
            StoreAway: The server does not answer.
        """
        missing = [model_id for model_id in self._ids() if not (self._directory / model_id).exists()]
        for model_id in missing:
            started_s = time.perf_counter()
            self._fetch(model_id, self._list(model_id) or {})
            logger.info("model fetched: model=%s seconds=%.2f", model_id, time.perf_counter() - started_s)
        return missing

    def _list(self, model_id: str) -> dict[str, str] | None:
        """SHA-256 by file name; None if there is no such model."""
        content = self._files.read(f"{_MODEL}{model_id}")
        return None if content is None else dict(json.loads(content))

    def _fetch(self, model_id: str, digests: dict[str, str]) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._directory, prefix=".staging-") as directory:
            staged = self._directory / directory / model_id
            staged.mkdir()
            for name, digest in digests.items():
                path = staged / name
                with path.open("xb") as file:
                    self._files.download(digest, file)
                if (actual := _sha256_of(path)) != digest:
                    raise ModelDamaged(path, expected=digest, actual=actual)
            with suppress(OSError):  # another process of this host was faster
                staged.rename(self._directory / model_id)
            shutil.rmtree(staged, ignore_errors=True)


def _sha256_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
