"""How good catalog and models are, and which model is the default."""

from __future__ import annotations

from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from sartor.evaluation.catalog_map import MAX_PRODUCTS, lay_out
from sartor.evaluation.health import examine
from sartor.evaluation.relevance import LabelMap
from sartor.evaluation.retrieval import evaluate
from sartor.evaluation.task import DEFAULT_KS, EvaluationRequest, ShowProgress, silent
from sartor.ingest.maintenance import (
    Info,
    check_index,
    check_media,
    check_store,
    rebuild_index,
    take_stock,
    tidy_media,
)
from sartor.recommend.duplicates import DuplicatePhoto, find_duplicates
from sartor.shop.models import candidate_model
from sartor.shop.shoppers import ShopperSide

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sartor.evaluation.catalog_map import CatalogMap
    from sartor.evaluation.promotion import PromotionReport
    from sartor.evaluation.replay.results import Replay
    from sartor.evaluation.results import CatalogHealth, Evaluation
    from sartor.events.model import Event
    from sartor.ingest.maintenance import Problem
    from sartor.ingest.photos import OnProgress


class JudgingSide(ShopperSide):
    """How a shop is judged."""

    def info(self) -> Info:
        """What the workspace holds."""
        backends = self._backends
        return take_stock(backends.home, self._store, backends.models, default_model=self._default.id)

    def check(self, *, repair: bool = False) -> tuple[Problem, ...]:
        """Whether store, index and media agree; empty when they do.

        Args:
            repair: First rebuild the index from the store and delete thumbnails of no photo. Nothing is
                embedded again.
        """
        media = self._backends.media
        if repair:
            tidy_media(self._store, media)
        problems = [*check_store(self._store), *check_media(self._store, media)]
        for card, index in self._indexes():
            if repair:
                rebuild_index(self._store, index, self._compose(card))
            problems += check_index(self._store, index, model=card.id)
        return tuple(problems)

    def health(self) -> CatalogHealth:
        """What about the catalog makes recommendations worse, or may: photos, attributes, labels, neighbors.

        Every photo is compared with every other: about a minute for 40,000.

        Raises:
            ModelMismatch: The catalog was embedded with another model.
        """
        if self._store.counts().embeddings:
            self._require_embeddings()
        return examine(self._store, self._composer)

    def duplicates(self) -> tuple[tuple[DuplicatePhoto, ...], ...]:
        """Groups of the catalog's photos that show the same thing, identical files among them.

        Every photo is compared with every other: some seconds for 40,000.
        """
        self._require_embeddings()
        return find_duplicates(self._store, self._card.id)

    def map(self, *, most: int = MAX_PRODUCTS, seed: int = 0) -> CatalogMap:
        """The catalog in two dimensions, so that products that look alike are near each other.

        Args:
            most: How many products at most, drawn at random; 1,500 take about 8 s, 3,000 about 19 s.
            seed: Of all that is random.

        Raises:
            EmptyCatalog: There is nothing to lay out.
            ModelMismatch: The catalog was embedded with another model.
        """
        self._require_embeddings()
        return lay_out(self._store, self._composer, limit=most, seed=seed)

    def evaluate(  # noqa: PLR0913 - each is a keyword of its own
        self,
        gallery: str | Path,
        *models: str,
        queries: str | Path | None = None,
        relevance: Sequence[str] = (),
        label_map: str | Path | None = None,
        instances: bool = False,
        held_out: bool = False,
        as_recommended: bool = False,
        ann: bool = False,
        pictures: bool = False,
        ks: Sequence[int] = DEFAULT_KS,
        seed: int = 0,
        limit: int | None = None,
        command: str = "",
        show: ShowProgress = silent,
    ) -> Evaluation:
        """Measure how good models are at finding what is relevant, on sources of products.

        What the workspace has embedded is not embedded again; nothing is written.

        Args:
            gallery: Source of the products that are searched.
            models: Ids of models, the first one being what the others are compared with; ``color-histogram`` and
                ``random`` are floors. None takes the workspace's default.
            queries: Source of the queries; None asks with each product of the gallery, and leaves itself out.
            relevance: Attributes that make products relevant; none takes kind, gender and color.
            label_map: TOML file that says which labels of the queries mean which of the gallery.
            instances: Look for the same product by its id in both sources, and by damaged photos.
            held_out: Ask only about products that the first model has not learned from.
            as_recommended: Compare as ``similar`` does, rather than by embeddings alone.
            ann: Measure the approximate index against exact search.
            pictures: Make what a report shows: queries beside their hits, and a map of the gallery.
            ks: Lengths of lists.
            seed: Of all that is random.
            limit: Take only the first so many products of each source.
            command: What asked for it, for a report.
            show: Shows the progress of something named.

        Raises:
            SourceError: A source cannot be read.
            ModelNotFound: There is no such model.
            UnknownAttribute: No product has an attribute that makes relevant.
            EvaluationError: There is nothing to evaluate, or the map of labels is none.
            ValueError: A length is below 1.
        """
        if not ks or min(ks) < 1:
            msg = f"lists have at least 1 product, not {tuple(ks)}"
            raise ValueError(msg)
        order = EvaluationRequest(
            gallery=Path(gallery),
            queries=None if queries is None else Path(queries),
            relevance=tuple(relevance),
            label_map=None if label_map is None else LabelMap.read(Path(label_map)),
            instances=instances,
            held_out=held_out,
            as_recommended=as_recommended,
            ann=ann,
            pictures=pictures,
            ks=tuple(sorted(set(ks))),
            seed=seed,
            limit=limit,
            command=command,
        )
        names = dict.fromkeys(models or (self._card.id,))
        candidate_models = [candidate_model(self._backends, name) for name in names]
        return evaluate(order, candidate_models, urls=self._backends.urls, show=show)

    def replay(  # noqa: PLR0913 - each is a keyword of its own
        self,
        *logs: Iterable[Event],
        k: int = 10,
        people: int = 1000,
        histories: Sequence[int] = (1, 5, 20),
        eta: float = 1.0,
        clip: float | None = None,
        seed: int = 0,
        names: Sequence[str] = (),
        command: str = "",
        show: ShowProgress = silent,
    ) -> Replay:
        """Go back to a time in logs, recommend with what was known then, and see what people did afterwards.

        For-you stands beside popularity, item-to-item co-occurrence, closeness of looks, and chance, all over this
        catalog. Nothing is written to the workspace, and its own events do not count.

        Args:
            logs: Events in any order. Each is replayed by itself, and the people of all are judged together, as if
                nobody came twice.
            k: Length of lists.
            people: At most so many people of a log are asked for, drawn at random, and at most half of all.
            histories: How many of a person's last events are known, an experiment each.
            eta: How fast attention falls with the place in recorded answers: ``1 / place ** eta``.
            clip: Weights of recorded rewards are at most this; None for no bound.
            seed: Of all that is random.
            names: What the logs are called.
            command: What asked for it, for a report.
            show: Shows the progress of something named.

        Raises:
            EvaluationError: There is no log; or in one, nobody did something before the split and wanted something
                after it.
            QueryError: The catalog is empty.
            ModelMismatch: The catalog was embedded with another model.
            ValueError: A length or a number is below 1.
        """
        if min((k, people, *(histories or (0,)))) < 1 or eta < 0 or (clip is not None and clip <= 0):
            msg = "k, people and histories are at least 1, eta is not below 0, and clip is above it"
            raise ValueError(msg)
        from sartor.evaluation.replay.lists import ReplayRequest
        from sartor.evaluation.replay.replay import replay

        self._require_embeddings()
        order = ReplayRequest(
            k=k,
            people=people,
            histories=tuple(histories),
            seed=seed,
            eta=eta,
            clip=clip,
            model=self._card.id,
            command=command,
        )
        catalog = [product_id for product_id, _ in sorted(self._store.embedded_keys(self._card.id))]
        called = chain(names, repeat("the log"))
        return replay(
            zip(called, logs, strict=False),
            order,
            catalog=list(dict.fromkeys(catalog)),
            engine=self._engine,
            show=show,
        )

    def promote(
        self, model: str, *, force: bool = False, on_progress: OnProgress = lambda _: None
    ) -> PromotionReport:
        """Make a model the workspace's default, if it is better on held-out products of this catalog.

        The whole catalog is embedded with it first, while the present default goes on answering; what was
        embedded stays, so that trying again costs little.

        Args:
            model: Id of the model.
            force: Promote it whatever the comparison says.
            on_progress: Told after each step what is embedded by then.

        Raises:
            ModelNotFound: There is no such model.
            PromotionRefused: It is not shown to be better than the default.
            NothingToCompare: The catalog cannot tell which of them is better.
        """
        return self._default.promote(model, force=force, on_progress=on_progress)

    def rollback(self, *, on_progress: OnProgress = lambda _: None) -> PromotionReport:
        """Make the model that the last promotion replaced the default again.

        Its embeddings and its index were kept; photos that came since are embedded with it.

        Raises:
            NoPreviousModel: There is none.
            ModelNotFound: The model is no longer there.
        """
        return self._default.rollback(on_progress=on_progress)
