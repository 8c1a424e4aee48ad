"""Events in MongoDB: followers skip nothing, erasure leaves nothing, and the answers are those of SQLite."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from threading import Event as Signal
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sartor.errors import SartorError, StoreAway
from sartor.events.model import Event, EventType, Person, Taken
from sartor.store.sqlite.events import SqliteEventStore
from tests.store.test_event_erasure import an_event, people_of

pytest.importorskip("pymongo")

import bson

from sartor.store.mongo.database import MongoDatabase
from sartor.store.mongo.events import LANES, MongoEventStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sartor.store.base import EventPosition, EventStore

pytestmark = pytest.mark.engines

ANN, BOB, GUEST = Person.user("ann"), Person.user("bob"), Person.visitor("guest")
SOME = (EventType.VIEW, EventType.LIKE, EventType.PURCHASE)
OURS = ("events", "event_people", "event_baskets", "event_lanes")

# Adds events without end, and prints the ids of each batch once it is acknowledged.
WRITER = """
import random, sys
from sartor.events.model import Event, EventType, Person
from sartor.store.mongo.database import MongoDatabase
from sartor.store.mongo.events import MongoEventStore

address, name, lane = sys.argv[1:]
rng = random.Random(name)
store = MongoEventStore(MongoDatabase(address))
store._lane = int(lane)
number = 0
while True:
    batch = []
    for _ in range(rng.choice((1, 1, 3, 20))):
        number += 1
        # Nobody else has these people: MongoDB lets a killed process's transaction hold them for a minute.
        person = Person.user(f"{name}-{rng.randrange(200)}")
        event_id = f"{name}-{number}"
        batch.append(Event(id=event_id, type=EventType.CLICK, person=person, at_s=1.0, product_id=event_id))
    try:
        store.add(batch)
    except Exception as error:
        print("#", error, flush=True)
    else:
        print(*(event.id for event in batch), flush=True)
