from __future__ import annotations

import subprocess
import sys

from sartor import imaging


def test_the_public_names_are_sorted_and_exist() -> None:
    constants_first = sorted(imaging.__all__, key=lambda name: (not name.isupper(), name))
    assert imaging.__all__ == constants_first
    assert all(hasattr(imaging, name) for name in imaging.__all__)


def test_importing_loads_neither_numpy_nor_a_plugin_that_is_not_needed_yet() -> None:
    program = "import sys, sartor.imaging; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert not {"numpy", "PIL.TiffImagePlugin", "PIL.AvifImagePlugin"} & set(loaded.split())
