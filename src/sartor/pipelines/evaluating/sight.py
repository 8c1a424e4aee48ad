"""All that one model saw of a task: what the results, the checks and the pictures are taken from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.encoders.encoder import Encoder
    from sartor.evaluation.metrics import Measured
    from sartor.pipelines.evaluating.order import Contender
    from sartor.pipelines.evaluating.task import Task
    from sartor.pipelines.evaluating.view import View
    from sartor.pipelines.gather import Gathered, SeenPhoto
    from sartor.types import Attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one model saw of the task.

    Attributes:
        contender: The model.
        encoder: The same, loaded.
        gallery: Products that are searched.
        queries: Products of the source of queries.
        asking: Main photo of each query.
        task: What is asked.
        view: What is compared.
        measured: Lists and scores.
        seconds: What took how long.
    """

    contender: Contender
    encoder: Encoder
    gallery: Gathered
    queries: Gathered
    asking: Sequence[SeenPhoto]
    task: Task
    view: View
    measured: Measured
    seconds: dict[str, float]

    @property
    def ids(self) -> list[str]:
        """Product ids of the queries."""
        return [self.queries.products[place].id for place in self.task.asked]

    @property
    def rows(self) -> list[Attributes]:
        """Attributes of the queries."""
        return [self.queries.products[place].attributes for place in self.task.asked]
