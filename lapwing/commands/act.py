"""`lapwing act`: acknowledge, snooze or expire a warning."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import click
from sqlalchemy import func, select

from consumers.broker.client import Admin, Cluster, Producer
from consumers.database.database import Database
from consumers.database.schema import warnings
from lapwing.settings.settings import Settings
from streams.contract.instants import format_instant, to_us
from streams.contract.validate import RecordRefusal, judge
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.errors import ActError, BrokerError

HISTORY_AFTER: Final = 7 * DAY
"""Where the newest warning is older, the events are a history: an action of today would wait for ever."""
MOST_NAMED: Final = 3
"""Warnings that are named where an id's beginning fits several."""


def run(
    warning_id: str,
    kind: str,
    settings: Settings,
    by: str,
    lasts: int | None,
    customer: str | None,
    at: int | None,
    as_json: bool,
) -> None:
    """Acknowledge, snooze or expire the warning WARNING_ID."""
    _check_interval(kind, lasts)
    now = to_us(datetime.now(UTC))
    if customer is None:
        found = _open_warning(settings.database, warning_id)
        warning_id, customer = found.id, found.customer
        if at is None and now - found.newest > HISTORY_AFTER:
            at = found.newest
            click.echo(f"dated {format_instant(at)}, where the warnings stand; change it with --at", err=True)
    event = action(warning_id, kind, by, now if at is None else at, lasts)
    event["customer_id"] = customer
    value = json.dumps(event).encode()
    if isinstance(verdict := judge(Topic.ACTIONS, value), RecordRefusal):
        raise ActError(verdict.detail)
    cluster = Cluster(settings.broker, settings.kafka_security)
    _check_topic(cluster, settings.actions)
    producer = Producer(cluster)
    try:
        producer.send(settings.actions, str(event["customer_id"]).encode(), value)
        producer.flush()
    finally:
        producer.close()
    until = f" until {event['until']}" if "until" in event else ""
    click.echo(value.decode() if as_json else f"sent: {kind} {warning_id} by {by}{until}")


def action(warning_id: str, kind: str, by: str, at: int, lasts: int | None) -> dict[str, Any]:
    """Return the event of an action at `at`, but for its customer."""
    event = {
        "event_id": f"act-{uuid.uuid4()}",
        "occurred_at": format_instant(at),
        "warning_id": warning_id,
        "kind": kind,
        "actor": by,
    }
    return event if lasts is None else event | {"until": format_instant(at + lasts)}


def _check_interval(kind: str, lasts: int | None) -> None:
    if lasts is not None and kind == "expire":
        msg = "--for: an expired warning has ended for good; leave it away"
        raise click.UsageError(msg)
    if lasts == 0:
        msg = "--for: must be longer than nothing"
        raise click.UsageError(msg)


def _check_topic(cluster: Cluster, name: str) -> None:
    admin = Admin(cluster)
    try:
        there = name in admin.partitions()
    finally:
        admin.close()
    if not there:
        msg = (
            f"Kafka at {cluster.servers} has no topic {name!r}; `lapwing topics` creates it, and workers "
            "that were started before read it once they are started again"
        )
        raise BrokerError(msg)


@dataclass(frozen=True, slots=True)
class _OpenWarning:
    id: str
    customer: str
    newest: int
    """The event time of the newest step of any warning."""


def _open_warning(url: str, beginning: str) -> _OpenWarning:
    """Return the open warning whose id is, or alone begins with, `beginning`, as the database has it."""
    database = Database(url)
    try:
        database.prepare()
        with database.reading() as connection:
            columns = (warnings.c.id, warnings.c.customer_id, warnings.c.state)
            begins = warnings.c.id.startswith(beginning, autoescape=True)
            query = select(*columns).where(begins).order_by(warnings.c.id).limit(MOST_NAMED + 1)
            rows = connection.execute(query).all()
            newest = connection.execute(select(func.max(warnings.c.updated_at))).scalar()
    finally:
        database.close()
    rows = [row for row in rows if row.id == beginning] or rows
    if not rows:
        msg = f"{database.place} has no warning {beginning}: is `lapwing sink` running? or give --customer"
        raise ActError(msg)
    if len(rows) > 1:
        names = ", ".join(row.id for row in rows[:MOST_NAMED]) + (", ..." if len(rows) > MOST_NAMED else "")
        msg = f"more than one warning begins with {beginning}: {names}"
        raise ActError(msg)
    (row,) = rows
    if row.state != "open":
        msg = f"the warning {row.id} is {row.state}: nothing can be done about it any more"
        raise ActError(msg)
    return _OpenWarning(row.id, row.customer_id, to_us(newest) if newest is not None else 0)
