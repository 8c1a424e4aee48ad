"""The models that come with Sartor: part of the package, read where they are and never written to."""

from __future__ import annotations

from pathlib import Path

DIRECTORY = Path(__file__).resolve().parents[1] / "bundled"  # {id}/model.onnx and {id}/card.json
DEFAULT_MODEL = "sartor-v1"  # of a workspace that has neither a default nor a model of its own
