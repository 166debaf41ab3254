"""A follower against a broker that fails as it is told: nothing is lost, and repeats are the same events."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.broker.errors import BrokerAway, GroupChanged
from consumers.broker.records import Record
from consumers.follow import follower as following
from consumers.follow.follower import Follower
from consumers.follow.sources import FollowedEvent, FollowedRefusal, MappedRecords, MappingWaits
from streams.contract.rejected import RefusalReason, read_rejected_headers

REJECTED = "lapwing.rejected"


def record(topic: str, offset: int, value: object, key: bytes | None = None, partition: int = 0) -> Record:
    content = value if isinstance(value, bytes | None) else json.dumps(value).encode()
    return Record(topic, partition, offset, 1_000 + offset, key, content)


def map_plainly(records: Sequence[Record]) -> MappedRecords:
    """Return an event for each number, a refusal for `bad`, and nothing for `skip`."""
    events, refused, passed = [], [], 0
    for each in records:
        value = json.loads(each.value or b"null")
        if value == "bad":
            refused.append(FollowedRefusal(each, RefusalReason.UNREADABLE, "what is wrong"))
        elif value == "skip":
            passed += 1
        else:
            events.append(FollowedEvent("orders", b"c", b"%d" % value, each.timestamp_ms))
    return MappedRecords(events, refused, passed)


@dataclass
class Broker:
    """Topics with their committed offsets: polls, writes and commits, and fails when it is told to."""

    records: list[Record]
    committed: dict[tuple[str, int], int] = field(default_factory=dict)
    written: list[tuple[str, bytes | None, bytes | None, int | None]] = field(default_factory=list)
    headers: list[Sequence[tuple[str, bytes]]] = field(default_factory=list)
    sent: list[tuple[str, bytes | None, bytes | None, int | None]] = field(default_factory=list)
    most: int = 2
    flushes: list[Exception | None] = field(default_factory=list)
    commits: list[Exception | None] = field(default_factory=list)
    _at: int = 0

    def restart(self) -> None:
        """Read on from what is committed, as a new process does."""
        self._at = 0
        self.sent = []
        self.records = [
            each
            for each in self.records
            if each.offset >= self.committed.get((each.topic, each.partition), 0)
        ]

    def poll(self, timeout_s: float) -> list[Record]:
        found = self.records[self._at : self._at + self.most]
        self._at += len(found)
        return found

    def at_end(self) -> bool:
        return self._at >= len(self.records)

    def lags(self) -> Mapping[str, int]:
        return {}

    def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        if self.commits and (error := self.commits.pop(0)):
            raise error
        self.committed.update(offsets)

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        self.sent.append((topic, key, value, timestamp_ms))
        self.headers.append(headers)

    def flush(self) -> None:
        if self.flushes and (error := self.flushes.pop(0)):
            self.sent = []
            raise error
        self.written += self.sent
        self.sent = []


@dataclass
class Waiting:
    """Asks for a stop after so many waits; time passes while it waits."""

    left: int = 100
    now: float = 0.0

    @property
    def asked(self) -> bool:
        return self.left <= 0

    def wait(self, seconds: float) -> bool:
        self.left -= 1
        self.now += seconds
        return self.asked

    def clock(self) -> float:
        self.now += 0.1
        return self.now


def follower(
    broker: Broker,
    followed: Mapping[str, Callable[[Sequence[Record]], MappedRecords]] | None = None,
    stop: Waiting | None = None,
) -> Follower:
    stop = stop or Waiting()
    named = followed or {"shop": map_plainly}
    return Follower(broker, broker, stop, named, REJECTED, clock=lambda: 2e9, monotonic=stop.clock)


def test_events_refusals_and_offsets_are_written() -> None:
    broker = Broker([record("shop", n, value) for n, value in enumerate([1, "bad", "skip", 2])])
    counts = follower(broker).run(follow=False)
    assert broker.written == [
        ("orders", b"c", b"1", 1_000),
        (REJECTED, None, b'"bad"', 1_001),
        ("orders", b"c", b"2", 1_003),
    ]
    rejection = read_rejected_headers(broker.headers[1])
    assert (rejection.topic, rejection.partition, rejection.offset) == ("shop", 0, 1)
    assert (rejection.reason, rejection.detail) == (RefusalReason.UNREADABLE, "what is wrong")
    assert broker.committed == {("shop", 0): 4}
    assert counts.records == {"shop": 4}
    assert counts.events == {"orders": 2}
    assert counts.refused == {("shop", "unreadable"): 1}
    assert counts.passed == {"shop": 1}
    assert counts.written_at == 2e9


def test_nothing_is_committed_before_it_is_acknowledged() -> None:
    broker = Broker([record("shop", 0, 1)], flushes=[BrokerAway("away")] * 100)
    follower(broker, stop=Waiting(left=3)).run()
    assert (broker.written, broker.committed) == ([], {})


def test_a_broker_that_comes_back_gets_all() -> None:
    broker = Broker(
        [record("shop", n, n) for n in range(4)], flushes=[BrokerAway("away"), None, BrokerAway("away")]
    )
    follower(broker).run(follow=False)
    assert [value for _, _, value, _ in broker.written] == [b"0", b"1", b"2", b"3"]
    assert broker.committed == {("shop", 0): 4}


@pytest.mark.parametrize("error", [BrokerAway("away"), GroupChanged("moved")])
def test_a_commit_that_fails_ends_nothing(error: Exception) -> None:
    broker = Broker([record("shop", n, n) for n in range(4)], commits=[error])
    follower(broker).run(follow=False)
    assert broker.committed == {("shop", 0): 4}


@given(
    st.lists(st.sampled_from([1, 2, 3, "bad", "skip"]), max_size=12),
    st.lists(st.sampled_from(["flush", "commit", "kill", None]), max_size=12),
)
def test_killed_at_any_moment_and_started_again_the_events_are_the_same(
    values: Sequence[object], faults: Sequence[str | None]
) -> None:
    class Killed(Exception):
        pass

    records = [
        record("shop", n, n if value not in ("bad", "skip") else value) for n, value in enumerate(values)
    ]
    broker = Broker(
        records,
        flushes=[{"flush": BrokerAway("away"), "kill": Killed()}.get(each or "") for each in faults],
        commits=[{"commit": BrokerAway("away"), "kill": Killed()}.get(each or "") for each in faults],
    )
    while True:
        try:
            follower(broker, stop=Waiting(left=1_000)).run(follow=False)
        except Killed:
            broker.restart()
        else:
            break
    wanted = {b"%d" % n for n, value in enumerate(values) if value not in ("bad", "skip")}
    assert {value for topic, _, value, _ in broker.written if topic == "orders"} == wanted
    assert sum(value == "bad" for value in values) <= sum(topic == REJECTED for topic, *_ in broker.written)
    assert not values or broker.committed == {("shop", 0): len(values)}


class Schemas:
    """Maps once something that is waited for is there."""

    def __init__(self, tries: int) -> None:
        self.left = tries

    def __call__(self, records: Sequence[Record]) -> MappedRecords:
        if self.left:
            self.left -= 1
            msg = "the registry is away"
            raise MappingWaits(msg)
        return map_plainly(records)


def test_records_that_wait_stop_no_others_and_are_not_committed() -> None:
    records = [record("avro", 0, 10), record("shop", 0, 0), record("avro", 1, 11), record("shop", 1, 1)]
    broker = Broker(records, most=1)
    avro = Schemas(5)
    run = follower(broker, {"avro": avro, "shop": map_plainly})
    committed: list[dict[tuple[str, int], int]] = []
    run._on_progress = lambda counts, lags: committed.append(dict(broker.committed))
    run.run(follow=False)
    assert [value for _, _, value, _ in broker.written] == [b"0", b"1", b"10", b"11"]
    assert {("shop", 0): 2} in committed
    assert broker.committed == {("avro", 0): 2, ("shop", 0): 2}


def test_with_many_that_wait_all_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MOST_HELD", 3)
    broker = Broker([record("avro", n, n) for n in range(6)])
    stop = Waiting()
    follower(broker, {"avro": Schemas(4)}, stop).run(follow=False)
    assert [value for _, _, value, _ in broker.written] == [b"%d" % n for n in range(6)]
    assert stop.left < 100


def test_a_stop_while_records_wait_leaves_them_to_be_read_again() -> None:
    broker = Broker([record("avro", 0, 1)])
    stop = Waiting()
    run = follower(broker, {"avro": Schemas(10**9)}, stop)

    def leave(counts: object, lags: object) -> None:
        stop.left = 0

    run._on_progress = leave
    run.run()
    assert (broker.written, broker.committed) == ([], {})


@pytest.mark.parametrize(("key", "size"), [(None, 3_000_000), (b"k" * 2_000_000, 3_000_000), (b"k", 999_900)])
def test_a_refused_record_is_cut_where_the_broker_would_not_take_it(key: bytes | None, size: int) -> None:
    def refuse(records: Sequence[Record]) -> MappedRecords:
        return MappedRecords([], [FollowedRefusal(records[0], RefusalReason.NOT_JSON, "not JSON")], 0)

    broker = Broker([record("shop", 0, b"x" * size, key)])
    follower(broker, {"shop": refuse}).run(follow=False)
    ((_, kept_key, value, _),) = broker.written
    length = len(value or b"") + len(kept_key or b"") + sum(len(a) + len(b) for a, b in broker.headers[0])
    assert length < following.RECORD_LIMIT
    assert read_rejected_headers(broker.headers[0]).truncated
    assert (value or b"").startswith(b"x" * 1_000)
    assert (kept_key is None) == (key is None)
