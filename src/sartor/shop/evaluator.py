"""How good a catalog and its models are."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, repeat
from typing import TYPE_CHECKING

from sartor.errors import WorkspaceReadOnly
from sartor.evaluation.health import examine
from sartor.evaluation.pictures import lay_out
from sartor.evaluation.retrieval import evaluate
from sartor.ingest.maintenance import (
    check_index,
    check_media,
    check_store,
    rebuild_index,
    tidy_media,
    workspace_info,
)
from sartor.ingest.writer import catch_up
from sartor.recommend.duplicates import find_duplicates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sartor.evaluation.pictures import CatalogMap
    from sartor.evaluation.replay.lists import ReplayRequest
    from sartor.evaluation.replay.results import Replay
    from sartor.evaluation.results import CatalogHealth, Evaluation
    from sartor.evaluation.task import EvaluationRequest, ShowProgress
    from sartor.events.model import Event
    from sartor.index.base import VectorIndex
    from sartor.ingest.maintenance import Info, Problem
    from sartor.recommend.duplicates import DuplicatePhoto
    from sartor.shop.backends import Backends, OpenModel
    from sartor.shop.models import Models
    from sartor.shop.recommender import Recommender


_LOOKS = 5  # at an index beside a process that writes


class Evaluator:
    """Judges a workspace.

    Args:
        backends: The engines of the workspace.
        models: Its models.
        model: Gives the model whose embeddings are judged.
        recommender: What a replay of events asks.
    """

    def __init__(
        self, backends: Backends, models: Models, model: Callable[[], OpenModel], recommender: Recommender
    ) -> None:
        self._backends, self._models, self._model, self._recommender = backends, models, model, recommender
        self._store = backends.store

    def info(self) -> Info:
        """What the workspace holds."""
        backends = self._backends
        return workspace_info(
            backends.home,
            self._store,
            backends.models,
            name=backends.name,
            media=backends.media.name,
            default_model=self._models.default,
        )

    def check(self, *, repair: bool) -> tuple[Problem, ...]:
        """Whether store, index and media agree."""
        media = self._backends.media
        if repair and self._backends.is_read_only:
            raise WorkspaceReadOnly(self._backends.home)
        if repair:
            tidy_media(self._store, media)
        problems = [*check_store(self._store), *check_media(self._store, media)]
        with self._backends.writing:  # the follower writes no index meanwhile
            for model, index in self._models.indexes():
                if repair:
                    rebuild_index(self._store, index, model.features)
                problems += self._index_problems(model, index)
        return tuple(problems)

    def _index_problems(self, model: OpenModel, index: VectorIndex) -> list[Problem]:
        """What is wrong with an index; looked at again where another process wrote meanwhile."""
        for _ in range(_LOOKS):
            revision = self._store.revision
            problems = check_index(self._store, index, model=model.card.id)
            if not problems or self._store.revision == revision:
                break
            catch_up(self._store, index, model.features)
        return problems

    def health(self) -> CatalogHealth:
        """What about the catalog makes recommendations worse."""
        model = self._model()
        if self._store.counts().embeddings:
            model.require_embeddings()
        return examine(self._store, model.features)

    def duplicates(self) -> tuple[tuple[DuplicatePhoto, ...], ...]:
        """Groups of photos that show the same thing."""
        return find_duplicates(self._store, self._embedded().card.id)

    def map(self, *, limit: int, seed: int) -> CatalogMap:
        """The catalog in two dimensions."""
        return lay_out(self._store, self._embedded().features, limit=limit, seed=seed)

    def evaluate(
        self, request: EvaluationRequest, models: Sequence[str], *, ray: str | None, show: ShowProgress
    ) -> Evaluation:
        """Measure how good models are at finding what is relevant; without models, the one in use."""
        names = dict.fromkeys(models or (self._model().card.id,))
        candidates = [self._models.candidate(name, ray=ray) for name in names]
        return evaluate(request, candidates, urls=self._backends.urls, show=show)

    def replay(
        self, request: ReplayRequest, logs: Sequence[Iterable[Event]], *, names: Sequence[str], show: ShowProgress
    ) -> Replay:
        """Recommend as of a time in logs, and see what people did afterwards."""
        from sartor.evaluation.replay.replay import replay

        model = self._embedded().card.id
        catalog = [product_id for product_id, _ in sorted(self._store.embedded_keys(model))]
        return replay(
            zip(chain(names, repeat("the log")), logs, strict=False),
            replace(request, model=model),
            catalog=list(dict.fromkeys(catalog)),
            engine=self._recommender.engine,
            show=show,
        )

    def _embedded(self) -> OpenModel:
        model = self._model()
        model.require_embeddings()
        return model
