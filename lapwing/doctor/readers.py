"""What stores records and sends notices: whether it keeps up; and the time zone of the census."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, inspect, select

from consumers.database.base import Base
from consumers.database.notices import ChannelRow, OutboxRow
from consumers.database.outcomes import CensusRow
from consumers.notify.outbox import due_since
from lapwing.database import opened_database
from lapwing.doctor.check import Doubtful, Skipped
from lapwing.doctor.installation import Installation
from lapwing.lag import shown_age
from lapwing.settings.settings import Settings
from streams.errors import SettingsError, StoreError

LATE: Final = timedelta(minutes=15)
"""After so long something should have been stored or sent."""


def sink(installation: Installation) -> str:
    """Check that `lapwing sink` stores what comes."""
    waiting = {topic: each for topic, each in installation.unstored.items() if each.since is not None}
    if not waiting:
        return "all that the topics hold is stored"
    count = sum(each.records for each in waiting.values())
    age = datetime.now(UTC) - min(each.since for each in waiting.values() if each.since is not None)
    if age > LATE:
        msg = (
            f"{count:,} records of {', '.join(sorted(waiting))} are not stored, the oldest for "
            f"{shown_age(age)}: "
            "the desk and reports lack them: see whether a sink runs and what it logs"
        )
        raise Doubtful(msg)
    return f"{count:,} records are yet to be stored, the oldest is {shown_age(age)} old"


def outbox(installation: Installation) -> str:
    """Check that `lapwing notify` sends what is due."""
    now = datetime.now(UTC)
    with _reading(installation.settings, OutboxRow) as connection:
        disabled = sorted(
            connection.scalars(select(ChannelRow.name).where(ChannelRow.disabled_at.is_not(None)))
        )
        since = due_since(now)
        due = select(OutboxRow.channel, func.count(since), func.min(since)).where(
            OutboxRow.state == "pending", since.is_not(None), OutboxRow.channel.not_in(disabled)
        )
        late = [
            f"{count:,} to {channel}, the oldest for {shown_age(now - oldest)}"
            for channel, count, oldest in connection.execute(due.group_by(OutboxRow.channel)).all()
            if oldest is not None and now - oldest > LATE
        ]
    findings = []
    if late:
        findings.append(
            f"{'; '.join(late)} wait to be sent: see whether `lapwing notify` runs and what it logs"
        )
    if disabled:
        findings.append(
            f"nothing is sent to {', '.join(disabled)}, whose receiver wants no more: put it right, then "
            f"`lapwing notify --enable {disabled[0]}`"
        )
    if findings:
        raise Doubtful("; ".join(findings))
    return "nothing that is due waits"


def census_zone(installation: Installation) -> str:
    """Check that the census was taken at midnights of the time zone that the settings have."""
    settings = installation.settings
    with _reading(settings, CensusRow) as connection:
        newest: datetime | None = connection.execute(select(func.max(CensusRow.time))).scalar()
    if newest is None:
        msg = "no census is stored yet"
        raise Skipped(msg)
    local = newest.astimezone(ZoneInfo(settings.time_zone))
    if (local.day, local.hour, local.minute, local.second) != (1, 0, 0, 0):
        msg = (
            f"the census of {newest:%Y-%m-%d %H:%M} UTC begins no month in {settings.time_zone}: the workers "
            "have another time_zone than this command, so reports cut days and months elsewhere: set the same"
        )
        raise SettingsError(msg)
    return f"the census begins its months at midnight in {settings.time_zone}"


@contextmanager
def _reading(settings: Settings, table: type[Base]) -> Iterator[Connection]:
    """Yield a connection to the database; skip the check where it, or the table, is not there."""
    try:
        database = opened_database(settings)
    except StoreError as reason:
        raise Skipped(str(reason)) from reason
    try:
        with database.reading() as connection:
            if not inspect(connection).has_table(table.__tablename__):
                msg = "the database has no table of it yet"
                raise Skipped(msg)
            yield connection
    finally:
        database.close()
