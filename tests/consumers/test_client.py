"""`WarningStream` on a broker that stands in for Kafka; on real ones: tests/integration/test_subscribe.py."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

import consumers
from consumers import Refused, Retryable, WarningStream
from consumers.broker.errors import BrokerAway, GroupChanged
from consumers.broker.records import Record
from consumers.broker.steps import RejectedStep
from consumers.loop import Stop
from streams.contract.warnings import WarningEvent
from streams.errors import BrokerError
from tests.consumers.warning_events import TOPIC, life, value


@dataclass
class Source:
    """A member of the group of a `Broker`."""

    broker: Broker
    position: dict[int, int]
    errors: list[Exception] = field(default_factory=list)

    def poll(self, timeout_s: float, most: int | None = None) -> Sequence[Record]:
        if self.errors:
            raise self.errors.pop(0)
        found: list[Record] = []
        for partition in self.position:
            for record in self.broker.records(partition, self.position[partition])[
                : most and most - len(found)
            ]:
                found.append(record)
                self.position[partition] = record.offset + 1
        self.broker.polls.append(len(found))
        return found

    def at_end(self) -> bool:
        return all(offset == len(self.broker.contents[p]) for p, offset in self.position.items())

    def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        if self.broker.commit_errors:
            raise self.broker.commit_errors.pop(0)
        assert all(topic == TOPIC for topic, _ in offsets)
        self.broker.committed |= {partition: offset for (_, partition), offset in offsets.items()}

    def assigned(self) -> frozenset[int]:
        return frozenset(self.position)

    def positions(self) -> dict[int, int]:
        return dict(self.position)

    def close(self) -> None:
        self.broker.log.append("source closed")


@dataclass
class Broker:
    """The warnings topic, a group's offsets, and what was put aside."""

    contents: list[list[Any]]
    committed: dict[int, int] = field(default_factory=dict)
    rejected: list[RejectedStep] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    polls: list[int] = field(default_factory=list)
    away: int = 0
    commit_errors: list[Exception] = field(default_factory=list)
    source: Source | None = None
    read_again: list[tuple[int, int]] = field(default_factory=list)

    def records(self, partition: int, begin: int) -> list[Record]:
        return [
            Record(TOPIC, partition, offset, 0, b"k", content)
            for offset, content in enumerate(self.contents[partition])
            if offset >= begin
        ]

    def subscribe(self) -> Source:
        if self.away:
            self.away -= 1
            raise BrokerAway
        self.source = Source(self, {p: self.committed.get(p, 0) for p in range(len(self.contents))})
        return self.source

    def history(self, ends: Mapping[int, int], newest: int | None) -> Iterator[Record]:
        for partition, end in ends.items():
            begin = 0 if newest is None else max(0, end - newest)
            for record in self.records(partition, begin)[: end - begin]:
                self.read_again.append((partition, record.offset))
                yield record

    def prepare_rejected(self) -> None:
        self.log.append("rejected topic")

    def reject(self, rejected: RejectedStep) -> None:
        self.rejected.append(rejected)

    def close(self) -> None:
        self.log.append("closed")


def stream(broker: Broker, **given: object) -> WarningStream:
    given = {"group": "crm", "follow": False} | given
    return WarningStream("stub", kafka=broker, **given)  # type: ignore[arg-type]  # as the tests give them


def ids(events: Sequence[WarningEvent]) -> list[tuple[str, int]]:
    return [(event.data.customer_id, event.data.step) for event in events]


def handle_until(broker: Broker, wrong: int) -> None:
    """Iterate over the steps until the handling of one, by its number, goes wrong."""

    def work() -> None:
        with stream(broker) as steps:
            for step in steps:
                _ = 1 / (wrong - step.data.step)

    with pytest.raises(ZeroDivisionError):
        work()


def held_out(content: bytes) -> bytes:
    return content.replace(b'"holdout":false', b'"holdout":true')


@pytest.fixture(autouse=True)
def _no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stop, "wait", lambda self, seconds: self.asked)


def test_every_step_is_handed_out_once_in_order_and_committed() -> None:
    broker = Broker([[*life("a"), *life("b")], [*life("c")]])
    with stream(broker) as steps:
        found = list(steps)
    assert sorted(ids(found)) == sorted((c, n) for c in "abc" for n in (1, 2, 3, 4))
    assert [n for c, n in ids(found) if c == "b"] == [1, 2, 3, 4]
    assert broker.committed == {0: 8, 1: 4}
    assert broker.log == ["rejected topic", "source closed", "closed"]


