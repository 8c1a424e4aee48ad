"""What importing costs, what is public, and that the layers are what they say."""

from __future__ import annotations

import subprocess
import sys

import sartor
from sartor import errors

VENDORS = [
    "numpy",
    "PIL",
    "openvino",
    "onnxruntime",
    "qdrant_edge",
    "keras",
    "tensorflow",
    "sqlite3",
    "pydantic",
    "typer",
]


def modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_sartor_loads_no_vendor() -> None:
    assert modules_after("import sartor").isdisjoint(VENDORS)


def test_the_command_line_loads_no_vendor_but_its_own() -> None:
    loaded = modules_after("import sartor.cli.app")
    assert loaded.isdisjoint(set(VENDORS) - {"typer"})
    assert "rich" not in loaded


def test_what_is_public_is_sorted_and_there() -> None:
    assert sartor.__all__ == sorted(sartor.__all__)
    assert all(hasattr(sartor, name) for name in sartor.__all__)


def test_every_error_is_of_one_family_and_drawn_in_its_tree() -> None:
    family = {
        name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)
    }
    assert all(issubclass(kind, errors.SartorError) for kind in family.values())
    assert all(name in errors.__doc__ for name in family)
