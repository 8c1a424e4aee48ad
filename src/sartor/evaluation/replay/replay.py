"""Goes back to a time in logs, recommends with what was known then, and looks at what people did afterwards."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from sartor.errors import BadEvent, NothingToEvaluate
from sartor.evaluation.replay.lists import Asked, Known, Stage, experiment, judge
from sartor.evaluation.replay.recorded import asked_of, off_policy, recorded, recorded_answers
from sartor.evaluation.replay.results import Replay, ReplayedLog, ReplaySetup
from sartor.evaluation.results import machine_words, now, versions
from sartor.evaluation.simulation.simulate import SIMULATED
from sartor.evaluation.splits import LOOKED_AT, WANTED, cases_of, last_events, split_in_time, telling
from sartor.events.files import open_events
from sartor.events.model import event_of
from sartor.recommend.personal.interactions import Interactions
from sartor.store.sqlite.events import SqliteEventStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sartor.evaluation.replay.lists import Engine, Judged, ReplayRequest
    from sartor.evaluation.replay.recorded import Recorded
    from sartor.evaluation.replay.results import ReplayExperiment
    from sartor.evaluation.retrieval import ShowProgress
    from sartor.evaluation.splits import Case, TimeSplit
    from sartor.events.model import Event, EventType, Person


class LogFile:
    """Events of a CSV or JSON Lines file, as ``sartor events import`` reads it; read when they are asked for.

    Args:
        path: The file.
        now_s: Now, in seconds since 1970 UTC; later events are rejected.

    Attributes:
        name: What the file is called.
        rejected: Lines that told no event, the last time they were read.

    Raises:
        SourceNotFound: There is no such file.
        UnreadableTable: It is no file of events.
    """

    def __init__(self, path: Path, *, now_s: float) -> None:
        with open_events(path):  # what cannot be read is told before hours are spent on another file
            pass
        self.name, self.rejected = path.name, 0
        self._path, self._now_s = path, now_s

    def __iter__(self) -> Iterator[Event]:
        self.rejected = 0
        with open_events(self._path) as file:
            for line in file:
                try:
                    yield event_of(line.fields or {}, now_s=self._now_s)
                except BadEvent:
                    self.rejected += 1


_ADDED_AT_ONCE = 20_000
_PACKAGES = ("sartor", "numpy", "scipy", "qdrant-edge-py")


def replay(
    logs: Iterable[tuple[str, Iterable[Event]]],
    order: ReplayRequest,
    *,
    catalog: Sequence[str],
    engine: Engine,
    show: ShowProgress,
) -> Replay:
    """Replay logs, each by itself, and judge the lists of all of them together.

    Of the people who are asked for, the crowd knows the same last events as for-you does and no more; of all
    others, everything before the split. So nobody's own later or earlier deeds help to foresee what they want.

    Args:
        logs: Name and events of each, the events in any order.
        order: What is asked.
        catalog: Ids of the products that can be recommended.
        engine: Opens what recommends.
        show: Shows the progress of something named.

    Raises:
        NothingToEvaluate: A log is empty, or nobody comes before its split and wants something after it.
    """
    parts = [_replayed(name, events, order, catalog, engine, show) for name, events in logs]
    if not parts:
        raise NothingToEvaluate(reason="there is no log")
    experiments = tuple(
        experiment(judged, history=history, seed=order.seed)
        for history in sorted(set(order.histories))
        if (judged := [part.judged[history] for part in parts if history in part.judged])
    )
    answers = [part.recorded for part in parts if part.recorded is not None]
    seconds = Counter[str]()
    for part in parts:
        seconds.update(part.seconds)
    return Replay(
        setup=_setup([part.log for part in parts], order, catalog, experiments=experiments, answers=len(answers)),
        experiments=experiments,
        off_policy=off_policy(answers, eta=order.eta, clip=order.clip, seed=order.seed),
        seconds=seconds,
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Part:
    """What one log showed: the lists by how much is known of a person, and those in place of recorded answers."""

    log: ReplayedLog
    judged: dict[int, Judged]
    recorded: Recorded | None
    seconds: dict[str, float]


def _replayed(  # noqa: PLR0913, PLR0917 - the parts of a replay
    name: str,
    events: Iterable[Event],
    order: ReplayRequest,
    catalog: Sequence[str],
    engine: Engine,
    show: ShowProgress,
) -> _Part:
    began_s = time.perf_counter()
    split = split_in_time(events)
    if not split.before:
        raise NothingToEvaluate(reason=f"{name} has no events before a time, and some after it")
    foreseen, cases = _cases(name, split, catalog)
    split_s = time.perf_counter() - began_s
    with TemporaryDirectory(prefix="sartor-replay-", ignore_cleanup_errors=True) as directory:
        store = SqliteEventStore(Path(directory) / "events.sqlite3")
        try:
            theater = _Theater(split, store, catalog, engine, order, show)
            judged, recorded = theater.judged(cases), theater.recorded()
        finally:
            store.close()
    return _Part(
        log=_told(name, split, catalog, foreseen),
        judged=judged,
        recorded=recorded,
        seconds={"split": split_s} | theater.seconds,
    )


def _cases(name: str, split: TimeSplit, catalog: Sequence[str]) -> tuple[tuple[EventType, ...], list[Case]]:
    """What is foreseen, and of whom: likes, carts and purchases, or where there are none, looks."""
    there = frozenset(catalog)
    for wanted in (WANTED, LOOKED_AT):
        if cases := cases_of(split, there, wanted=wanted):
            return wanted, cases
    raise NothingToEvaluate(
        reason=f"nobody did something before {_iso(split.at_s)}, at which {name} is split, and wanted something "
        "new of this catalog after it; the log needs a longer time, or the ids of other products"
    )


class _Theater:
    """Fills the store step by step with what is known, and has each way recommend."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a replay
        self,
        split: TimeSplit,
        store: SqliteEventStore,
        catalog: Sequence[str],
        engine: Engine,
        order: ReplayRequest,
        show: ShowProgress,
    ) -> None:
        self._split, self._store, self._catalog = split, store, catalog
        self._engine, self._order, self._show = engine, order, show
        self.seconds: dict[str, float] = {}

    def judged(self, cases: Sequence[Case]) -> dict[int, Judged]:
        order = self._order
        chosen = self._chosen(cases)
        asked_for = {case.person for group in chosen.values() for case in group}
        self._add([event for event in self._split.before if event.person not in asked_for])
        found = {}
        for history, group in chosen.items():
            everybody = {case.person: case for other in chosen.values() for case in other}
            self._add([event for case in everybody.values() for event in last_events(case.history, history)])
            if not group:
                continue
            stage = self._stage()
            asked = [Asked(person=case.person, k=order.k, without=case.done) for case in group]
            lists = self._lists(stage, asked, f"{history} event{'s' if history > 1 else ''}")
            known = Known(self._split.before, stage.rows)
            found[history] = judge(lists, group, stage, known, k=order.k)
        self._add(self._split.before)
        return found

    def recorded(self) -> Recorded | None:
        order = self._order
        answers = recorded_answers(self._split, most=order.people, rng=np.random.default_rng(order.seed))
        if not answers:
            return None
        lists = self._lists(self._stage(), asked_of(answers), "recorded answers")
        return recorded(answers, lists, self._catalog)

    def _chosen(self, cases: Sequence[Case]) -> dict[int, list[Case]]:
        """Whom each experiment asks for: at most half of all people, so that a crowd is left."""
        people = len({event.person for event in self._split.before})
        most = min(self._order.people, max(1, people // 2))
        drawn = np.random.default_rng(self._order.seed).permutation(len(cases))
        shuffled = [cases[place] for place in drawn]
        return {
            history: [case for case in shuffled if len(telling(case.history)) >= history][:most]
            for history in sorted(set(self._order.histories))
        }

    def _stage(self) -> Stage:
        crowd = Interactions(self._store)
        crowd.follow()
        crowd.learn()
        return Stage(self._engine(self._store, crowd), self._catalog, now_s=self._split.at_s)

    def _lists(self, stage: Stage, asked: Sequence[Asked], what: str) -> dict[str, list[np.ndarray]]:
        found = {}
        for method in self._order.methods:
            began_s = time.perf_counter()
            with self._show(f"{what}: {method.name}") as on_progress:
                found[method.name] = stage.lists(method, asked, seed=self._order.seed, on_progress=on_progress)
            self.seconds[f"{what}: {method.name}"] = time.perf_counter() - began_s
        return found

    def _add(self, events: Sequence[Event]) -> None:
        for start in range(0, len(events), _ADDED_AT_ONCE):
            self._store.add(events[start : start + _ADDED_AT_ONCE])


def _told(name: str, split: TimeSplit, catalog: Sequence[str], foreseen: Sequence[EventType]) -> ReplayedLog:
    people: set[Person] = {
        event.person for part in (split.before, split.after, split.impressions) for event in part
    }
    there = frozenset(catalog)
    told = (*split.before, *split.after)
    return ReplayedLog(
        name=name,
        events=len(told) + len(split.impressions),
        impressions=len(split.impressions),
        people=len(people),
        simulated=any(person.id.startswith(SIMULATED) for person in people),
        split_at=_iso(split.at_s),
        before=len(split.before),
        after=len(split.after),
        foreseen=tuple(foreseen),
        unknown_products=sum(bool(event.product_id) and event.product_id not in there for event in told),
    )


def _setup(
    logs: Sequence[ReplayedLog],
    order: ReplayRequest,
    catalog: Sequence[str],
    *,
    experiments: Sequence[ReplayExperiment],
    answers: int,
) -> ReplaySetup:
    return ReplaySetup(
        logs=tuple(logs),
        products=len(catalog),
        k=order.k,
        seed=order.seed,
        eta=order.eta,
        clip=order.clip,
        model=order.model,
        command=order.command,
        versions=versions(_PACKAGES),
        machine=machine_words(),
        made_at=now(),
        notes=tuple(_notes(logs, order, experiments, answers=answers)),
    )


def _notes(
    logs: Sequence[ReplayedLog], order: ReplayRequest, experiments: Sequence[ReplayExperiment], *, answers: int
) -> Iterator[str]:
    done = {experiment.history for experiment in experiments}
    for history in sorted(set(order.histories) - done):
        yield f"nobody has {history} events before the split and wants something new after it"
    for log in logs:
        if log.unknown_products:
            yield f"{log.unknown_products:,} events of {log.name} are of products that the catalog does not have"
    if not answers:
        yield "no answer with its impressions is recorded after the split, so nothing is estimated off-policy"


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds")
