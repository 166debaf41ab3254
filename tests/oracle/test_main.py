"""The recount of files, and the parts it is made of."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streams.core.events.batch import MILLION, ComplaintStatus, OrderStatus, ProfileRecord
from streams.core.events.topics import FILE_TYPES, Topic
from tests.oracle.__main__ import main
from tests.oracle.days import DAY, EPOCH, HOUR, instant
from tests.oracle.event_files import event_of, read_events
from tests.oracle.histories import random_history
from tests.oracle.history import Event
from tests.oracle.shrink import smaller
from tests.oracle.warning_files import interval, read_rules

TYPES = {topic: name for name, topic in FILE_TYPES.items()}


def iso(at: int) -> str:
    return (EPOCH + timedelta(microseconds=at)).isoformat()


def line(event: Event) -> str:
    """Return an event as a line of a file."""
    said: dict[str, Any] = {
        "type": TYPES[event.topic],
        "event_id": event.event_id,
        "customer_id": event.customer_id,
        "occurred_at": iso(event.at),
    }
    if event.topic == Topic.ORDERS:
        amount = event.amount / MILLION
        said |= {"order_id": "1", "amount": amount, "status": OrderStatus(event.status).name.lower()}
    if event.topic == Topic.COMPLAINTS:
        said |= {
            "complaint_id": event.complaint_id,
            "status": ComplaintStatus(event.status).name.lower(),
            "satisfaction": event.satisfaction or None,
        }
    if event.topic == Topic.FEEDBACK:
        said |= {"score": event.amount / MILLION, "scale": 1}
    if isinstance(event.record, ProfileRecord):
        ends = event.record.contract_ends_at
        said |= {
            "customer_class": event.record.customer_class,
            "segment": event.record.segment,
            "region": event.record.region,
            "contract_ends_at": None if ends is None else iso(ends),
        }
    if event.topic == Topic.ACTIONS:
        said |= {"warning_id": "no-such-warning", "kind": "call"}
    if event.topic == Topic.CLOSURES:
        said["reason"] = "moved"
    return json.dumps(said)


@pytest.fixture
def events_file(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    history = random_history(3, size=40, days=40)
    path.write_text("".join(line(event) + "\n" for event in history.arrivals), encoding="utf-8")
    return path


def test_a_file_is_read_back_as_it_was_written(events_file: Path) -> None:
    assert read_events(events_file) == list(random_history(3, size=40, days=40).arrivals)


def test_a_recount_of_a_file_agrees(events_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(events_file)]) == 0
    assert "3 of 3 customers" in capsys.readouterr().out


def test_a_recount_finds_steps_that_were_not_written(
    events_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules, warnings = tmp_path / "rules", tmp_path / "warnings.jsonl"
    rules.mkdir()
    (rules / "a.yaml").write_text(
        "version: 1\nrules:\n  - {id: any, when: tenure_days >= 0, tier: low, reason: test}\n"
    )
    warnings.write_text("")
    assert main([str(events_file), "--warnings", str(warnings), "--rules", str(rules)]) == 1
    assert "the engine lacks a step" in capsys.readouterr().out


def test_defaults_of_the_contract_are_read() -> None:
    said = {"event_id": "e", "customer_id": "c", "occurred_at": "2024-01-01T01:00:00+01:00"}
    at = instant(datetime(2024, 1, 1, tzinfo=UTC).isoformat())
    assert event_of({"type": "order", "amount": 2, **said}) == Event(
        Topic.ORDERS, at, "c", "e", amount=2 * MILLION
    )
    assert event_of({"type": "complaint", "complaint_id": "k", "satisfaction": 3, **said}) == Event(
        Topic.COMPLAINTS, at, "c", "e", complaint_id="k"
    )


def test_rules_are_read_with_their_terms(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "version: 1\nrules:\n"
        "  - {id: a, when: overdue > 1, for: 2d, keep_open_for: 1h 30m, tier: high, reason: test}\n"
        "  - {id: b, when: overdue > 1, status: shadow, tier: high, reason: test}\n"
    )
    [rule] = read_rules(tmp_path)
    assert (rule.id, rule.terms.for_us, rule.terms.keep_open_for_us) == ("a", 2 * DAY, HOUR + HOUR // 2)
    assert interval(None) == 0


def test_the_smaller_history_holds_what_fails_and_nothing_else() -> None:
    records = random_history(1, size=50).arrivals
    guilty = {records[7], records[31]}
    few = smaller(records, lambda some: guilty <= set(some))
    assert set(few) == guilty
