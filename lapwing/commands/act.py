"""`lapwing act`: what the team does about a warning, or to win a customer back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import click

from consumers.broker.client import Admin, Cluster, Producer
from consumers.database.database import Database
from consumers.drafts import LASTING_KINDS, Draft, action_bytes
from consumers.stored_warnings import newest_update, warnings_that_begin
from lapwing.settings.settings import Settings
from streams.contract.instants import format_instant, to_us
from streams.core.events.action_words import WARNING_KINDS
from streams.core.events.calendar import DAY
from streams.errors import ActError, BrokerError
from streams.kafka.errors import no_topic

HISTORY_AFTER: Final = 7 * DAY
"""Where the newest warning is older, the events are a history: an action of today would wait for ever."""
NO_WARNING: Final = "-"
"""Stands for no warning, where a customer who has lapsed is to be won back."""
MOST_NAMED: Final = 3
"""Warnings that are named where an id's beginning fits several."""


def run(
    warning_id: str,
    kind: str,
    settings: Settings,
    by: str,
    lasts: int | None,
    play: str | None,
    result: str | None,
    reasons: tuple[str, ...],
    cost: tuple[tuple[str, float], ...],
    corrects: str | None,
    to: str | None,
    customer: str | None,
    at: int | None,
    as_json: bool,
) -> None:
    """Send what was done about the warning WARNING_ID, or without one."""
    _check(warning_id, kind, lasts, corrects, to, customer)
    now = to_us(datetime.now(UTC))
    if customer is None:
        found = _stored_warning(settings.database, warning_id, still_open=kind in WARNING_KINDS)
        warning_id, customer = found.id, found.customer
        if at is None and now - found.newest > HISTORY_AFTER:
            at = found.newest
            click.echo(f"dated {format_instant(at)}, where the warnings stand; change it with --at", err=True)
    when = now if at is None else at
    done = Draft(
        customer_id=customer,
        kind=kind,
        warning_id=None if warning_id == NO_WARNING else warning_id,
        until=None if lasts is None else when + lasts,
        play=play,
        result=result,
        reasons=reasons,
        cost=dict(cost),
        assignee=to,
        corrects=corrects,
    )
    event = done.event(f"act-{uuid.uuid4()}", when, by)
    try:
        value = action_bytes(event)
    except ActError as error:
        raise click.UsageError(str(error)) from error
    cluster = Cluster(settings.broker, settings.kafka_security)
    _check_topic(cluster, settings.actions)
    producer = Producer(cluster)
    try:
        producer.send(settings.actions, str(event["customer_id"]).encode(), value)
        producer.flush()
    finally:
        producer.close()
    until = f" until {event['until']}" if "until" in event else ""
    about = f"customer {customer}" if warning_id == NO_WARNING else warning_id
    click.echo(value.decode() if as_json else f"sent: {kind} {about} by {by}{until} ({event['event_id']})")


def _check(
    warning_id: str, kind: str, lasts: int | None, corrects: str | None, to: str | None, customer: str | None
) -> None:
    wrong = None
    if lasts is not None and kind == "expire":
        wrong = "--for: an expired warning has ended for good; leave it away"
    elif lasts is not None and kind not in LASTING_KINDS:
        wrong = f"--for: belongs to acknowledge and snooze, not to {kind}"
    elif lasts == 0:
        wrong = "--for: must be longer than nothing"
    elif kind == "correct" and corrects is None:
        wrong = "--corrects: say which action is to be corrected, by the event id that `lapwing act` printed"
    elif to is not None and kind != "assign":
        wrong = f"--to: belongs to assign, not to {kind}"
    elif warning_id == NO_WARNING and kind in WARNING_KINDS:
        wrong = f"{kind} is about a warning: name it instead of {NO_WARNING}"
    elif warning_id == NO_WARNING and customer is None:
        wrong = "--customer: without a warning, say which customer it is about"
    if wrong is not None:
        raise click.UsageError(wrong)


def _check_topic(cluster: Cluster, name: str) -> None:
    admin = Admin(cluster)
    try:
        there = name in admin.partitions()
    finally:
        admin.close()
    if not there:
        msg = no_topic(f"Kafka at {cluster.servers}", name)
        msg += "; workers that were started before read it once they are started again"
        raise BrokerError(msg)


@dataclass(frozen=True, slots=True)
class _StoredWarning:
    id: str
    customer: str
    newest: int
    """The event time of the newest step of any warning."""


def _stored_warning(url: str, beginning: str, *, still_open: bool) -> _StoredWarning:
    """Return the warning whose id is, or alone begins with, `beginning`, as the database has it.

    One that has ended is refused where it must be `still_open`.
    """
    database = Database(url)
    try:
        if not database.is_there:
            msg = f"there is no database {database.place} yet: `lapwing sink` makes it; or give --customer"
            raise ActError(msg)
        database.prepare()
        with database.reading() as connection:
            rows = warnings_that_begin(connection, beginning, MOST_NAMED + 1)
            newest = newest_update(connection)
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
    if still_open and row.state != "open":
        msg = f"the warning {row.id} is {row.state}: nothing can be done about it any more"
        raise ActError(msg)
    return _StoredWarning(row.id, row.customer_id, to_us(newest) if newest is not None else 0)
