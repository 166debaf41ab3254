"""`lapwing act`: acknowledge, snooze or expire a warning."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any, Final

import click
from sqlalchemy import select

from consumers.broker.client import Admin, Cluster, Producer
from consumers.database.database import Database
from consumers.database.schema import warnings
from lapwing.settings.options import settings_options
from lapwing.settings.settings import Settings
from streams.contract.instants import format_instant, read_instant, to_us
from streams.contract.validate import RecordRefusal, judge
from streams.core.events.topics import Topic
from streams.core.warnings.acknowledgement import ACTS
from streams.duration import parse_duration
from streams.errors import ActError, BrokerError

KINDS: Final = tuple(ACTS)


@click.command()
@click.argument("warning_id")
@click.argument("kind", type=click.Choice(KINDS))
@settings_options("broker", "actions", "database")
@click.option("--by", required=True, help="Who does it; it stands on the warning.")
@click.option("--for", "lasts", help="How long it holds, such as 3d; default: as the worker's settings say.")
@click.option(
    "--customer", help="The warning's customer; default: as the database that `lapwing sink` fills has it."
)
@click.option("--at", help="When it was done, RFC 3339, where events are not of today; default: now.")
@click.option("--json", "as_json", is_flag=True, help="Print the event that was sent.")
def command(
    warning_id: str,
    kind: str,
    settings: Settings,
    by: str,
    lasts: str | None,
    customer: str | None,
    at: str | None,
    as_json: bool,
) -> None:
    """Acknowledge, snooze or expire the warning WARNING_ID.

    An acknowledgement says that somebody has it in hand; it lapses after a while, and the warning speaks
    again. A snooze says: not before then. `expire` ends the warning. The action is an event on the topic of
    actions; the worker that reads it changes the warning, if that is still open.
    """
    event = action(warning_id, kind, by, _instant(at), _interval(kind, lasts))
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


def _instant(text: str | None) -> int:
    if text is None:
        return to_us(datetime.now(UTC))
    try:
        return to_us(read_instant(text))
    except ValueError as error:
        msg = f"--at: {text!r} is no RFC 3339 time with offset, such as 2011-12-09T00:00:00Z"
        raise ActError(msg) from error


def _interval(kind: str, text: str | None) -> int | None:
    if text is None:
        return None
    if kind == "expire":
        msg = "--for: an expired warning has ended for good; leave it away"
        raise ActError(msg)
    try:
        lasts = parse_duration(text)
    except ValueError as error:
        msg = f"--for: {error}"
        raise ActError(msg) from error
    if not lasts:
        msg = "--for: must be longer than nothing"
        raise ActError(msg)
    return lasts


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
