"""Writes products: ``writing_child.py ADDRESS DIRECTORY NAME COUNT``; prints each one that is committed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from sartor.errors import StoreAway
from sartor.store.base import Write
from sartor.store.mongo.catalog import MongoCatalogStore
from sartor.store.mongo.database import MongoDatabase
from sartor.types import Photo, Product, StoredProduct


def main() -> None:
    address, directory, name, count = sys.argv[1:]
    database = MongoDatabase(address, sessions=Path(directory).parent / "sessions")
    store = MongoCatalogStore(database, Path(directory))
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    for number in range(int(count)):
        sha256 = f"{name}-{number}"
        photo = Photo(sha256=sha256, name="", width_px=1, height_px=1, thumbnail=f"{sha256}.jpg")
        stored = StoredProduct(product=Product(id=sha256), photos=(photo,), source=name)
        write = Write(products=(stored,), model="m", embeddings={sha256: np.ones(2, np.float32)})
        while True:
            try:
                revision = store.write(write)
            except StoreAway:
                continue
            break
        print(revision, sha256, flush=True)  # noqa: T201
    store.close()
    database.close()


if __name__ == "__main__":
    main()
