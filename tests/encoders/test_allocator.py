"""A preloaded allocator with which OpenVINO ends the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sartor.choices import RuntimeChoice
from sartor.config import Settings
from sartor.encoders import allocator
from sartor.errors import AllocatorInTheWay
from sartor.shop import library
from tests.fakes import RED, folder_of

LIBRARIES = ("libjemalloc.so.2", "libmimalloc.so.2", "libtcmalloc_minimal.so.4")
PLACES = [Path("/usr/lib"), *Path("/usr/lib").glob("*-linux-*")]
WAIT_S = 240


def preloaded(name: str) -> dict[str, str]:
    found = [place / name for place in PLACES if (place / name).exists()]
    if not found:
        pytest.skip(f"{name} is not installed")
    return os.environ | {"LD_PRELOAD": str(found[0]), "PYTHONUNBUFFERED": "1"}


def sartor(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "sartor", *arguments]
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=WAIT_S, check=False)


@pytest.mark.parametrize("name", LIBRARIES)
def test_onnx_runtime_is_taken_and_a_line_says_so(name: str, home: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    folder = folder_of(tmp_path / "photos", {"red": RED})
    done = sartor("index", str(folder), "--home", str(home), environment=preloaded(name))
    assert done.returncode == 0, done.stderr
    assert f"ONNX Runtime instead of OpenVINO, which aborts with {name[:-2]}" in done.stderr


def test_a_service_that_shall_run_openvino_says_so_at_start_and_ends(home: Path) -> None:
    environment = preloaded(LIBRARIES[0]) | {"SARTOR_RUNTIME": "openvino"}
    done = sartor("serve", "--port", "0", "--workers", "1", "--home", str(home), environment=environment)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("sartor: OpenVINO aborts with libjemalloc.so.2")
    assert "unset LD_PRELOAD" in line


def test_the_allocator_of_the_c_library_is_none_of_these() -> None:
    assert allocator.openvino_aborts_with() is None


@pytest.mark.parametrize(("runtime", "device"), [(RuntimeChoice.OPENVINO, "cpu"), (RuntimeChoice.AUTO, "gpu")])
def test_what_only_openvino_can_do_is_refused(
    runtime: RuntimeChoice, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "openvino_aborts_with", lambda: "libother.so")
    with pytest.raises(AllocatorInTheWay, match="libother.so"):
        library.require_runtime(Settings(runtime=runtime, device=device))
