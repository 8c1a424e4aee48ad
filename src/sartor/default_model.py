"""Which model a workspace embeds with: the first that did, until a better one is promoted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.errors import ModelReplaced, NoPreviousModel, NothingToCompare, PromotionRefused
from sartor.pipelines.compose import Composer
from sartor.pipelines.fill import embed_catalog
from sartor.pipelines.promote import PromotionReport, compare, survey
from sartor.pipelines.sync import bring_up_to_date

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from sartor.backends import Backends
    from sartor.encoders.card import ModelCard
    from sartor.index.edge import EdgeIndex
    from sartor.pipelines.fill import Filled
    from sartor.pipelines.promote import Comparison
    from sartor.pipelines.report import OnProgress

_RNG_SEED = 0  # so that the same comparison gives the same figures

# Names of settings that the store remembers.
_DEFAULT = "default_model"
_PREVIOUS = "previous_model"  # default before the last promotion
NETWORK_OF = "network_of_{}"  # SHA-256 of the network that a model id stood for when it first embedded


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultModel:
    """The default model of a workspace, and how it changes.

    Attributes:
        backends: What the workspace stands on.
        opened_index: Lends the index of a model; the one that is open, where it is that.
        changed: Called when another model has become the default.
    """

    backends: Backends
    opened_index: Callable[[ModelCard], AbstractContextManager[EdgeIndex]]
    changed: Callable[[], None]

    @property
    def id(self) -> str | None:
        """Id of the default model; None where nothing was embedded yet."""
        return self.backends.store.setting(_DEFAULT)

    def card(self) -> ModelCard:
        """The model to use.

        Raises:
            ModelError: There is none, or it is not the one that embedded this catalog.
        """
        card = self.backends.choose_model(self.id)
        self._require_same_network(card)
        return card

    def remember(self, card: ModelCard) -> None:
        """The first model that embeds becomes the default.

        Raises:
            ModelReplaced: Another network of this id embedded the catalog.
        """
        self._require_same_network(card)
        self._remember_network(card)
        if self.id is None:
            self.backends.store.set_setting(_DEFAULT, card.id)

    def promote(self, model: str, *, force: bool, on_progress: OnProgress) -> PromotionReport:
        """Make a model the default, if it is better; see ``Shop.promote``."""
        card = self.backends.models.card(model)
        self._require_same_network(card)
        store, default = self.backends.store, self.id
        compared = default not in (None, card.id)
        if not force and default is None:
            raise NothingToCompare(card.id, reason="the workspace has no default yet to compare it with")
        if not force and compared:
            survey(store, card, embedded_by=[str(default)])  # refuses before anything is embedded
        filled = self._fill(card, on_progress)
        comparison = self._compare(card, str(default), force=force) if compared else None
        if comparison is not None and not comparison.is_better and not force:
            raise PromotionRefused(card.id, default=str(default), figures=comparison.figures)
        if default != card.id:
            self._become(card, previous=default)
        return _report(card, default, filled, comparison)

    def rollback(self, *, on_progress: OnProgress) -> PromotionReport:
        """Return to the default before the last promotion; see ``Shop.rollback``."""
        default, previous = self.id, self.backends.store.setting(_PREVIOUS)
        if previous is None:
            raise NoPreviousModel(default)
        card = self.backends.models.card(previous)
        self._require_same_network(card)
        self._become(card, previous=None)
        return _report(card, default, self._fill(card, on_progress), None)

    def _become(self, card: ModelCard, *, previous: str | None) -> None:
        self.backends.store.set_settings({_DEFAULT: card.id, _PREVIOUS: previous})
        self.changed()

    def _fill(self, card: ModelCard, on_progress: OnProgress) -> Filled:
        """Embed the catalog with a model, and bring its index and that of the default up to date."""
        backends = self.backends
        self._remember_network(card)
        with backends.open_encoder(card) as encoder:
            filled = embed_catalog(
                backends.store, encoder, media=backends.media, urls=backends.urls, on_progress=on_progress
            )
        default = self.id
        for known in backends.models.cards():
            if known.id in {card.id, default}:
                with self.opened_index(known) as index:
                    bring_up_to_date(backends.store, index, Composer(known.id, backends.heads(known)))
        return filled

    def _compare(self, card: ModelCard, default: str, *, force: bool) -> Comparison | None:
        store = self.backends.store
        try:
            surveyed = survey(store, card, embedded_by=[card.id, default])
        except NothingToCompare:
            if not force:
                raise
            return None
        return compare(store, surveyed, new=card.id, old=default, rng=np.random.default_rng(_RNG_SEED))

    def _remember_network(self, card: ModelCard) -> None:
        """When a model first embeds, its id stands for its network from then on."""
        store, name = self.backends.store, NETWORK_OF.format(card.id)
        if store.setting(name) is None:
            store.set_setting(name, card.sha256)

    def _require_same_network(self, card: ModelCard) -> None:
        if self.backends.store.setting(NETWORK_OF.format(card.id)) not in (None, card.sha256):
            raise ModelReplaced(card.id)


def _report(
    card: ModelCard, previous: str | None, filled: Filled, comparison: Comparison | None
) -> PromotionReport:
    return PromotionReport(
        model=card.id,
        previous=previous,
        embedded=filled.embedded,
        reduced=filled.reduced,
        rejected=filled.rejected,
        comparison=comparison,
    )
