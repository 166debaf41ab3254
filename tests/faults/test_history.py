"""What a seed sends keeps to the limits within which a replay must agree, and is the same each time."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta

import numpy as np
import pytest

from streams.contract.decode import decode_poll
from streams.core.events.topics import Topic
from tests.faults.history import REORDER_DAYS, History, Record, Size, history_of

SMALL = Size(customers=(90, 120), backlog_days=12, live_days=8)


@pytest.fixture(scope="module", params=range(3))
def history(request: pytest.FixtureRequest) -> History:
    return history_of(request.param, SMALL, 3)


def sent(history: History) -> list[Record]:
    return [*history.backlog, *(record for chunk in history.chunks for record in chunk), *history.closing]


def test_a_seed_gives_the_same_history_each_time() -> None:
    assert history_of(5, SMALL, 3) == history_of(5, SMALL, 3)
    assert history_of(5, SMALL, 3) != history_of(6, SMALL, 3)


def test_what_is_good_is_sent_once_or_twice_and_what_is_not_is_refused(history: History) -> None:
    now = np.array([2_000_000_000_000], dtype=np.int64)  # the year 2033
    good, refused = Counter[str](), []
    for record in sent(history):
        decoded = decode_poll(record.topic, [record.value], [record.key], now, max_skew_us=0)
        good.update(decoded.batch.event_id.tolist())
        refused += [record.value for _ in decoded.refused]
    assert frozenset(refused) == history.garbage
    assert len(refused) == len(history.garbage) > 5
    assert good.keys() == {json.loads(line)["event_id"] for line in history.lines}
    assert set(good.values()) == {1, 2}
    assert sum(good.values()) - len(good) == history.repeats


def test_events_are_out_of_order_but_far_less_than_reorder(history: History) -> None:
    newest: dict[Topic, datetime] = {}
    late = []
    for record in sent(history)[: -len(history.closing)]:
        if record.value in history.garbage:
            continue
        at = datetime.fromisoformat(json.loads(record.value)["occurred_at"])
        newest[record.topic] = max(at, newest.get(record.topic, at))
        late.append(max(newest.values()) - at)
    assert max(late) > timedelta(hours=8)
    assert max(late) < timedelta(days=REORDER_DAYS) / 3


def test_the_closing_events_pass_the_watermark_over_all_others_in_every_partition(history: History) -> None:
    times = [datetime.fromisoformat(json.loads(record.value)["occurred_at"]) for record in history.closing]
    assert len(times) == 3
    assert min(times) - history.until > timedelta(days=REORDER_DAYS)
