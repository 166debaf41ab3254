"""A partition that stands still although it has lag is counted and reported, now and then and at its end."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pytest

from streams.core.events.topics import Topic
from streams.intake.poll import TopicPartition
from streams.worker.stall_watch import LONGEST_S, STALLED_S, PartitionProgress, StallDetector
from tests.streams.intake.logs import Log
from tests.streams.worker.test_pipeline import LOGINS, ORDERS, PLACES, Desk


class Watch:
    """Standstills with a clock to push, and what they log."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.now = 0.0
        self.standstills = StallDetector(lambda: self.now)
        self._caplog = caplog
        caplog.set_level(logging.INFO)

    def look(self, seconds: float, stand: int, lag: Mapping[TopicPartition, int | None]) -> list[str]:
        """Look every second for so long, and return what was logged."""
        self._caplog.clear()
        for _ in range(int(seconds)):
            self.now += 1
            self.standstills.look({0: PartitionProgress(stand, lag)})
        return self._caplog.messages


@pytest.fixture
def watch(caplog: pytest.LogCaptureFixture) -> Watch:
    return Watch(caplog)


def test_it_is_reported_once_then_at_growing_intervals_and_when_it_is_over(watch: Watch) -> None:
    lag = {ORDERS: 7, LOGINS: None}
    assert watch.look(STALLED_S, 1, lag) == []
    assert watch.standstills.stalled() == {}
    assert watch.look(1, 1, lag) == ["stands still partition=0 for=30s lag: logins/0 unknown, orders/0 7"]
    assert watch.standstills.stalled() == {ORDERS: STALLED_S, LOGINS: STALLED_S}
    logged = watch.look(8 * STALLED_S, 1, lag)
    assert [line.split()[3] for line in logged] == ["for=60s", "for=120s", "for=240s"]
    assert watch.look(1, 2, lag) == ["moves again partition=0 after=271s"]
    assert watch.standstills.stalled() == {}
    watch.look(10 * LONGEST_S, 2, lag)
    assert len(watch.look(10 * LONGEST_S, 2, lag)) == 10


def test_an_open_transaction_is_named(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    found = PartitionProgress(1, {ORDERS: 7}, {ORDERS})
    for _ in range(2):
        watch.standstills.look({0: found})
        watch.now += STALLED_S
    assert caplog.messages == [
        "stands still partition=0 for=30s lag: orders/0 7; a producer's open transaction, neither committed "
        "nor aborted, blocks orders/0"
    ]


def test_what_has_nothing_to_do_or_moves_does_not_stand_still(watch: Watch) -> None:
    assert watch.look(3 * STALLED_S, 1, {}) == []
    for stand in range(100):
        assert watch.look(1, stand, {ORDERS: 7}) == []
    assert watch.look(STALLED_S - 2, 99, {ORDERS: 7}) == []
    assert watch.standstills.stalled() == {}


def test_a_partition_that_has_gone_to_another_worker_is_not_reported(watch: Watch) -> None:
    watch.look(2 * STALLED_S, 1, {ORDERS: 7})
    watch.standstills.look({})
    assert watch.standstills.stalled() == {}
    assert watch.look(1, 1, {ORDERS: 7}) == []


def looked(desk: Desk, seconds: float) -> dict[str, float]:
    """Let a pipeline look now and so many seconds later, and return what its statistics say."""
    desk.pipeline.look()
    desk.now += seconds
    desk.pipeline.look()
    return desk.pipeline.stats().stalled


async def test_the_statistics_say_for_how_long_which_place_has_stood_still() -> None:
    desk = Desk()
    desk.assign(PLACES)
    desk.mark(LOGINS, 0)
    desk.mark(ORDERS, 0, highwater=3)  # three orders that never come
    assert looked(desk, STALLED_S - 1) == {}
    assert looked(desk, 1) == {"orders/0": STALLED_S}
    desk.pipeline.take(Log(Topic.ORDERS, (1, 2, 3)).poll(0, 3))
    assert looked(desk, 0) == {}
    desk.mark(ORDERS, 3)
    await desk.pipeline.process()
    assert looked(desk, 10 * STALLED_S) == {}


async def test_what_waits_for_a_place_of_which_nothing_is_heard_stands_still_with_it() -> None:
    desk = Desk()
    desk.assign(PLACES)
    desk.mark(ORDERS, 1)
    desk.pipeline.take(Log(Topic.ORDERS, (1,)).poll(0, 1))
    await desk.pipeline.process()
    assert looked(desk, STALLED_S) == {"logins/0": STALLED_S, "orders/0": STALLED_S}


def test_places_whose_state_is_not_loaded_stand_still() -> None:
    desk = Desk()
    desk.board.loading = frozenset(PLACES)
    assert looked(desk, STALLED_S) == {"logins/0": STALLED_S, "orders/0": STALLED_S}
