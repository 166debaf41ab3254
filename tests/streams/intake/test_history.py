"""All partitions' topics are read once, in event time, in bounded memory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.intake.history import InputHistory
from streams.intake.merge import TopicPosition
from streams.intake.poll import TopicPartition
from streams.intake.standing_refusals import StandingRefusals
from tests.streams.intake.logs import NAMES, Log, in_disorder, times

PARTITIONS = 2
PLACES = [TopicPartition(name, number) for name in NAMES for number in range(PARTITIONS)]


@dataclass
class Record:
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int


@dataclass
class LogConsumer:
    """What is used of aiokafka's consumer, over logs; it brings as much as it likes."""

    logs: Mapping[TopicPartition, Log]
    dice: random.Random
    begin: int = 0
    at: dict[TopicPartition, int] = field(default_factory=dict)
    fetches: int = 0

    def assignment(self) -> set[TopicPartition]:
        return set(self.logs)

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {place: min(self.begin, self.logs[place].end) for place in places}

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {place: self.logs[place].end for place in places}

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.at[place] = offset

    async def position(self, place: TopicPartition) -> int:
        return self.at[place]

    async def getmany(
        self, *places: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[Any]]:
        assert places, "nothing may be read: it stands still"
        self.fetches += 1
        found, left = {}, max_records
        for place in self.dice.sample(places, self.dice.randint(1, len(places))):
            log, start = self.logs[place], self.at[place]
            end = min(log.end, start + self.dice.randint(0, left))
            self.at[place], left = end, left - (end - start)
            poll = log.poll(start, end)
            found[place] = [
                Record(start + i, poll.keys[i], poll.values[i], 4_000_000) for i in range(end - start)
            ]
        return found


def read(consumer: LogConsumer, limit: int = 500) -> tuple[list[tuple[int, int]], InputHistory]:
    """Return topic and event time of all that is read, in order."""
    history = InputHistory(
        consumer,
        NAMES,
        StandingRefusals(),
        max_skew_us=10**15,
        wall_us=lambda: 4_000_000_000,
        poll_records=7,
        waiting_limit=limit,
    )

    async def run() -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        async for batch in history.batches():
            found += zip(batch.at.tolist(), batch.topic.tolist(), strict=True)
        return found

    return asyncio.run(run()), history


def twin(logs: Mapping[TopicPartition, Log], begin: int) -> list[tuple[int, int]]:
    """The slow twin: by the time that a place had reached, then topic, partition and offset."""
    rows = []
    for place, log in logs.items():
        reached = 0
        for offset, at in enumerate(log.times):
            if at is not None and offset >= begin:
                reached = max(reached, at)
                rows.append((reached, int(log.topic), place.partition, offset, at * 1_000_000))
    return [(row[4], row[1]) for row in sorted(rows)]


@settings(max_examples=60, deadline=None)
@given(st.lists(times, min_size=len(PLACES), max_size=len(PLACES)), st.integers(0, 3), st.integers(0, 99))
def test_it_is_the_merge_of_all_places(steps: list[list[int | None]], begin: int, seed: int) -> None:
    logs = {
        place: Log(NAMES[place.topic], in_disorder(own)) for place, own in zip(PLACES, steps, strict=True)
    }
    found, history = read(LogConsumer(logs, random.Random(seed), begin), limit=6)
    assert found == twin(logs, begin)
    assert history.events == len(found)
    for place, log in logs.items():
        own = [at * 1_000_000 for at in log.times[begin:] if at is not None]
        assert history.positions()[place] == TopicPosition(log.end, max(own, default=None))
        assert history.begins[place] == min(begin, log.end)


@pytest.mark.parametrize("limit", [60, 300])
def test_what_waits_does_not_grow_with_the_topics(limit: int) -> None:
    """One place has most of the records, and all its records come before those of the others."""
    logs = {place: Log(NAMES[place.topic], tuple(range(3_000, 3_400))) for place in PLACES}
    logs[PLACES[0]] = Log(NAMES[PLACES[0].topic], tuple(i // 10 for i in range(20_000)))
    found, history = read(LogConsumer(logs, random.Random(1)), limit)
    assert len(found) == 20_000 + 400 * (len(PLACES) - 1)
    assert [at for at, _ in found] == sorted(at for at, _ in found)
    assert history.most_waiting < limit + 7 * len(PLACES)
