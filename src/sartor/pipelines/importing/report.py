"""What an import says when it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sartor.pipelines.importing.agreement import Agreement
    from sartor.pipelines.report import Rejection


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did.

    Attributes:
        source: The file of vectors, as it was given.
        model: Model that they are embeddings of from now on.
        dimension: Length of a vector.
        vectors: Vectors that the file has, rejected ones included.
        products: Products that they belong to.
        added: Products that are new.
        updated: Products whose vectors, photos or attributes changed.
        unchanged: Products that were already there just so.
        images: Vectors of whose photo there is a picture.
        described: Products that a table says something of.
        scaled: Vectors whose norm was not 1, and is now.
        agreement: Of the vectors with those that the model gives for the same photos; None where this was not or
            could not be looked at.
        rejected: Vectors that cannot be used, and images that cannot.
        seconds: Time that it all took.
        by_photo: Whether the model can embed a photo, so that one can ask with photos too.
        is_default: Whether the model is the workspace's default.
    """

    source: str
    model: str
    dimension: int
    vectors: int
    products: int
    added: int
    updated: int
    unchanged: int
    images: int
    described: int
    scaled: int
    agreement: Agreement | None
    rejected: tuple[Rejection, ...]
    seconds: float
    by_photo: bool = False
    is_default: bool = False
