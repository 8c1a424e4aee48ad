"""What a replay of a log found: plain values that tables, JSON and CSV are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sartor.evaluation.intervals import Interval, PairedTest
    from sartor.evaluation.replay.off_policy import OffPolicyEstimate


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodResult:
    """One way to recommend, for people of whom as much is known.

    Attributes:
        method: Its name; ``for-you`` is what Sartor does.
        metrics: By name, such as ``nDCG@10``: the mean over people with its 95 % interval.
        coverage: Share of the catalog that is in at least one list, on average over logs.
    """

    method: str
    metrics: Mapping[str, Interval]
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayComparison:
    """For-you against another way, on the same people.

    Attributes:
        against: The other way.
        metric: By which metric.
        test: Difference of for-you minus the other, with its interval and p-value.
        apart: Whether for-you's 95 % interval lies wholly above the other's.
        ahead: In how many logs for-you's mean is above the other's.
    """

    against: str
    metric: str
    test: PairedTest
    apart: bool
    ahead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayExperiment:
    """All ways for people of whom the last so many events are known.

    Attributes:
        history: How many events.
        people: How many people were asked for, in all logs.
        logs: In how many logs.
        targets: How many products a person turned out to want, on average.
        methods: Each way, ``for-you`` first.
        comparisons: Of ``for-you`` with each of the others.
    """

    history: int
    people: int
    logs: int
    targets: float
    methods: tuple[MethodResult, ...]
    comparisons: tuple[ReplayComparison, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OffPolicyResult:
    """What one way would have earned with the recorded answers.

    Attributes:
        method: Its name; ``as logged`` is the one that was in force.
        estimate: What it earns.
    """

    method: str
    estimate: OffPolicyEstimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedLog:
    """A log, and where it was parted.

    Attributes:
        name: What it is called.
        events: How many events it has, impressions among them.
        impressions: How many only say that a product was shown in a list.
        people: Of how many people.
        simulated: Whether these are simulated shoppers: then all figures are about a simulation.
        split_at: The time that parts what is known from what is to be foreseen, ISO 8601, UTC.
        before: Events before it, impressions not counted.
        after: Events from it on.
        foreseen: Types of the events that are foreseen.
        unknown_products: How many events are about products that the catalog does not have.
    """

    name: str
    events: int
    impressions: int
    people: int
    simulated: bool
    split_at: str
    before: int
    after: int
    foreseen: tuple[str, ...]
    unknown_products: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySetup:
    """What was replayed, and how: enough to do it again.

    Attributes:
        logs: The logs.
        products: Products in the catalog.
        k: Length of lists.
        seed: Of all that is random.
        eta: How fast attention falls with the place in recorded answers.
        clip: Weights of recorded rewards are at most this; None for no bound.
        model: Model that embedded the catalog.
        command: The command that made it.
        versions: Of Python and of packages.
        machine: Processor, cores and system, in words.
        made_at: ISO 8601, UTC.
        notes: What a reader has to know, one sentence each.
    """

    logs: tuple[ReplayedLog, ...]
    products: int
    k: int
    seed: int
    eta: float
    clip: float | None
    model: str
    command: str
    versions: Mapping[str, str]
    machine: str
    made_at: str
    notes: tuple[str, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether a log is of simulated shoppers."""
        return any(log.simulated for log in self.logs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a replay found.

    Attributes:
        setup: What was replayed.
        experiments: By how much is known of a person.
        off_policy: By the recorded answers; empty where there are none after the split.
        seconds: Time of each part, of all logs.
    """

    setup: ReplaySetup
    experiments: tuple[ReplayExperiment, ...]
    off_policy: tuple[OffPolicyResult, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
