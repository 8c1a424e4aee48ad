"""How followers read what many writers write: no revision and no event is ever skipped.

A small model of a database with transactions, run in every order that hypothesis thinks of: writers begin, count,
write, pause, commit or die; followers read, lose what they had not saved, and start again. The same model with the
counter outside the transaction fails, so the test can tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test


class ConflictError(Exception):
    """Two transactions changed one document; the later one is begun again."""


@dataclass
class Transaction:
    """What a writer has done and not yet committed."""

    counter: str
    number: int
    base: int  # of the counter when it was read
    payload: int


@dataclass
class Database:
    """Rows by sequence, and the counter of each; transactions conflict as MongoDB's do, on what they change."""

    counters: dict[str, int] = field(default_factory=dict)
    rows: dict[tuple[str, int], int] = field(default_factory=dict)
    counts_inside: bool = True

    def begin(self, counter: str, payload: int) -> Transaction:
        base = self.counters.get(counter, 0)
        if not self.counts_inside:
            self.counters[counter] = base + 1
        return Transaction(counter, base + 1, base, payload)

    def commit(self, transaction: Transaction) -> None:
        if self.counts_inside:
            if self.counters.get(transaction.counter, 0) != transaction.base:
                raise ConflictError
            self.counters[transaction.counter] = transaction.number
        self.rows[transaction.counter, transaction.number] = transaction.payload

    def after(self, position: dict[str, int], limit: int) -> tuple[list[int], dict[str, int]]:
        """As a store reads: of each sequence what is after its last number, in order."""
        found = sorted(key for key in self.rows if key[1] > position.get(key[0], 0))[:limit]
        return [self.rows[key] for key in found], position | dict(found)


@dataclass
class Follower:
    """Has read up to a position; what it has on disk may lag behind, and is never ahead."""

    position: dict[str, int] = field(default_factory=dict)
    seen: list[int] = field(default_factory=list)
    saved: tuple[dict[str, int], list[int]] = field(default_factory=lambda: ({}, []))


class Protocol(RuleBasedStateMachine):
    """Writers and followers of one database."""

    counts_inside = True
    sequences = ("catalog",)

    def __init__(self) -> None:
        super().__init__()
        self.database = Database(counts_inside=self.counts_inside)
        self.open: list[Transaction] = []
        self.committed: list[int] = []
        self.followers = [Follower(), Follower()]
        self.payload = 0

    @rule(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.payload += 1
        self.open.append(self.database.begin(data.draw(st.sampled_from(self.sequences)), self.payload))

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        """A writer that paused for any time commits, and begins again if it was overtaken."""
        transaction = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        try:
            self.database.commit(transaction)
        except ConflictError:
            self.database.commit(self.database.begin(transaction.counter, transaction.payload))
        self.committed.append(transaction.payload)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))

    @rule(which=st.integers(0, 1), limit=st.integers(1, 3))
    def follow(self, which: int, limit: int) -> None:
        follower = self.followers[which]
        rows, follower.position = self.database.after(follower.position, limit)
        follower.seen += rows

    @rule(which=st.integers(0, 1))
    def save(self, which: int) -> None:
        follower = self.followers[which]
        follower.saved = dict(follower.position), list(follower.seen)

    @rule(which=st.integers(0, 1))
    def restart(self, which: int) -> None:
        position, seen = self.followers[which].saved
        self.followers[which] = Follower(dict(position), list(seen), (position, seen))

    @rule()
    def begin_anew(self) -> None:
        """A follower that joins late sees all."""
        self.followers[1] = Follower()

    @invariant()
    def nothing_is_read_twice(self) -> None:
        for follower in self.followers:
            assert len(set(follower.seen)) == len(follower.seen)

    @invariant()
    def nothing_is_skipped(self) -> None:
        for follower in self.followers:
            rest, _ = self.database.after(follower.position, 10**6)
            assert sorted(follower.seen + rest) == sorted(self.committed)


class Lanes(Protocol):
    """Events: each writer has a sequence of its own or shares one, and none is common to all."""

    sequences = ("lane:0", "lane:1", "lane:2")


class CountsOutside(Protocol):
    """What this protocol must not be: a number is taken, and its row comes when its transaction ends."""

    counts_inside = False


PROFILE = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("machine", [Protocol, Lanes])
def test_no_follower_skips_what_was_committed(machine: type[Protocol]) -> None:
    run_state_machine_as_test(machine, settings=PROFILE)  # type: ignore[no-untyped-call]


def test_the_model_finds_the_fault_of_a_counter_outside_of_the_transaction() -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(CountsOutside, settings=settings(PROFILE, phases=[Phase.generate]))  # type: ignore[no-untyped-call]
