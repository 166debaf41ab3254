"""Logs of partitions as the tests of the intake make them, and what reading them must give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.intake.poll import Poll, TopicPartition

NAMES = {"complaints": Topic.COMPLAINTS, "logins": Topic.LOGINS, "orders": Topic.ORDERS}


@dataclass(frozen=True)
class Log:
    """One topic's records of one partition: event times by offset, `None` where the record is refused."""

    topic: Topic
    times: tuple[int | None, ...]

    @property
    def end(self) -> int:
        return len(self.times)

    def events(self, start: int, end: int) -> tuple[Batch, np.ndarray]:
        offsets = [i for i in range(start, end) if self.times[i] is not None]
        rows = [{"topic": self.topic, "at": self.times[i], "event_id": self.name(i)} for i in offsets]
        return Batch.of(rows), np.array(offsets, dtype=np.int64)

    def name(self, offset: int) -> str:
        return f"{self.topic.label}-{offset}"

    def poll(self, start: int, end: int, *, more: bool = False) -> Poll:
        """The poll with JSON that is decoded to `events`."""
        values: list[bytes | None] = []
        for i in range(start, end):
            at = self.times[i]
            if at is None:
                values.append(b"garbage")
                continue
            seconds = f"1970-01-01T00:{at // 60:02}:{at % 60:02}Z"
            extra = {
                Topic.ORDERS: ',"order_id":"o","amount":1,"currency":"EUR"',
                Topic.COMPLAINTS: ',"complaint_id":"c"',
            }
            values.append(
                f'{{"event_id":"{self.name(i)}","customer_id":"k","occurred_at":"{seconds}"'
                f"{extra.get(self.topic, '')}}}".encode()
            )
        n = end - start
        return Poll(
            topic_partition=TopicPartition(self.topic.label, 0),
            start=start,
            end=end,
            offsets=np.arange(start, end, dtype=np.int64),
            keys=[b"k"] * n,
            values=values,
            timestamps_ms=np.full(n, 4_000_000, dtype=np.int64),
            more=more,
        )


def merged(logs: list[Log]) -> list[str]:
    """The slow twin: the events of all logs by the time their topic had reached, then topic, then offset."""
    rows = []
    for log in logs:
        reached = 0
        for offset, at in enumerate(log.times):
            if at is not None:
                reached = max(reached, at)
                rows.append((reached, log.topic, offset, log.name(offset)))
    return [name for *_, name in sorted(rows)]


times = st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=12)


def in_disorder(steps: list[int | None]) -> tuple[int | None, ...]:
    """Times that rise on the whole and fall back now and then."""
    at, found = 0, []
    for step in steps:
        if step is not None:
            at += step // 3
        found.append(None if step is None else max(0, at - (step % 3) * 4))
    return tuple(found)


logs = st.tuples(times, times, times).map(
    lambda all_steps: [
        Log(topic, in_disorder(steps)) for topic, steps in zip(NAMES.values(), all_steps, strict=True)
    ]
)
