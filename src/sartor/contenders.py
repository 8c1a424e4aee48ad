"""Models as an evaluation takes them: by name, with what the workspace knows of photos already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.default_model import NETWORK_OF
from sartor.encoders.baselines import BASELINES, baseline
from sartor.encoders.heads import Heads
from sartor.pipelines.compose import Composer
from sartor.pipelines.evaluating.order import Contender
from sartor.pipelines.gather import SeenPhoto

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.backends import Backends


def contender(backends: Backends, name: str) -> Contender:
    """A model of the workspace, or one of ``BASELINES``.

    Raises:
        ModelNotFound: There is no such model.
    """
    if name in BASELINES and name not in {card.id for card in backends.models.cards()}:
        nothing = Heads((), {}, scale=1.0)
        return Contender(
            name=name, open=lambda: baseline(name), compose=Composer(name, nothing), known=lambda _: {}
        )
    card = backends.models.card(name)
    same_network = backends.store.setting(NETWORK_OF.format(name)) == card.sha256

    def known(sha256s: Sequence[str]) -> dict[str, SeenPhoto]:
        if not same_network:
            return {}
        vectors = backends.store.embeddings(name, sha256s)
        photos, palettes = backends.store.photos(sha256s), backends.store.palettes(sha256s)
        return {
            sha256: SeenPhoto(
                sha256=sha256,
                vector=vector,
                palette=palettes[sha256],
                fingerprint=photos[sha256].fingerprint,
            )
            for sha256, vector in vectors.items()
            if sha256 in palettes and sha256 in photos and len(vector) == card.dimension
        }

    return Contender(
        name=name,
        open=lambda: backends.open_encoder(card),
        compose=Composer(name, backends.heads(card)),
        known=known,
        calibration=card.calibration,
        training=card.training,
    )
