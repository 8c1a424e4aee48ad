"""What a replay is asked, and the ways to recommend that it compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from sartor.recommend.blend import Blend
from sartor.recommend.tuning import FEED_DIVERSITY

if TYPE_CHECKING:
    from collections.abc import Callable

    from sartor.pipelines.crowd import Crowd
    from sartor.pipelines.for_you import ForYou
    from sartor.store.events import EventStore

FOR_YOU, RANDOM = "for-you", "random"
DEFAULT_HISTORIES = (1, 5, 20)

# Opens the engine that answers, on other events than those of the workspace.
Engine: TypeAlias = "Callable[[EventStore, Crowd], ForYou]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way to recommend: the same engine with other weights, so that all leave out the same products.

    Attributes:
        name: What it is called.
        blend: Its weights; None draws products at random.
        diversity: How much what it shows shall differ.
    """

    name: str
    blend: Blend | None
    diversity: float = 0.0


# The baselines are not varied, which would cost them accuracy. What people did says nothing of some products;
# what is popular then fills the list of the item-to-item baseline.
METHODS = (
    Method(name=FOR_YOU, blend=Blend(), diversity=FEED_DIVERSITY),
    Method(name="popularity", blend=Blend(visual=0.0, together=0.0, popular=1.0, new=0.0)),
    Method(name="item-to-item", blend=Blend(visual=0.0, together=1.0, popular=0.001, new=0.0)),
    Method(name="visual", blend=Blend(visual=1.0, together=0.0, popular=0.0, new=0.0)),
    Method(name=RANDOM, blend=None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOrder:
    """What is to be replayed.

    Attributes:
        k: Length of lists.
        people: At most so many people of a log are asked for, drawn at random, in each experiment.
        histories: How many of a person's last events are known, an experiment each.
        seed: Of all that is random.
        eta: How fast attention falls with the place in recorded answers.
        clip: Weights of recorded rewards are at most this; None for no bound.
        methods: What is compared, ``for-you`` first.
        model: Model that embedded the catalog.
        command: What asked for it, for a report.
    """

    k: int = 10
    people: int = 1000
    histories: tuple[int, ...] = DEFAULT_HISTORIES
    seed: int = 0
    eta: float = 1.0
    clip: float | None = None
    methods: tuple[Method, ...] = METHODS
    model: str = ""
    command: str = ""
