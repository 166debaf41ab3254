"""A database that holds what a replay wrote, stored as the sink does it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from consumers.actions import Action
from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.sink.kinds import OUTCOMES, WARNINGS, AnyKind, actions
from streams.contract.instants import format_instant
from tests.consumers.scorecard.made import Made
from tests.consumers.stored import store_records

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ACTIONS = actions(3_600_000_000)


def store(database: Database, given: Made, at: datetime = NOW) -> None:
    """Store outcomes, steps and actions at a time of the wall clock."""
    put(database, OUTCOMES, [(event_key(line), line) for line in given.outcomes], at)
    put(database, WARNINGS, [(event_key(line), line) for line in given.steps], at)
    put(database, ACTIONS, [(each.customer_id.encode(), action_event(each)) for each in given.actions], at)


def put(database: Database, kind: AnyKind, contents: Sequence[tuple[bytes, bytes]], at: datetime) -> None:
    now_ms = int(at.timestamp() * 1000)
    records = [
        Record(f"{kind.name}-{at:%S}", 0, number, now_ms, key, value)
        for number, (key, value) in enumerate(contents)
    ]
    assert store_records(database, records, at, kind).stored == len({value for _, value in contents})


def event_key(line: bytes) -> bytes:
    return str(json.loads(line)["subject"]).encode()


def action_event(action: Action) -> bytes:
    """Return an action as it stands on its topic."""
    names = (
        "event_id",
        "customer_id",
        "kind",
        "warning_id",
        "play",
        "result",
        "actor",
        "corrects",
        "reasons",
    )
    content = {name: getattr(action, name) for name in names}
    more = {"corrects": action.corrects, "occurred_at": format_instant(action.at)}
    return json.dumps(content | more).encode()