"""


@pytest.fixture
def database(mongodb_address: str) -> Iterator[MongoDatabase]:
    opened = MongoDatabase(mongodb_address)
    yield opened
    opened.close()


@pytest.fixture
def store(database: MongoDatabase) -> MongoEventStore:
    return MongoEventStore(database)


def event(
    event_id: str,
    person: Person = ANN,
    *,
    at_s: float = 0.0,
    type: EventType = EventType.CLICK,  # noqa: A002 - the field's word
    product_id: str = "p",
    **fields: object,
) -> Event:
    return Event(id=event_id, type=type, person=person, at_s=at_s, product_id=product_id, **fields)


def ids(events: list[Event]) -> list[str]:
    return [each.id for each in events]


class Writers:
    """Processes that add events."""

    def __init__(self, address: str, directory: Path) -> None:
        self._address, self._directory = address, directory
        self._processes: list[tuple[subprocess.Popen[bytes], Path]] = []

    def start(self, lane: int) -> int:
        output = self._directory / f"writer-{len(self._processes)}.txt"
        with output.open("wb") as file:
            command = [sys.executable, "-c", WRITER, self._address, f"w{len(self._processes)}", str(lane)]
            self._processes.append((subprocess.Popen(command, stdout=file), output))
        return len(self._processes) - 1

    def has_added(self, rank: int) -> bool:
        return self._processes[rank][1].stat().st_size > 0

    def signal(self, rank: int, number: signal.Signals) -> None:
        self._processes[rank][0].send_signal(number)

    def end(self) -> None:
        for process, _ in self._processes:
            process.kill()
            process.wait()

    @property
    def acknowledged(self) -> set[str]:
        lines = [line for _, output in self._processes for line in output.read_text().splitlines(keepends=True)]
        return {one for line in lines if line.endswith("\n") and line[0] != "#" for one in line.split()}

    @property
    def errors(self) -> list[str]:
        return [
            line for _, output in self._processes for line in output.read_text().splitlines() if line[0] == "#"
        ]


class Follower:
    """Reads all the time, by pages that are no multiple of anything, and counts how often it saw each event."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._position: EventPosition = {}
        self.seen: Counter[str] = Counter()

    def read(self) -> int:
        rows = self._store.after(self._position, limit=37)
        self._position = rows.position
        self.seen.update(rows.product_ids[place] for place in rows.products)
        return len(rows)

    def read_for(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            if not self.read():
                time.sleep(0.005)

    def read_rest(self) -> None:
        while self.read():
            pass


@pytest.mark.parametrize("seed", range(2))
def test_a_follower_skips_nothing_and_sees_nothing_twice_while_writers_pause_and_are_killed(
    mongodb_address: str, database: MongoDatabase, store: MongoEventStore, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    follower, writers = Follower(store), Writers(mongodb_address, tmp_path)
    lanes = [0, 0, 1, 2]  # two share one
    running = [writers.start(lane) for lane in lanes]
    try:
        for _ in range(5):
            deadline_s = time.monotonic() + 60
            while not all(map(writers.has_added, running)):
                assert time.monotonic() < deadline_s, "every writer gets its turn"
                follower.read_for(0.1)
            paused, killed = rng.sample(running, 2)
            writers.signal(paused, signal.SIGSTOP)
            follower.read_for(rng.uniform(0.1, 0.6))
            writers.signal(killed, signal.SIGKILL)
            running.remove(killed)
            follower.read_for(rng.uniform(0.1, 0.6))
            writers.signal(paused, signal.SIGCONT)
            running.append(writers.start(rng.choice(lanes)))
    finally:
        writers.end()
    follower.read_rest()
    stored = {document["_id"] for document in database.collection("events").find({}, {"_id": 1})}
    assert writers.errors == []
    assert writers.acknowledged <= stored, "what was acknowledged is there"
    assert follower.seen == Counter(dict.fromkeys(stored, 1)), f"seed {seed}"
    assert store.counts()[0] == len(stored)
    assert_consistent(database)


def test_events_of_a_writer_that_waits_with_its_commit_are_read_after_it(
    database: MongoDatabase, store: MongoEventStore
) -> None:
    slow, fast, follower = MongoEventStore(database), MongoEventStore(database), Follower(store)
    slow._lane = fast._lane = 3
    written, may_commit = Signal(), Signal()
    write = slow._write

    def write_and_wait(*arguments: object) -> None:
        write(*arguments)  # type: ignore[arg-type]
        written.set()
        may_commit.wait(20)

    slow._write = write_and_wait  # type: ignore[method-assign]
    thread = Thread(target=slow.add, args=([event("late-1", product_id="late-1"), event("late-2", BOB)],))
    thread.start()
    try:
        assert written.wait(20)
        fast.add([event("fast-1", GUEST, product_id="fast-1")])
        follower.read_rest()
        assert follower.seen == {"fast-1": 1}
    finally:
        may_commit.set()
        thread.join()
    fast.add([event("fast-2", GUEST, product_id="fast-2")])
    follower.read_rest()
    assert follower.seen == {"fast-1": 1, "late-1": 1, "p": 1, "fast-2": 1}


def test_acknowledged_events_outlive_a_kill_of_the_server(tmp_path: Path, mongodb_server: str) -> None:
    from tools.engines.mongodb import MongoServer

    with MongoServer(tmp_path / "server") as server:
        database = MongoDatabase(f"{server.address}/shop")
        stores = [MongoEventStore(database) for _ in range(3)]
        acknowledged: set[str] = set()
        stopped = Signal()

        def write(rank: int) -> None:
            number = 0
            while not stopped.is_set():
                number += 1
                one = event(f"{rank}-{number}", Person.user(str(rank)), product_id=f"{rank}-{number}")
                with suppress(StoreAway):
                    stores[rank].add([one])
                    acknowledged.add(one.id)

        threads = [Thread(target=write, args=(rank,)) for rank in range(3)]
        for thread in threads:
            thread.start()
        follower = Follower(MongoEventStore(database))
        try:
            for _ in range(2):
                follower.read_for(1.0)
                server.kill()
                with pytest.raises(StoreAway, match="does not answer"):
                    follower.read()
                server.start()
        finally:
            follower.read_for(1.0)
            stopped.set()
            for thread in threads:
                thread.join()
        follower.read_rest()
        stored = {document["_id"] for document in database.collection("events").find({}, {"_id": 1})}
        assert acknowledged <= stored
        assert follower.seen == Counter(dict.fromkeys(stored, 1))
        assert_consistent(database)
        database.close()


def assert_consistent(database: MongoDatabase) -> None:
    """Every event is of a person, every basket has events, and the counters are what there is."""
    people = {one["number"] for one in database.collection("event_people").find({})}
    events = list(database.collection("events").find({}))
    assert {one["person"] for one in events} <= people
    baskets = {one["_id"]: one["number"] for one in database.collection("event_baskets").find({})}
    assert {one["basket"]: one["basket_number"] for one in events if "basket" in one} == baskets
    totals: Counter[str] = Counter()
    for lane in database.collection("event_lanes").find({}):
        totals.update({name: lane.get(name, 0) for name in ("events", "people", "forgotten")})
    assert (totals["events"], totals["people"] - totals["forgotten"]) == (len(events), len(people))


def traces(database: MongoDatabase, *marks: str) -> list[tuple[str, str]]:
    """Which of the marks stand in which collections, of whatever owner."""
    with database.calling() as opened:
        return [
            (name, mark)
            for name in opened.list_collection_names()
            for document in opened[name].find({})
            for mark in marks
            if mark.encode() in bson.encode(document)
        ]


@pytest.mark.parametrize("seed", range(2))
def test_no_collection_holds_a_trace_of_who_was_forgotten(
    database: MongoDatabase, store: MongoEventStore, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    sent: list[Event] = []
    forgotten: list[int] = []
    for _ in range(6):
        living = [who for who in range(12) if who not in forgotten]
        batch = [an_event(rng, rng.choice(living)) for _ in range(60)]
        sent += batch
        store.add(batch)
        for who in living:
            for visitor in people_of(batch, who):
                if visitor.kind == "visitor" and rng.random() < 0.3 and store.resolve(visitor) == visitor:
                    store.merge(visitor.id, into=f"owner-{who}-person0")
        leaving = rng.choice(living)
        assert traces(database, f"owner-{leaving}-") or not people_of(sent, leaving)
        for person in people_of(sent, leaving):
            store.forget(person)
        forgotten.append(leaving)
        assert traces(database, *(f"owner-{who}-" for who in forgotten)) == []
        assert_consistent(database)
    kept = {each.id for each in sent if not each.id.startswith(tuple(f"owner-{who}-" for who in forgotten))}
    assert store.counts()[0] == len(kept)
    for person in {each.person for each in sent}:
        store.forget(person)
    assert (store.counts(), store.product_counts()) == ((0, 0), {})
    assert traces(database, "owner-", "shirt", "boots") == []


def test_a_shopper_with_very_many_events_is_forgotten(database: MongoDatabase, store: MongoEventStore) -> None:
    store.add([event(f"event-{number}", basket_id=f"basket-{number % 7}") for number in range(1_203)])
    store.add([event("of-bob", BOB, basket_id="basket-3")])
    assert store.forget(ANN) == 1_203
    assert not store.holds(ANN)
    assert store.counts() == (1, 1)
    assert traces(database, "ann", "event-12", "basket-4") == []
    assert_consistent(database)


def test_an_event_that_is_added_while_its_person_is_forgotten_stays_with_the_person_or_not_at_all(
    database: MongoDatabase, store: MongoEventStore
) -> None:
    stopped, added = Signal(), Counter[str]()

    def write(rank: int) -> None:
        own = MongoEventStore(database)
        while not stopped.is_set():
            added[str(rank)] += 1
            person = ANN if rank % 2 else GUEST
            own.add([event(f"owner-{rank}-{added[str(rank)]}", person, basket_id=f"owner-basket-{rank % 2}")])
            time.sleep(0.01)  # else the erasure hardly ever gets its turn

    store.merge("guest", into="ann")
    threads = [Thread(target=write, args=(rank,)) for rank in range(3)]
    for thread in threads:
        thread.start()
    erased = 0
    try:
        for _ in range(15):
            erased += store.forget(ANN) + store.forget(GUEST)
            with suppress(SartorError):  # by then, the visitor may be another user's
                store.merge("guest", into="ann")
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
    assert_consistent(database)
    erased += store.forget(ANN) + store.forget(GUEST)
    assert erased == added.total() > 0
    assert traces(database, "owner-", "ann", "guest") == []


def test_lanes_share_the_events_of_a_page_fairly_and_a_page_of_one_goes_on(database: MongoDatabase) -> None:
    stores = [MongoEventStore(database) for _ in range(LANES)]
    for lane, one in enumerate(stores):
        one._lane = lane
    stores[0].add([event("shown", recommendation_id="r", position=1, type=EventType.VIEW)])
    stores[1].add([event(f"many-{number}", product_id=f"many-{number}") for number in range(20)])
    stores[2].add([event("few-1", product_id="few-1"), event("few-2", product_id="few-2")])
    rows = stores[3].after({}, limit=6)
    assert sorted(rows.product_ids) == ["few-1", "few-2", *(f"many-{number}" for number in range(4))]
    follower, position = Counter[str](), {}
    while len(rows := stores[3].after(position, limit=1)):
        assert len(rows) == 1
        follower.update(rows.product_ids)
        position = rows.position
    assert follower == Counter({f"many-{number}": 1 for number in range(20)} | {"few-1": 1, "few-2": 1})


def test_numbers_of_people_are_small_and_not_given_again(store: MongoEventStore) -> None:
    store.add([event(str(number), Person.user(str(number))) for number in range(50)])
    first = store.after({}, limit=99).people
    assert min(first) >= 1
    assert max(first) < 50 * (LANES + 1) + LANES + 1
    store.forget(Person.user("7"))
    store.add([event("again", Person.user("7"))])
    assert store.after({}, limit=99).people[-1] not in first


class Pair:
    """The same calls on MongoDB and on SQLite, whose answers have to be the same."""

    def __init__(self, one: EventStore, other: EventStore) -> None:
        self._stores = one, other
        self._erasures = [store.erasures() for store in self._stores]

    def both(self, call: Callable[[EventStore], object]) -> object:
        answers = []
        for store in self._stores:
            try:
                answers.append(call(store))
            except SartorError as error:
                answers.append((type(error), str(error)))
        assert answers[0] == answers[1]
        return answers[0]

    def compare(self, people: list[Person], *, page: int) -> None:
        self.both(lambda store: store.counts())
        self.both(lambda store: store.product_counts())
        for person in people:
            self.both(lambda store, person=person: store.resolve(person))
            self.both(lambda store, person=person: store.holds(person))
            self.both(lambda store, person=person: store.visitors(person))
            self.both(lambda store, person=person: store.history(person))
            self.both(lambda store, person=person: store.recent(person, limit=3))
            self.both(lambda store, person=person: store.recent(person, limit=9, until_s=2.0, types=SOME))
            self.both(lambda store, person=person: store.products_of(person, SOME))
        for limit in (page, 5_000):
            self.both(lambda store, limit=limit: rows_of(store, limit))
        before, self._erasures = self._erasures, [store.erasures() for store in self._stores]
        changed = [one != other for one, other in zip(before, self._erasures, strict=True)]
        assert changed[0] == changed[1]


def rows_of(store: EventStore, limit: int) -> list[tuple[object, ...]]:
    """All rows; people and baskets by the order in which they come first, as each store has numbers of its own."""
    found, position = [], {}
    people: dict[int, int] = {}
    baskets: dict[int, int] = {0: 0}
    while len(rows := store.after(position, limit=limit)):
        position = rows.position
        assert rows.people.dtype == rows.baskets.dtype == rows.products.dtype == np.int64
        assert rows.people.min() > 0
        for row in range(len(rows)):
            place = int(rows.products[row])
            found.append((
                people.setdefault(int(rows.people[row]), len(people)),
                rows.product_ids[place] if place >= 0 else "",
                int(rows.types[row]),
                float(rows.at_s[row]),
                baskets.setdefault(int(rows.baskets[row]), len(baskets)),
            ))  # fmt: skip
    return found


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
VISITORS, USERS = st.sampled_from(["a", "b", "ü"]), st.sampled_from(["a", "b"])
PEOPLE = st.builds(Person.visitor, VISITORS) | st.builds(Person.user, USERS)
PRODUCTS = st.sampled_from(["p", "q", "ü \N{T-SHIRT}"])
EVENTS = st.builds(
    Event,
    id=st.integers(0, 40).map(str) | TEXTS,
    type=st.sampled_from(EventType),
    person=PEOPLE,
    at_s=st.sampled_from([1.0, 2.0, 2.5]) | st.floats(0, 4e9),
    product_id=st.just("") | PRODUCTS,
    recommendation_id=st.just("") | TEXTS,
    position=st.none() | st.integers(1, 10_000),
    quantity=st.integers(1, 10_000),
    price=st.none() | st.floats(0, 1e9),
    basket_id=st.sampled_from(["", "b", "c"]),
    query=st.just("") | TEXTS,
)
CALLS = st.lists(
    st.tuples(st.just("add"), st.lists(EVENTS, max_size=12))
    | st.tuples(st.just("merge"), VISITORS, USERS)
    | st.tuples(st.just("withdraw"), PEOPLE, st.sampled_from(EventType), PRODUCTS)
    | st.tuples(st.just("forget"), PEOPLE),
    max_size=12,
)
EVERYBODY = [*map(Person.visitor, ["a", "b", "ü"]), *map(Person.user, ["a", "b"])]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(CALLS)
def test_any_sequence_of_calls_has_the_answers_of_sqlite(
    database: MongoDatabase, tmp_path_factory: pytest.TempPathFactory, calls: list[tuple[object, ...]]
) -> None:
    for name in OURS:
        database.collection(name).delete_many({})
    sqlite = SqliteEventStore(tmp_path_factory.mktemp("events") / "events.sqlite3")
    pair = Pair(MongoEventStore(database), sqlite)
    for name, *arguments in calls:
        if name == "merge":
            pair.both(lambda store, given=arguments: store.merge(given[0], into=given[1]))
        else:
            pair.both(lambda store, name=name, given=arguments: getattr(store, name)(*given))
    pair.compare(EVERYBODY, page=7)
    assert_consistent(database)
    sqlite.close()


def test_events_come_again_in_any_order_and_count_once(database: MongoDatabase, tmp_path: Path) -> None:
    rng = random.Random(5)  # noqa: S311 - no secret
    sqlite = SqliteEventStore(tmp_path / "events.sqlite3")
    pair = Pair(MongoEventStore(database), sqlite)
    events = [an_event(rng, rng.randrange(6)) for _ in range(700)]
    sent = events + rng.choices(events, k=200)
    rng.shuffle(sent)
    for start in range(0, len(sent), 550):  # more than a transaction takes
        pair.both(lambda store, start=start: store.add(sent[start : start + 550]))
    pair.compare(sorted({each.person for each in events}, key=str), page=300)
    assert MongoEventStore(database).add(sent) == Taken(duplicates=len(sent))
    sqlite.close()
