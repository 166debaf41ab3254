"""Deliveries that wait in the outbox when a silence begins: it defers them too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, or_, select, update

from consumers.database.notices import NoticeRow, OutboxRow, SilenceRow
from consumers.database.warnings import WarningRow
from consumers.muting.judge import NoticeContext, in_quiet_hours, silenced
from consumers.muting.notice import Judgement, Notice, NoticeVerdict
from consumers.notify.notices import OPEN, notice_of, notice_row, stored_silences
from streams.contract.silences import Silence

AGAIN: Final = timedelta(minutes=1)
"""How soon a delivery is checked again: somebody may expire the silence."""
MARK: Final = "muted by silence "
"""Begins `outbox.last_error` of a delivery that waits for a silence's end."""


def not_muted(
    connection: Connection, rows: Sequence[Row[Any]], now: datetime
) -> tuple[list[Row[Any]], list[int]]:
    """Return the due deliveries that may be sent now, and the `seq` of those that never will be.

    A step was judged when it was stored; since then its receiver may have been down, or somebody may have
    silenced a flood of notices.
    """
    context = NoticeContext(now, now, silences_in_force(connection, now))
    sendable, gone = [], []
    for row in rows:
        if row.step_id is None:  # several steps, or a segment's: they were looked at when it was made
            sendable.append(row)
            continue
        notice = notice_of(row.step_id, row)
        if notice.holdout or notice.do_not_contact:
            gone.append(row.seq)  # an older notifier entered it
            continue
        judgement = (
            (silenced(notice, context) or in_quiet_hours(notice, context)) if context.silences else None
        )
        if judgement is not None:
            _delay(connection, row, notice, judgement, now)
        elif (row.last_error or "").startswith(MARK) and not _is_open(connection, notice.warning_id):
            gone.append(row.seq)
        else:
            sendable.append(row)
    return sendable, gone


def silences_in_force(connection: Connection, now: datetime) -> list[Silence]:
    """Return the silences that may mute what is sent now."""
    in_force = select(SilenceRow.content).where(
        SilenceRow.expired_at.is_(None),
        SilenceRow.starts_at <= now,
        or_(SilenceRow.ends_at.is_(None), SilenceRow.ends_at > now),
    )
    return stored_silences(connection, in_force)


def _delay(
    connection: Connection, row: Row[Any], notice: Notice, judgement: Judgement, now: datetime
) -> None:
    end = judgement.look_again_at or now + AGAIN
    mark = f"{MARK}{judgement.silence_id}"
    later = update(OutboxRow).where(OutboxRow.seq == row.seq)
    connection.execute(later.values(due_at=min(end, now + AGAIN), last_error=mark))
    recorded = select(NoticeRow.seq).where(
        NoticeRow.step_id == notice.step_id,
        NoticeRow.silence_id == judgement.silence_id,
        NoticeRow.verdict != NoticeVerdict.SENT.value,
    )
    if connection.execute(recorded.limit(1)).first() is None:
        muted = Judgement(NoticeVerdict.MUTED, judgement.reason, judgement.silence_id)
        connection.execute(insert(NoticeRow), [notice_row(notice, now, muted, now)])


def _is_open(connection: Connection, warning_id: str) -> bool:
    return connection.scalar(select(WarningRow.state).where(WarningRow.id == warning_id)) == OPEN