def test_a_step_counts_as_handled_when_the_next_one_is_asked_for() -> None:
    broker = Broker([life("a")])
    handle_until(broker, 3)
    assert broker.committed == {0: 2}
    with stream(broker) as steps:
        assert ids([next(steps)]) == [("a", 3)]
        steps.commit()
    assert broker.committed == {0: 3}
    with stream(broker) as steps:
        next(steps)
    assert broker.committed == {0: 3}


def test_a_handler_may_refuse_and_the_next_step_is_handled() -> None:
    broker = Broker([[*life("a"), b"nonsense", None, *life("b")]])
    handled: list[WarningEvent] = []

    def handle(step: WarningEvent) -> None:
        if step.data.customer_id == "a" and step.data.step == 2:
            msg = "no such customer: \udcff"
            raise Refused(msg)
        handled.append(step)

    with stream(broker) as steps:
        assert steps.run(handle) == 8
    assert ids(handled) == [("a", 1), ("a", 3), ("a", 4), ("b", 1), ("b", 2), ("b", 3), ("b", 4)]
    assert [(r.record.offset, r.reason) for r in broker.rejected] == [
        (1, "refused"),
        (4, "unreadable"),
        (5, "unreadable"),
    ]
    assert broker.rejected[0].record.value == life("a")[1]
    assert dict(broker.rejected[0].headers) == {
        "lapwing-reason": b"refused",
        "lapwing-detail": b"no such customer: \\udcff",
        "lapwing-topic": TOPIC.encode(),
        "lapwing-partition": b"0",
        "lapwing-offset": b"1",
    }
    assert broker.committed == {0: 10}


def test_who_iterates_refuses_the_step_in_hand() -> None:
    broker = Broker([life("a")])
    with stream(broker) as steps:
        next(steps)
        steps.refuse("not now")
        with pytest.raises(RuntimeError, match="no step in hand"):
            steps.refuse("again")
        assert next(steps).data.step == 2
    assert [r.detail for r in broker.rejected] == ["not now"]


def test_what_is_put_aside_goes_to_whom_asks_for_it() -> None:
    broker = Broker([[b"nonsense", *life("a")]])
    aside: list[RejectedStep] = []
    with stream(broker, on_rejected=aside.append) as steps:
        assert len(list(steps)) == 4
    assert ([r.reason for r in aside], broker.rejected, "rejected topic" in broker.log) == (
        ["unreadable"],
        [],
        False,
    )


def test_what_may_pass_is_tried_again_and_what_does_not_comes_again() -> None:
    broker = Broker([life("a")])
    calls: list[int] = []

    class Busy(Retryable):
        pass

    def handle(step: WarningEvent) -> None:
        calls.append(step.data.step)
        if calls.count(2) == 1 and step.data.step == 2:
            raise Busy
        if calls.count(3) == 1 and step.data.step == 3:
            raise ZeroDivisionError

    with stream(broker) as steps:
        with pytest.raises(ZeroDivisionError):
            steps.run(handle)
        assert steps.run(handle) == 2
    assert calls == [1, 2, 2, 3, 3, 4]
    assert broker.committed == {0: 4}


def test_a_stop_ends_it_after_the_step_in_hand() -> None:
    broker = Broker([life("a")])
    with stream(broker, follow=True) as steps:

        def handle(step: WarningEvent) -> None:
            if step.data.step == 2:
                steps.stop()

        assert steps.run(handle) == 2
    assert broker.committed == {0: 2}


def test_a_stop_while_a_step_is_tried_again_leaves_it_for_the_next_run() -> None:
    broker = Broker([life("a")])
    with stream(broker, follow=True) as steps:

        def handle(step: WarningEvent) -> None:
            if step.data.step == 2:
                steps.stop()
                raise Retryable

        assert steps.run(handle) == 1
    assert broker.committed == {0: 1}


def test_a_signal_ends_it_and_the_handlers_of_before_are_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    broker = Broker([life("a")])
    with stream(broker, follow=True) as steps:
        found = []
        for step in steps:
            found.append(step)
            if len(found) == 3:
                os.kill(os.getpid(), signal.SIGTERM)
    assert (len(found), broker.committed, signal.getsignal(signal.SIGTERM)) == (3, {0: 3}, before)


def test_repeats_are_dropped_also_after_a_restart() -> None:
    steps = life("a")
    broker = Broker([[*steps[:2], *steps[:2], steps[2]]])
    with stream(broker) as first:
        assert ids(list(first)) == [("a", 1), ("a", 2), ("a", 3)]
    broker.contents[0] += [*steps]
    with stream(broker) as second:
        assert ids(list(second)) == [("a", 4)]
    assert broker.committed == {0: 9}


