"""Sartor: a visual recommendation engine for fashion catalogs.

    import sartor

    shop = sartor.open("shop/")
    shop.index("fashion-product-images-224.zip")
    hits = shop.similar("my-photo.jpg", k=5, where={"gender": "Women"})

What is raised on purpose is a ``sartor.errors.SartorError``. Importing loads nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.recommend.features import FeatureWeights
    from sartor.recommend.query import Part
    from sartor.shop import Shop

__version__ = "0.1.0"

__all__ = ["FeatureWeights", "Part", "__version__", "open"]

_LAZY = {"FeatureWeights": "sartor.recommend.features", "Part": "sartor.recommend.query"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_LAZY[name]), name)


def open(  # noqa: A001 - read as sartor.open
    home: str | Path = "sartor-data",
    *,
    model: str | None = None,
    metric: str = "cosine",
    device: str = "auto",
    precision: str = "auto",
) -> Shop:
    """Open a workspace; it is made when it is missing, and held until it is closed.

    Args:
        home: Directory of the workspace.
        model: Id of the model to embed with; None is the workspace's default.
        metric: ``cosine`` or ``euclidean``.
        device: ``auto``, ``cpu``, ``gpu``, ``npu``, ``cuda`` or ``coreml``.
        precision: ``auto``, ``f32`` or ``bf16``; ``auto`` is bf16 where it is fast (AMX).

    Raises:
        WorkspaceBusy: Another process holds it.
        WorkspaceError: It cannot be used.
        ValueError: An option has no such value.
    """
    from sartor.config import Settings
    from sartor.wiring import open_shop

    options = {"home": home, "model": model, "metric": metric, "device": device, "precision": precision}
    return open_shop(Settings.model_validate(options))
