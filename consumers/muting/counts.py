"""What was muted, counted from the database."""

from __future__ import annotations

from sqlalchemy import func, select

from consumers.database.database import Database
from consumers.database.schema import notices
from consumers.muting.notice import NoticeVerdict

_MUTED = notices.c.verdict != NoticeVerdict.SENT.value


def muted_by_silence(database: Database) -> dict[str, int]:
    """Return how many warnings' steps each silence muted, for a while or for good."""
    count = func.count(notices.c.step_id.distinct())
    query = select(notices.c.silence_id, count).where(_MUTED, notices.c.silence_id.is_not(None))
    with database.reading() as connection:
        rows = connection.execute(query.group_by(notices.c.silence_id)).all()
    return {row[0]: row[1] for row in rows}


def muted_by_reason(database: Database) -> dict[str, dict[str, int]]:
    """Return how many notices are deferred and how many are muted for good, by the reason."""
    query = select(notices.c.why, notices.c.verdict, func.count()).where(_MUTED)
    counts: dict[str, dict[str, int]] = {}
    with database.reading() as connection:
        for why, verdict, number in connection.execute(query.group_by(notices.c.why, notices.c.verdict)):
            counts.setdefault(why, {NoticeVerdict.DEFERRED.value: 0, NoticeVerdict.MUTED.value: 0})[
                verdict
            ] = number
    return counts
