"""`lapwing act`: acknowledge, snooze or expire a warning."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import select

from consumers.broker.client import Admin, Cluster, Producer
from consumers.database.database import Database
from consumers.database.schema import warnings
from lapwing.settings.settings import Settings
from streams.contract.instants import format_instant, to_us
from streams.contract.validate import RecordRefusal, judge
from streams.core.events.topics import Topic
from streams.errors import ActError, BrokerError


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
    event = action(warning_id, kind, by, to_us(datetime.now(UTC)) if at is None else at, lasts)
    event["customer_id"] = _open_customer(settings.database, warning_id) if customer is None else customer
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


def _open_customer(url: str, warning_id: str) -> str:
    """Return the customer of an open warning, as the database knows it."""
    database = Database(url)
    try:
        database.prepare()
        with database.reading() as connection:
            query = select(warnings.c.customer_id, warnings.c.state).where(warnings.c.id == warning_id)
            row = connection.execute(query).first()
    finally:
        database.close()
    if row is None:
        msg = f"{database.place} has no warning {warning_id}: is `lapwing sink` running? or give --customer"
        raise ActError(msg)
    if row.state != "open":
        msg = f"the warning {warning_id} is {row.state}: nothing can be done about it any more"
        raise ActError(msg)
    return str(row.customer_id)
