"""Complaints and actions in topics of others are stored as those of the contract are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from consumers.broker.records import Record
from consumers.sink import kinds
from consumers.sink.reading import Entry, Reading
from lapwing.settings.settings import Settings, load_settings
from lapwing.stored_inputs import StoredInputs, is_stored
from streams.core.events.topics import Topic

NOW = datetime(2024, 3, 2, tzinfo=UTC)
FILE = """\
version: 1
sources:
  desk:
    topic: help.desk
    events:
      - to: complaints
        where: {kind: ticket}
        fields: {event_id: id, customer_id: who, occurred_at: at, complaint_id: no,
                 status: {path: state, map: {new: opened, done: resolved}}, category: {constant: other}}
      - to: actions
        where: {kind: call}
        fields: {event_id: id, customer_id: who, occurred_at: at, kind: {constant: contact}}
  shop:
    topic: shop.orders
    events:
      - to: orders
        fields: {event_id: id, customer_id: who, occurred_at: at, order_id: id, amount: v, currency: cur}
"""


class Clock:
    """A clock that is put forward."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def settings_of(folder: Path, text: str = FILE) -> Settings:
    (folder / "inputs.yaml").write_text(text)
    return load_settings(environ={"LAPWING_INPUTS": str(folder / "inputs.yaml")})


def record(offset: int, key: str = "ann", **more: Any) -> Record:
    fields = {"id": f"e{offset}", "kind": "ticket", "who": "ann", "at": "2024-03-01T10:00:00Z", "no": "k1"}
    value = json.dumps(fields | {"state": "new"} | more).encode()
    return Record("help.desk", 1, offset, 1_709_287_200_000, key.encode(), value)


def rows(reading: Reading[Entry]) -> list[dict[str, Any]]:
    """Return what is stored, without where it was read."""
    return [{n: v for n, v in e.row.items() if not n.startswith("source_")} for e in reading.entries]


def test_only_what_brings_complaints_or_actions_is_stored(tmp_path: Path) -> None:
    found = StoredInputs(settings_of(tmp_path)).kinds()
    assert {name: [kind.name for kind in each] for name, each in found.items()} == {
        "help.desk": ["complaints", "actions"]
    }
    assert StoredInputs(load_settings(environ={})).kinds() == {}
    assert (is_stored((Topic.ORDERS, Topic.ACTIONS)), is_stored((Topic.ORDERS,))) == (True, False)


def test_a_mapped_complaint_is_the_row_that_one_of_the_contract_is(tmp_path: Path) -> None:
    complaints, actions = StoredInputs(settings_of(tmp_path)).kinds()["help.desk"]
    given = [
        record(1),
        record(2, kind="call"),
        record(3, state="done"),
        record(4, key="another"),
        record(5, state="lost"),
        record(6, at="2031-01-01T00:00:00Z"),
        record(7, kind="chat"),
    ]
    stored = complaints.read(given, NOW)
    own = [
        Record("complaints", 1, offset, each.timestamp_ms, b"ann", json.dumps(content).encode())
        for offset, status, each in ((1, "opened", given[0]), (3, "resolved", given[2]))
        for content in (
            {
                "event_id": f"e{offset}",
                "customer_id": "ann",
                "occurred_at": "2024-03-01T10:00:00Z",
                "complaint_id": "k1",
                "status": status,
                "category": "other",
            },
        )
    ]
    assert rows(stored) == rows(kinds.complaints(3_600_000_000).read(own, NOW))
    assert [entry.row["source_offset"] for entry in stored.entries] == [1, 3]
    assert [(each.record.offset, str(each.reason)) for each in stored.refused] == [
        (4, "key_mismatch"),
        (5, "unmapped"),
        (6, "future_time"),
    ]
    calls = actions.read(given, NOW)
    assert [(entry.row["event_id"], entry.row["kind"]) for entry in calls.entries] == [("e2", "contact")]
    assert calls.refused == []  # it was counted with the complaints


def test_a_changed_file_counts_from_the_second_look_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings, clock = settings_of(tmp_path), Clock()
    inputs = StoredInputs(settings, clock)
    complaints, _ = inputs.kinds()["help.desk"]
    assert len(complaints.read([record(1, state="lost")], NOW).refused) == 1

    def say(text: str) -> None:
        (tmp_path / "inputs.yaml").write_text(text)
        for _ in range(2):
            clock.now += 1.0
            inputs.look()

    say(FILE.replace("done: resolved", "done: resolved, lost: opened"))
    assert complaints.read([record(1, state="lost")], NOW).refused == []
    assert "restart" not in caplog.text
    say(FILE.replace("complaint_id: no,", ""))
    assert "inputs refused" in caplog.text
    assert len(complaints.read([record(1, state="lost")], NOW).entries) == 1
    say(FILE.replace("topic: help.desk", "topic: help.other"))
    assert "restart the sink" in caplog.text
