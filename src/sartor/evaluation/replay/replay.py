"""The replay of logs: go back to a time, recommend with what was known, compare with what people did next."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from sartor.errors import BadEvent, NothingToEvaluate
from sartor.evaluation.replay.lists import EngineAtSplit, ListRequest, experiment, score_lists
from sartor.evaluation.replay.off_policy import list_requests, off_policy, recorded, recorded_answers
from sartor.evaluation.replay.results import Replay, ReplayedLog, ReplaySetup
from sartor.evaluation.results import machine_words, now, versions
from sartor.evaluation.simulation.simulate import SIMULATED
from sartor.evaluation.splits import LOOKED_AT, WANTED, cases_of, last_events, preferences_in, split_in_time
from sartor.events.files import open_events
from sartor.events.model import event_of
from sartor.recommend.personal.interactions import Interactions
from sartor.store.sqlite.events import SqliteEventStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sartor.evaluation.ranking import Indices
    from sartor.evaluation.replay.lists import Engine, LogScores, ReplayRequest
    from sartor.evaluation.replay.off_policy import Recorded
    from sartor.evaluation.replay.results import ReplayExperiment
    from sartor.evaluation.splits import Case, TimeSplit
    from sartor.evaluation.task import ShowProgress
    from sartor.events.model import Event, EventType

_ADDED_AT_ONCE = 20_000
_PACKAGES = ("sartor", "numpy", "scipy", "qdrant-edge-py")


class LogFile:
    """Events of a CSV or JSON Lines file, as ``sartor events import`` reads it; read at each iteration.

    Args:
        path: The file.
        now_s: Now, in seconds since 1970 UTC; later events are rejected.

    Attributes:
        name: What the file is called.
        rejected: Number of lines that were not valid events, at the last iteration.
        left_out: Number of events of each type that has no meaning here, likewise.

    Raises:
        SourceNotFound: There is no such file.
        UnreadableTable: It is not a file of events.
    """

    def __init__(self, path: Path, *, now_s: float) -> None:
        with open_events(path):  # fails now, before hours are spent on another file
            pass
        self.name, self.rejected = path.name, 0
        self.left_out: Counter[str] = Counter()
        self._path, self._now_s = path, now_s

    def __iter__(self) -> Iterator[Event]:
        self.rejected = 0
        self.left_out.clear()
        with open_events(self._path) as file:
            for line in file:
                if line.left_out is not None:
                    self.left_out[line.left_out] += 1
                    continue
                try:
                    yield event_of(line.fields or {}, now_s=self._now_s)
                except BadEvent:
                    self.rejected += 1


def replay(
    logs: Iterable[tuple[str, Iterable[Event]]],
    request: ReplayRequest,
    *,
    catalog: Sequence[str],
    engine: Engine,
    show: ShowProgress,
) -> Replay:
    """Replay logs, each by itself, and judge the lists of all of them together.

    For people who get a list, the engine knows only their last events, in item co-occurrence and popularity, too;
    for all others it knows everything before the split. So nobody's own earlier or later events help to predict
    what they want.

    Args:
        logs: Name and events of each, the events in any order.
        request: What to replay.
        catalog: Ids of the products that can be recommended.
        engine: Makes what recommends.
        show: Opens a progress display.

    Raises:
        NothingToEvaluate: There is no log; or in one, nobody did something before the split and wanted something
            after it.
    """
    parts = [_LogReplay(name, events, request, catalog, engine, show).result() for name, events in logs]
    if not parts:
        raise NothingToEvaluate(reason="there is no log")
    experiments = tuple(
        experiment(scores, history=history, seed=request.seed)
        for history in sorted(set(request.histories))
        if (scores := [part.scores[history] for part in parts if history in part.scores])
    )
    answers = [part.recorded for part in parts if part.recorded is not None]
    seconds = Counter[str]()
    for part in parts:
        seconds.update(part.seconds)
    return Replay(
        setup=_setup([part.log for part in parts], request, catalog, experiments, answers=len(answers)),
        experiments=experiments,
        off_policy=off_policy(answers, eta=request.eta, clip=request.clip, seed=request.seed),
        seconds=seconds,
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _LogResult:
    """One log: scores by length of known histories, and what was shown in recorded answers."""

    log: ReplayedLog
    scores: dict[int, LogScores]
    recorded: Recorded | None
    seconds: dict[str, float]


class _LogReplay:
    """Replays one log: fills an event store step by step with what is known, and has each method recommend."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a replay
        self,
        name: str,
        events: Iterable[Event],
        request: ReplayRequest,
        catalog: Sequence[str],
        engine: Engine,
        show: ShowProgress,
    ) -> None:
        began_s = time.perf_counter()
        self._name, self._request, self._catalog, self._engine, self._show = name, request, catalog, engine, show
        self._split = split_in_time(events)
        if not self._split.before:
            raise NothingToEvaluate(reason=f"{name} has no events before a time, and some after it")
        self._predicted, self._cases = _cases(name, self._split, catalog)
        self._seconds = {"split": time.perf_counter() - began_s}
        self._rejected, self._left_out = 0, Counter[str]()
        if isinstance(events, LogFile):
            self._rejected, self._left_out = events.rejected, events.left_out

    def result(self) -> _LogResult:
        with TemporaryDirectory(prefix="sartor-replay-", ignore_cleanup_errors=True) as directory:
            store = SqliteEventStore(Path(directory) / "events.sqlite3")
            try:
                scores, recorded = self._scores(store), self._recorded(store)
            finally:
                store.close()
        log = replace(
            _described(self._name, self._split, self._catalog, self._predicted),
            rejected=self._rejected,
            left_out=dict(self._left_out.most_common()),
        )
        return _LogResult(log=log, scores=scores, recorded=recorded, seconds=self._seconds)

    def _scores(self, store: SqliteEventStore) -> dict[int, LogScores]:
        before, k = self._split.before, self._request.k
        sampled = self._sampled()
        cases = {case.person: case for group in sampled.values() for case in group}
        _add(store, [event for event in before if event.person not in cases])
        scores = {}
        for history, group in sampled.items():
            _add(store, [event for case in cases.values() for event in last_events(case.history, history)])
            if not group:
                continue
            engine = self._engine_at_split(store)
            requests = [ListRequest(person=case.person, k=k, without=case.done) for case in group]
            lists = self._lists(engine, requests, f"{history} event{'s' if history > 1 else ''}")
            scores[history] = score_lists(lists, group, engine, before, k=k)
        _add(store, before)
        return scores

    def _recorded(self, store: SqliteEventStore) -> Recorded | None:
        rng = np.random.default_rng(self._request.seed)
        answers = recorded_answers(self._split, limit=self._request.people, rng=rng)
        if not answers:
            return None
        lists = self._lists(self._engine_at_split(store), list_requests(answers), "recorded answers")
        return recorded(answers, lists, self._catalog)

    def _sampled(self) -> dict[int, list[Case]]:
        """The people of each experiment: at most half of all, so that enough others are left."""
        people = len({event.person for event in self._split.before})
        limit = min(self._request.people, max(1, people // 2))
        shuffled = np.random.default_rng(self._request.seed).permutation(len(self._cases))
        cases = [self._cases[number] for number in shuffled]
        return {
            history: [case for case in cases if len(preferences_in(case.history)) >= history][:limit]
            for history in sorted(set(self._request.histories))
        }

    def _engine_at_split(self, store: SqliteEventStore) -> EngineAtSplit:
        interactions = Interactions(store)
        interactions.follow()
        interactions.learn()
        return EngineAtSplit(self._engine(store, interactions), self._catalog, now_s=self._split.at_s)

    def _lists(
        self, engine: EngineAtSplit, requests: Sequence[ListRequest], what: str
    ) -> dict[str, list[Indices]]:
        lists = {}
        for method in self._request.methods:
            began_s, title = time.perf_counter(), f"{what}: {method.name}"
            with self._show(title) as on_progress:
                lists[method.name] = engine.lists(
                    method, requests, seed=self._request.seed, on_progress=on_progress
                )
            self._seconds[title] = time.perf_counter() - began_s
        return lists


def _add(store: SqliteEventStore, events: Sequence[Event]) -> None:
    for start in range(0, len(events), _ADDED_AT_ONCE):
        store.add(events[start : start + _ADDED_AT_ONCE])


def _cases(name: str, split: TimeSplit, catalog: Sequence[str]) -> tuple[tuple[EventType, ...], list[Case]]:
    """What is predicted, and for whom: likes, carts and purchases, or looks if there are none of these."""
    products = frozenset(catalog)
    for types in (WANTED, LOOKED_AT):
        if cases := cases_of(split, products, types=types):
            return types, cases
    raise NothingToEvaluate(
        reason=f"nobody did something before {_iso(split.at_s)}, at which {name} is split, and wanted something "
        "new of this catalog after it; the log needs a longer time, or the ids of other products"
    )


def _described(name: str, split: TimeSplit, catalog: Sequence[str], predicted: Sequence[EventType]) -> ReplayedLog:
    products = frozenset(catalog)
    events = (*split.before, *split.after)
    people = {event.person for event in (*events, *split.impressions)}
    return ReplayedLog(
        name=name,
        events=len(events) + len(split.impressions),
        impressions=len(split.impressions),
        people=len(people),
        simulated=any(person.id.startswith(SIMULATED) for person in people),
        split_at=_iso(split.at_s),
        before=len(split.before),
        after=len(split.after),
        foreseen=tuple(predicted),
        unknown_products=sum(bool(event.product_id) and event.product_id not in products for event in events),
    )


def _setup(
    logs: Sequence[ReplayedLog],
    request: ReplayRequest,
    catalog: Sequence[str],
    experiments: Sequence[ReplayExperiment],
    *,
    answers: int,
) -> ReplaySetup:
    return ReplaySetup(
        logs=tuple(logs),
        products=len(catalog),
        k=request.k,
        seed=request.seed,
        eta=request.eta,
        clip=request.clip,
        model=request.model,
        command=request.command,
        versions=versions(_PACKAGES),
        machine=machine_words(),
        made_at=now(),
        notes=tuple(_notes(logs, request, experiments, answers=answers)),
    )


def _notes(
    logs: Sequence[ReplayedLog], request: ReplayRequest, experiments: Sequence[ReplayExperiment], *, answers: int
) -> Iterator[str]:
    done = {experiment.history for experiment in experiments}
    for history in sorted(set(request.histories) - done):
        yield f"nobody has {history} events before the split and wants something new after it"
    for log in logs:
        if log.unknown_products:
            yield f"{log.unknown_products:,} events of {log.name} are of products that the catalog does not have"
        if log.rejected:
            yield f"{log.rejected:,} lines of {log.name} had no event"
        if log.left_out:
            types = ", ".join(f"{name} {count:,}" for name, count in log.left_out.items())
            yield f"left out of {log.name}, as these types have no meaning here: {types}"
    if not answers:
        yield "no answer with its impressions is recorded after the split, so nothing is estimated off-policy"


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds")
