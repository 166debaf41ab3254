"""What the worker refuses of complaints and actions the sink refuses too, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.broker.records import Record
from consumers.sink.inputs import action, complaint, events
from streams.contract.decode import decode_poll
from streams.contract.events import Action, Complaint
from streams.contract.examples import EXAMPLES
from streams.core.events.topics import Topic

HOUR_US = 3_600_000_000
NOW = datetime(2024, 3, 1, 10, tzinfo=UTC)
READERS = {
    Topic.COMPLAINTS: events(Complaint, complaint, HOUR_US),
    Topic.ACTIONS: events(Action, action, HOUR_US),
}
CHANGES: list[tuple[str, Any]] = [
    ("event_id", ""),
    ("event_id", "e" * 129),
    ("customer_id", "another"),
    ("customer_id", None),
    ("occurred_at", "2024-03-01T09:30:00"),
    ("occurred_at", "2024-03-01T11:30:00Z"),
    ("occurred_at", "2024-03-01T10:59:59+0000"),
    ("occurred_at", 1),
    ("status", None),
    ("status", "closed"),
    ("category", "weather"),
    ("satisfaction", 6),
    ("satisfaction", 5.0),
    ("complaint_id", None),
    ("kind", "acknowledge"),
    ("kind", ""),
    ("warning_id", None),
    ("warning_id", "w\0"),
    ("reasons", ["has blanks"]),
    ("reasons", None),
    ("cost", 7),
    ("cost", {"gift": None}),
    ("cost", {"gift": -1}),
    ("until", "tomorrow"),
    ("until", "2024-03-02T00:00:00+05:30"),
    ("result", "unheard_of"),
    ("unknown", {"nested": [1]}),
]


def record(value: bytes | None, key: bytes | None = b"c-17", timestamp_ms: int | None = None) -> Record:
    at = int(NOW.timestamp() * 1000) if timestamp_ms is None else timestamp_ms
    return Record("any", 0, 3, at, key, value)


@st.composite
def records(draw: st.DrawFn, topic: Topic) -> Record:
    event = dict(EXAMPLES[topic])
    for name, value in draw(st.lists(st.sampled_from(CHANGES), max_size=2)):
        event[name] = value
    content: bytes | None = json.dumps(event).encode()
    content = draw(st.sampled_from([content] * 5 + [None, b"", b"{", b"[]", b"\xff"]))
    return record(
        content,
        draw(st.sampled_from([b"c-17", b"c-17", b"c-17", b"another", None])),
        draw(st.sampled_from([None, -1, 0, int((NOW - timedelta(hours=2)).timestamp() * 1000)])),
    )


@pytest.mark.parametrize("topic", [Topic.COMPLAINTS, Topic.ACTIONS])
@given(data=st.data())
def test_accepted_is_what_the_worker_accepts_and_refused_for_the_same_reason(
    topic: Topic, data: st.DataObject
) -> None:
    found = data.draw(st.lists(records(topic), max_size=12))
    reading = READERS[topic](found, NOW)
    decoded = decode_poll(
        topic,
        [each.value for each in found],
        [each.key for each in found],
        [each.timestamp_ms for each in found],
        max_skew_us=HOUR_US,
        now_us=int(NOW.timestamp() * 1_000_000),
    )
    assert [(entry.row["event_id"], entry.row["customer_id"]) for entry in reading.entries] == list(
        zip(decoded.batch.event_id, decoded.batch.customer_id, strict=True)
    )
    assert [(each.record, each.reason, each.detail) for each in reading.refused] == [
        (found[each.index], each.reason, each.detail) for each in decoded.refused
    ]
    assert reading.unreadable == []
    for entry, batch_record, at in zip(
        reading.entries, decoded.batch.record, decoded.batch.at.tolist(), strict=True
    ):
        assert int(entry.row["time"].timestamp() * 1_000_000) == at
        if topic is Topic.ACTIONS:
            row = entry.row
            assert (row["kind"], row["warning_id"], row["play"]) == (
                batch_record.kind,
                batch_record.warning_id,
                batch_record.play,
            )
            assert tuple(row["reasons"]) == batch_record.reasons
            assert {item: round(amount * 1e6) for item, amount in row["cost"].items()} == dict(
                batch_record.cost
            )


def test_the_same_event_written_otherwise_is_a_repeat_and_unknown_fields_are_not_kept() -> None:
    plain = dict(EXAMPLES[Topic.ACTIONS])
    other = dict(reversed(plain.items())) | {"occurred_at": "2024-03-01T10:30:00+01:00", "note": "free text"}
    first, second = READERS[Topic.ACTIONS](
        [record(json.dumps(e).encode()) for e in (plain, other)], NOW
    ).entries
    assert first.row["digest"] == second.row["digest"]
    assert first.row["data"] == second.row["data"] == plain | {"reasons": ("delivery", "price")}
