"""The formats of an export: what each is called, what it writes, and what it needs."""

from __future__ import annotations

from enum import StrEnum


class ExportFormat(StrEnum):
    """What an export can be."""

    PICKLE = "pickle"
    NPZ = "npz"
    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"
    ANNOY = "annoy"
    FAISS = "faiss"
    QDRANT_EDGE = "qdrant-edge"

    @property
    def is_table(self) -> bool:
        """Whether it is the catalog without embeddings, which ``sartor index`` reads again."""
        return self in {ExportFormat.CSV, ExportFormat.JSONL}

    @property
    def suffix(self) -> str:
        """Suffix of the file that it is; empty where it is a folder."""
        return f".{self}" if self.is_table or self in {ExportFormat.NPZ, ExportFormat.PARQUET} else ""

    @property
    def package(self) -> str:
        """The optional package that it needs; empty where it needs none."""
        return _PACKAGES.get(self, "")


_PACKAGES = {ExportFormat.PARQUET: "pyarrow", ExportFormat.ANNOY: "annoy", ExportFormat.FAISS: "faiss"}
SNAPSHOT = "qdrant-snapshot"  # a name that is known, to say why there is none
