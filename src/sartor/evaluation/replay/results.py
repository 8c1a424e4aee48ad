"""What a replay found: plain values for tables, JSON and CSV. JSON has the fields' names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sartor.evaluation.intervals import Interval, PairedTest


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodResult:
    """One method, for people with equally long known histories.

    Attributes:
        method: Its name; ``for-you`` is what Sartor does.
        metrics: By name, such as ``nDCG@10``: the mean over people.
        coverage: Share of the catalog that is in at least one list, on average over logs.
    """

    method: str
    metrics: Mapping[str, Interval]
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayComparison:
    """For-you against another method, on the same people.

    Attributes:
        against: The other method.
        metric: The metric.
        test: For-you minus the other.
        apart: Whether for-you's 95 % interval lies wholly above the other's.
        ahead: Number of logs in which for-you's mean is above the other's.
    """

    against: str
    metric: str
    test: PairedTest
    apart: bool
    ahead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayExperiment:
    """All methods, for people whose last ``history`` events are known.

    Attributes:
        history: Number of known events.
        people: Number of people in all logs.
        logs: Number of logs that have such people.
        targets: Products that a person wanted afterwards, on average.
        methods: Each method, ``for-you`` first.
        comparisons: Of ``for-you`` with each of the others.
    """

    history: int
    people: int
    logs: int
    targets: float
    methods: tuple[MethodResult, ...]
    comparisons: tuple[ReplayComparison, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OffPolicyEstimate:
    """What a policy earns, estimated from a log.

    Attributes:
        ips: Reward for each answer, by inverse propensity scores. Unbiased under the model if nothing is clipped,
            and wide if few impressions count.
        snips: Reward for each impression, self-normalized: a weighted mean, never beyond the rewards.
        effective: Effective sample size ``(sum w)^2 / sum w^2``: as many impressions of equal weight tell as much.
        support: Share of the impressions that the policy shows at all.
        impressions: Number of impressions.
        answers: Number of answers that they are from.
        clipped: Share of the weights that were clipped.
    """

    ips: Interval
    snips: Interval
    effective: float
    support: float
    impressions: int
    answers: int
    clipped: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OffPolicyResult:
    """What one method would have earned with the recorded answers; ``as logged`` is the one that made them."""

    method: str
    estimate: OffPolicyEstimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedLog:
    """A log and its split.

    Attributes:
        name: What it is called.
        events: Number of events, impressions among them.
        impressions: Number of events that only say that a product was shown in a list.
        people: Number of people.
        simulated: Whether these are simulated shoppers: then all figures are about a simulation.
        split_at: The time of the split, ISO 8601, UTC.
        before: Number of events before it, without impressions.
        after: Number of events from it on, without impressions.
        foreseen: Types of the events that are predicted.
        unknown_products: Number of events with products that the catalog does not have.
        rejected: Number of lines of a file that were no valid events.
        left_out: Number of events by types that have no meaning here.
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
    rejected: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySetup:
    """What was replayed, and how: enough to do it again.

    Attributes:
        logs: The logs.
        products: Products in the catalog.
        k: Length of lists.
        seed: For everything random.
        eta: How fast attention falls with the rank in recorded answers.
        clip: Largest weight of a recorded reward; None for no bound.
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
        experiments: One for each length of known histories.
        off_policy: From the recorded answers; empty if there are none after the split.
        seconds: Time of each part, for all logs.
    """

    setup: ReplaySetup
    experiments: tuple[ReplayExperiment, ...]
    off_policy: tuple[OffPolicyResult, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
