"""A database that holds what a replay wrote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert

from consumers.actions import Action
from consumers.database.database import Database
from consumers.database.events import ActionRow
from consumers.database.outcomes import OutcomeRow
from consumers.database.warnings import WarningRow, WarningStepRow
from streams.contract.instants import EPOCH, MICROSECOND, read_instant
from tests.consumers.scorecard.made import Made

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def store(database: Database, given: Made, at: datetime = NOW) -> None:
    """Store outcomes, steps and actions as the sink does."""
    with database.writing() as connection:
        for rows, kind in (
            ([outcome_row(line, n, at) for n, line in enumerate(given.outcomes)], OutcomeRow),
            ([step_row(line, n, at) for n, line in enumerate(given.steps)], WarningStepRow),
            ([action_row(action, n, at) for n, action in enumerate(given.actions)], ActionRow),
        ):
            if rows:
                connection.execute(database.insert_new(kind), rows)
        if given.steps:
            connection.execute(insert(WarningRow), newest_rows(given.steps))


def source(number: int) -> dict[str, Any]:
    return {"digest": "-", "source_topic": "t", "source_partition": 0, "source_offset": number}


def outcome_row(line: bytes, number: int, at: datetime) -> dict[str, Any]:
    event = json.loads(line)
    data = event["data"]
    warned = data.get("warned") or {}
    opened_at = data.get("opened_at")
    return {
        "id": event["id"],
        "time": read_instant(event["time"]),
        "type": event["type"],
        "customer_id": event["subject"],
        "warning_id": data.get("warning_id", warned.get("warning_id")),
        "rule": data.get("rule"),
        "tier": data.get("tier"),
        "opened_at": opened_at and read_instant(opened_at),
        "churned": data.get("churned"),
        "holdout": data["holdout"],
        "data": data,
        "stored_at": at,
        **source(number),
    }


def step_row(line: bytes, number: int, at: datetime) -> dict[str, Any]:
    event = json.loads(line)
    data = event["data"]
    return {
        "id": event["id"],
        "time": read_instant(event["time"]),
        "type": event["type"],
        **{name: data[name] for name in ("warning_id", "step", "customer_id", "state", "tier")},
        "data": data,
        "received_at": at,
        **source(number),
    }


def newest_rows(steps: Sequence[bytes]) -> list[dict[str, Any]]:
    newest: dict[str, dict[str, Any]] = {}
    for event in map(json.loads, steps):
        data = event["data"]
        newest[data["warning_id"]] = {
            "id": data["warning_id"],
            "customer_id": data["customer_id"],
            "state": data["state"],
            "tier": data["tier"],
            "opened_at": read_instant(data["opened_at"]),
            "updated_at": read_instant(event["time"]),
            "last_step": data["step"],
            "last_type": event["type"],
            "causes": data["causes"],
            "reasons": data["reasons"],
        }
    return list(newest.values())


def action_row(action: Action, number: int, at: datetime) -> dict[str, Any]:
    names = ("event_id", "customer_id", "kind", "warning_id", "play", "result", "actor", "corrects")
    return {
        **{name: getattr(action, name) for name in names},
        "time": EPOCH + action.at * MICROSECOND,
        "reasons": list(action.reasons),
        "cost": dict(action.cost or {}),
        "until": None,
        "data": {},
        "stored_at": at,
        **source(number),
    }
