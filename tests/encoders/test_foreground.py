"""The foreground head: what it computes, and what belongs to which card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sartor.encoders.card import FOREGROUND_FILE, ModelCard
from sartor.encoders.foreground import FINER, Foreground, places
from sartor.encoders.registry import ModelRegistry, sha256_of
from sartor.errors import ModelDamaged, UnusableModel
from tests.fakes import COLOR_CARD

UNITS = 2


def weights() -> dict[str, np.ndarray]:
    """A head that says yes where the first channel of the finest map is on."""
    around = np.zeros((3, 3, UNITS, UNITS), np.float32)
    around[1, 1] = np.eye(UNITS)
    return {
        "level_0": np.array([[8, 0], [0, 0]], np.float32),
        "level_1": np.zeros((3, UNITS), np.float32),
        "place": np.zeros((5, UNITS), np.float32),
        "around": around,
        "around_bias": np.zeros(UNITS, np.float32),
        "out": np.array([[1] * FINER**2, [0] * FINER**2], np.float32),
        "out_bias": np.full(FINER**2, -4, np.float32),
    }


def card_of(folder: Path) -> ModelCard:
    np.savez(folder / FOREGROUND_FILE, **weights())
    return COLOR_CARD.model_copy(update={"foreground_sha256": sha256_of(folder / FOREGROUND_FILE)})


def maps() -> list[np.ndarray]:
    fine = np.zeros((4, 4, 2), np.float32)
    fine[1, 2, 0] = 1
    return [fine, np.zeros((2, 2, 3), np.float32)]


def test_a_cell_of_the_finest_map_becomes_a_square_of_the_mask() -> None:
    mask = Foreground(weights()).of(maps())

    assert mask.shape == (4 * FINER, 4 * FINER)
    assert np.argwhere(mask > 0.5).min(axis=0).tolist() == [FINER, 2 * FINER]
    assert np.argwhere(mask > 0.5).max(axis=0).tolist() == [2 * FINER - 1, 3 * FINER - 1]
    assert mask.max() == pytest.approx(1 / (1 + np.exp(-4)))


def test_a_coarse_map_speaks_for_all_cells_below_it() -> None:
    given = weights() | {"level_1": np.array([[8, 0], [0, 0], [0, 0]], np.float32)}
    coarse = np.zeros((2, 2, 3), np.float32)
    coarse[0, 1, 0] = 1
    mask = Foreground(given).of([np.zeros((4, 4, 2), np.float32), coarse])

    assert (mask > 0.5)[: 2 * FINER, 2 * FINER :].all()
    assert (mask > 0.5).mean() == 0.25


def test_places_are_symmetric_about_the_middle() -> None:
    where = places(4, 6)

    assert where.shape == (4, 6, 5)
    np.testing.assert_allclose(where[::-1, ::-1, 1:3], -where[..., 1:3], atol=1e-6)
    np.testing.assert_allclose(where[..., 3:], where[..., 1:3] ** 2, atol=1e-6)


def test_a_head_is_read_from_the_folder_of_its_model(tmp_path: Path) -> None:
    head = Foreground.read(tmp_path, card_of(tmp_path))

    assert head is not None
    np.testing.assert_array_equal(head.of(maps()), Foreground(weights()).of(maps()))


def test_a_model_without_a_head_has_none(tmp_path: Path) -> None:
    assert Foreground.read(tmp_path, COLOR_CARD) is None
    assert Foreground.read(None, card_of(tmp_path)) is None


def test_a_file_that_is_not_the_cards_is_refused(tmp_path: Path) -> None:
    card = card_of(tmp_path)
    np.savez(tmp_path / FOREGROUND_FILE, **(weights() | {"out_bias": np.zeros(FINER**2, np.float32)}))
    with pytest.raises(UnusableModel, match="not the file that its card describes"):
        Foreground.read(tmp_path, card)
    (tmp_path / FOREGROUND_FILE).unlink()
    with pytest.raises(UnusableModel, match="not the file that its card describes"):
        Foreground.read(tmp_path, card)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / FOREGROUND_FILE).write_bytes(b"no weights")
    card = COLOR_CARD.model_copy(update={"foreground_sha256": sha256_of(tmp_path / FOREGROUND_FILE)})
    with pytest.raises(UnusableModel, match="cannot be read"):
        Foreground.read(tmp_path, card)


def test_a_model_is_added_with_its_head_or_not_at_all(tmp_path: Path) -> None:
    network = tmp_path / "given" / "model.onnx"
    network.parent.mkdir()
    network.write_bytes(b"a network")
    card, registry = card_of(network.parent), ModelRegistry(tmp_path / "models")
    registry.add(network, card)
    assert Foreground.read(registry.folders()["color"], card) is not None

    (network.parent / FOREGROUND_FILE).write_bytes(b"another")
    with pytest.raises(ModelDamaged, match=r"foreground\.npz"):
        ModelRegistry(tmp_path / "others").add(network, card)
    assert not (tmp_path / "others" / "color").exists()