def test_who_is_held_out_is_left_out_unless_asked_for() -> None:
    broker = Broker([[held_out(content) for content in life("a")] + life("b")[:1]])
    with stream(broker) as steps:
        assert ids(list(steps)) == [("b", 1)]
        assert list(steps.open) == ["b"]
    assert broker.committed == {0: 5}
    broker.committed = {}
    with stream(broker, holdout=True) as steps:
        assert len(list(steps)) == 5


def test_the_open_set_is_that_after_the_step_in_hand_and_whole_after_a_restart() -> None:
    broker = Broker([[*life("a"), *life("b")[:3], value(customer="c")], [b"nonsense", value(customer="d")]])
    with stream(broker) as steps:
        for step in steps:
            customer = step.data.customer_id
            assert (customer in steps.open) == (step.data.state == "open")
            if customer in steps.open:
                assert steps.open[customer] == step
        assert sorted(steps.open) == ["b", "c", "d"]
    broker.contents[1].append(value(customer="e"))
    with stream(broker) as steps:
        assert ids(list(steps)) == [("e", 1)]
        assert sorted(steps.open) == ["b", "c", "d", "e"]
        assert steps.open["b"].data.step == 3
    assert sorted(broker.read_again) == [*((0, n) for n in range(8)), (1, 0), (1, 1)]


def test_without_an_open_set_only_what_repeats_are_noticed_by_is_read_again() -> None:
    broker = Broker([[*life("a"), *life("b")]], committed={0: 7})
    with stream(broker, open_set=False, remembered=2) as steps:
        assert ids(list(steps)) == [("b", 4)]
        assert len(steps.open) == 0
    assert broker.read_again == [(0, 5), (0, 6)]


def test_partitions_that_come_and_go_bring_their_open_warnings_and_take_them_along() -> None:
    broker = Broker([[value(customer="a")], [value(customer="b")]], committed={0: 1, 1: 1})
    with stream(broker, follow=True) as steps:
        assert broker.source is not None
        del broker.source.position[1]
        broker.contents[0].append(value(customer="c"))
        next(steps)
        assert sorted(steps.open) == ["a", "c"]
        broker.source.position = {1: 1}
        broker.contents[1].append(value(customer="d"))
        next(steps)
        assert sorted(steps.open) == ["b", "d"]


def test_a_broker_that_is_away_is_waited_for() -> None:
    broker = Broker([life("a")], away=3)
    with stream(broker) as steps:
        assert broker.source is not None
        broker.source.errors = [BrokerAway("gone"), BrokerAway("gone")]
        broker.commit_errors = [BrokerAway("gone")]
        assert len(list(steps)) == 4
    assert broker.committed == {0: 4}


def test_what_the_broker_refuses_for_good_ends_it() -> None:
    broker = Broker([life("a")])
    with stream(broker) as steps:
        assert broker.source is not None
        broker.source.errors = [BrokerError("not allowed")]
        with pytest.raises(BrokerError, match="not allowed"):
            next(steps)
    assert broker.log[-1] == "closed"


def test_a_commit_that_the_group_refuses_as_it_comes_together_is_made_afterwards() -> None:
    broker = Broker([life("a")], commit_errors=[GroupChanged("moved")])
    with stream(broker) as steps:
        assert len(list(steps)) == 4
        steps.commit()
        steps.commit()
        assert broker.committed == {0: 4}


def test_an_error_of_the_work_is_not_hidden_by_one_of_the_last_commit() -> None:
    broker = Broker([life("a")], commit_errors=[BrokerError("not allowed")] * 9)
    handle_until(broker, 2)


def test_without_a_group_everything_is_read_and_nothing_committed() -> None:
    broker = Broker([[*life("a"), b"nonsense"]])
    for _ in range(2):
        with stream(broker, group=None) as steps:
            assert len(list(steps)) == 4
    assert (broker.committed, broker.rejected, "rejected topic" in broker.log) == ({}, [], False)


def test_fast_steps_are_polled_by_hundreds() -> None:
    broker = Broker([[content for n in range(200) for content in life(f"c{n}")]])
    with stream(broker) as steps:
        assert len(list(steps)) == 800
    assert broker.polls[:6] == [2, 4, 8, 16, 32, 64]


def test_it_is_used_in_a_with_block() -> None:
    with pytest.raises(RuntimeError, match="with"):
        next(stream(Broker([life("a")])))


def test_the_package_is_imported_without_what_other_consumers_need() -> None:
    heavy = ("faust", "river", "sqlalchemy", "polars", "apprise", "rich", "scipy")
    code = f"import sys; from consumers import WarningStream; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    code = "import sys, consumers; print([m for m in ('kafka', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = consumers.Nothing
