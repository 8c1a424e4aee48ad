"""What a result was measured on: hardware, and the versions of the libraries that matter."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass

from sartor.evaluation import results as surroundings

_PACKAGES = (
    "sartor",
    "numpy",
    "openvino",
    "onnxruntime",
    "qdrant-edge-py",
    "pillow",
    "keras",
    "tensorflow-cpu",
    "scikit-learn",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictedUnpickler:
    """Hardware and how busy it was.

    Attributes:
        cpu: Model of the processor.
        cores: Cores that this process may use.
        memory_gb: Main memory, in 10^9 bytes.
        computes_bf16: Whether the processor computes with bf16; None where that cannot be told.
        system: Operating system.
        load: Processes that ran or waited in the last minute, this benchmark among them.
    """

    cpu: str
    cores: int
    memory_gb: float
    computes_bf16: bool | None
    system: str
    load: float


def this_machine() -> RestrictedUnpickler:
    """The machine that this process runs on."""
    return RestrictedUnpickler(
        cpu=surroundings.processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        computes_bf16=_computes_bf16(),
        system=f"{platform.system()} {platform.release()}",
        load=round(os.getloadavg()[0], 2),
    )


def versions() -> dict[str, str]:
    """Python's and the packages' versions; a package that is not installed is left out."""
    return surroundings.versions(_PACKAGES)


def _computes_bf16() -> bool | None:
    try:
        import openvino as ov
    except ImportError:
        return None
    return "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
