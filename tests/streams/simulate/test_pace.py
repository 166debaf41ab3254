"""Events are played when their time has come, on a clock that tests push."""

from collections.abc import Iterator

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.core.events.topics import Topic
from streams.simulate.pace import DAY_US, TICK_S, SimulatedPace, Slice
from streams.simulate.records import Records
from streams.simulate.send import send_slice


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def records(days: list[float]) -> Records:
    at = np.array([round(day * DAY_US) for day in days], np.int64)
    ids = [str(i).encode() for i in range(len(days))]
    return Records(np.full(len(days), Topic.LOGINS, np.int8), at, ids, ids)


def played(parts: list[Records], speed: float) -> Iterator[tuple[float, Slice]]:
    clock = Clock()
    for part in SimulatedPace(speed, clock, clock.sleep).play(parts):
        yield clock.now - 100.0, part


def test_a_day_takes_its_part_of_a_second() -> None:
    when = [(round(now, 3), part.end - part.begin) for now, part in played([records([0, 0, 5, 10])], 10.0)]
    assert when == [(0.0, 2), (0.5, 1), (1.0, 1)]


def test_events_less_than_a_tick_apart_go_together() -> None:
    days = [i / 1000 for i in range(1000)]
    slices = list(played([records(days)], 1.0))
    assert len(slices) <= 1 / TICK_S + 2
    assert slices[-1][0] <= 1.0 + TICK_S


def test_a_long_lull_is_slept_in_pieces_that_a_stop_can_end() -> None:
    clock = Clock()
    list(SimulatedPace(1.0, clock, clock.sleep).play([records([0, 30])]))
    assert max(clock.slept) <= 1.0
    assert sum(clock.slept) >= 30


@given(
    st.lists(st.lists(st.floats(0, 50), max_size=20), max_size=5),
    st.floats(0.1, 100),
)
def test_all_rows_come_once_in_order_and_never_before_their_time(
    parts: list[list[float]], speed: float
) -> None:
    days = sorted(day for part in parts for day in part)
    cuts = [records(days[i : i + 7]) for i in range(0, len(days), 7)]
    came: list[int] = []
    for now, part in played(cuts, speed):
        rows = part.records.at[part.begin : part.end].tolist()
        came.extend(rows)
        assert part.at == rows[-1]
        assert rows[-1] - round(days[0] * DAY_US) <= now * speed * DAY_US + 1000
    assert came == [round(day * DAY_US) for day in days]


class Sent:
    def __init__(self) -> None:
        self.rows: list[tuple[str, bytes | None, bytes | None, int | None]] = []

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, timestamp_ms: int | None = None
    ) -> None:
        self.rows.append((topic, key, value, timestamp_ms))

    def flush(self, timeout_s: float = 30.0) -> None:
        raise AssertionError


def test_a_slice_is_sent_to_the_topics_there_are_with_times_rounded_up() -> None:
    both = Records(
        np.array([Topic.LOGINS, Topic.PROFILES, Topic.ORDERS], np.int8),
        np.array([1_000_001, 1_500_000, 2_000_000], np.int64),
        [b"a", b"b", b"c"],
        [b"1", b"2", b"3"],
    )
    producer = Sent()
    count = send_slice(producer, Slice(both, 0, 3, 0), {Topic.LOGINS: "in", Topic.ORDERS: "bought"})
    assert count == 2
    assert producer.rows == [("in", b"a", b"1", 1001), ("bought", b"c", b"3", 2000)]
