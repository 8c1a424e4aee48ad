"""The pipeline that tutorials use: Keras ResNet50 photo by photo, pickled lists, brute-force neighbors.

Written as they write it, on purpose; only the clocks are added. It runs in a process of its own, whose first
call builds the network. Nothing of Sartor takes part, not even its settings for TensorFlow.
"""

from __future__ import annotations

import os
import pickle
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.workspaces import random_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

DIMENSION = 2048
NEIGHBORS = 6  # the tutorials ask for 6: the query itself, and 5 more
BATCH_SIZE = 32

_SIZE_PX = (224, 224)


def start(weights: Path, photos: Sequence[Path]) -> float:
    """Import Keras, build the network, and predict once in each way; returns the seconds."""
    started_s = time.perf_counter()
    extract_features(weights, photos[0])
    index_in_batches(weights, photos[:BATCH_SIZE])
    return time.perf_counter() - started_s


def extract_features(weights: Path, photo: Path) -> npt.NDArray[np.float32]:
    """Embed one photo; returns ``(2048,)`` float32 of unit norm."""
    keras, model = _model(weights)
    image = keras.utils.load_img(photo, target_size=_SIZE_PX)
    array = keras.utils.img_to_array(image)
    expanded = np.expand_dims(array, axis=0)
    preprocessed = keras.applications.resnet50.preprocess_input(expanded)
    result = model.predict(preprocessed, verbose=0).flatten()
    features: npt.NDArray[np.float32] = result / np.linalg.norm(result)
    return features


def index(weights: Path, photos: Sequence[Path], directory: Path) -> tuple[float, list[float]]:
    """Embed photos one by one, pickle the lists and fit the neighbors.

    Returns:
        Seconds of it all, and seconds of each photo.
    """
    from sklearn.neighbors import NearestNeighbors

    clock = [time.perf_counter()]
    feature_list = []
    for photo in photos:
        feature_list.append(extract_features(weights, photo))
        clock.append(time.perf_counter())
    for name, values in (("embeddings.pkl", feature_list), ("filenames.pkl", [str(photo) for photo in photos])):
        with (directory / name).open("wb") as file:
            pickle.dump(values, file)
    neighbors = min(NEIGHBORS, len(photos))
    NearestNeighbors(n_neighbors=neighbors, algorithm="brute", metric="euclidean").fit(feature_list)
    return time.perf_counter() - clock[0], np.diff(clock).tolist()


def index_in_batches(weights: Path, photos: Sequence[Path]) -> float:
    """The stronger peer: the same, 32 photos at a time; returns the seconds."""
    keras, model = _model(weights)
    started_s = time.perf_counter()
    for first in range(0, len(photos), BATCH_SIZE):
        batch = photos[first : first + BATCH_SIZE]
        arrays = [keras.utils.img_to_array(keras.utils.load_img(photo, target_size=_SIZE_PX)) for photo in batch]
        preprocessed = keras.applications.resnet50.preprocess_input(np.stack(arrays))
        result = model.predict(preprocessed, verbose=0)
        result /= np.linalg.norm(result, axis=1, keepdims=True)
    return time.perf_counter() - started_s


def query(weights: Path, photo: Path, products: int) -> float:
    """Find a photo's neighbors in a catalog of random vectors that is in memory; returns the seconds."""
    neighbors = _fitted(products)
    started_s = time.perf_counter()
    neighbors.kneighbors([extract_features(weights, photo)])
    return time.perf_counter() - started_s


@cache
def _model(weights: Path) -> tuple[Any, Any]:
    """Keras, and the network as tutorials build it, but with the weights of a file."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    network = keras.applications.ResNet50(weights=None, include_top=False, input_shape=(*_SIZE_PX, 3))
    network.load_weights(weights)
    network.trainable = False
    return keras, keras.Sequential([network, keras.layers.GlobalMaxPooling2D()])


@cache
def _fitted(products: int) -> Any:
    from sklearn.neighbors import NearestNeighbors

    feature_list = [vector for _, vectors in random_vectors(products, DIMENSION) for vector in vectors]
    neighbors = NearestNeighbors(n_neighbors=NEIGHBORS, algorithm="brute", metric="euclidean")
    return neighbors.fit(feature_list)
