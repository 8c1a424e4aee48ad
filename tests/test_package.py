"""What importing costs, what is public, and that the errors are one family."""

from __future__ import annotations

import ast
import builtins
import inspect
import subprocess
import sys

import sartor
from sartor import errors
from sartor.shop import shop as shop_module

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
    loaded = modules_after("import sartor")
    assert loaded.isdisjoint(VENDORS)
    assert {name for name in loaded if name.startswith("sartor")} == {"sartor", "sartor.footprint"}


def test_errors_are_caught_by_name_without_loading_a_vendor() -> None:
    loaded = modules_after("import sartor; sartor.errors.ProductNotFound; sartor.SartorError")
    assert loaded.isdisjoint(VENDORS)


def test_the_command_line_loads_no_vendor_but_its_own() -> None:
    loaded = modules_after("import sartor.cli.app")
    assert loaded.isdisjoint(set(VENDORS) - {"typer"})
    assert "rich" not in loaded


def test_what_is_public_is_sorted_and_there() -> None:
    assert sartor.__all__ == sorted(sartor.__all__)
    assert all(hasattr(sartor, name) for name in sartor.__all__)
    assert set(sartor.__all__) <= set(dir(sartor))
    assert not hasattr(sartor, "nothing_of_this_name")


def test_what_is_public_has_its_type_and_its_documentation() -> None:
    """A type checker sees each name, and a person reads what it is."""
    tree = ast.parse(inspect.getsource(sartor))
    (typed,) = (node for node in tree.body if isinstance(node, ast.If))
    imported = {alias.name for node in typed.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert set(sartor.__all__) == {*imported - {"Path"}, "__version__", "open"}
    public = {name: getattr(sartor, name) for name in sartor.__all__}
    assert all(inspect.getdoc(it) for it in public.values() if isinstance(it, type))


def test_every_type_that_a_shop_takes_or_returns_is_public() -> None:
    tree = ast.parse(inspect.getsource(shop_module.Shop))
    methods = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    annotations = [
        annotation
        for method in methods
        for annotation in (
            method.returns,
            *(each.annotation for each in (*method.args.args, *method.args.kwonlyargs)),
            method.args.vararg and method.args.vararg.annotation,
        )
        if annotation is not None
    ]
    named = {node.id for each in annotations for node in ast.walk(each) if isinstance(node, ast.Name)}
    callbacks = {"OnEvents", "OnFetch", "OnProgress", "OnText", "ShowProgress"}
    standard = {"Iterable", "Mapping", "Path", "Sequence"}
    assert len(methods) > 40
    assert named - set(dir(builtins)) - callbacks - standard <= set(sartor.__all__)


def test_every_error_is_of_one_family_and_drawn_in_its_tree() -> None:
    family = {
        name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)
    }
    assert all(issubclass(kind, errors.SartorError) for kind in family.values())
    assert all(name in errors.__doc__ for name in family)
