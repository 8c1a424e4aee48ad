"""What is to be evaluated, and who: the order that an evaluation carries out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sartor.encoders.card_parts import MatchCalibration, TrainingRecord
    from sartor.encoders.encoder import Encoder
    from sartor.evaluation.label_map import LabelMap
    from sartor.pipelines.compose import Composer
    from sartor.pipelines.gather import Known

DEFAULT_KS = (1, 5, 10)
_MAIN_K = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationOrder:
    """What is to be evaluated.

    Attributes:
        gallery: Source of the products that are searched.
        queries: Source of the queries; None asks with each product of the gallery, and leaves itself out.
        relevance: Attributes that make products relevant to each other, the main one first; none takes kind,
            gender and color, as far as most products have them.
        label_map: Which labels of the queries mean which of the gallery, in place of ``relevance``.
        instances: Whether the same product is looked for, by its id in both sources, and by damaged photos.
        held_out: Whether only products are asked about that the first model has not learned from.
        as_recommended: Whether products are compared as the shop does, with style, color and category, rather than
            by their embeddings alone.
        ann: Whether the approximate index is measured against exact search.
        pictures: Whether queries to look at and a map of the gallery are made.
        ks: Lengths of lists.
        seed: Of all that is random.
        limit: Take only the first so many products of each source.
        command: The command that asked for it.
    """

    gallery: Path
    queries: Path | None = None
    relevance: tuple[str, ...] = ()
    label_map: LabelMap | None = None
    instances: bool = False
    held_out: bool = False
    as_recommended: bool = False
    ann: bool = False
    pictures: bool = False
    ks: tuple[int, ...] = DEFAULT_KS
    seed: int = 0
    limit: int | None = None
    command: str = ""

    @property
    def main_k(self) -> int:
        """Length of the lists that are looked at more closely: 5, or the longest below."""
        return max((k for k in self.ks if k <= _MAIN_K), default=min(self.ks))

    @property
    def same_product(self) -> bool:
        """Whether the same product is what is looked for in another source."""
        return self.instances and self.queries is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A model that is evaluated.

    Attributes:
        name: Its id.
        open: Loads it.
        compose: What it says of photos, beside their embeddings.
        known: What the workspace knows of photos by it.
        calibration: From closeness to match, where it has one.
        training: How it was made, where Sartor made it.
    """

    name: str
    open: Callable[[], Encoder]
    compose: Composer
    known: Known
    calibration: MatchCalibration | None = None
    training: TrainingRecord | None = None
