"""What was muted, counted from the database."""

from __future__ import annotations

from sqlalchemy import func, select

from consumers.database.database import Database
from consumers.database.notices import NoticeRow
from consumers.muting.notice import NoticeVerdict

# Named, not "all but sent": of these there may be few among millions, and the index finds them.
_MUTED = NoticeRow.verdict.in_([NoticeVerdict.DEFERRED.value, NoticeVerdict.MUTED.value])


def muted_by_silence(database: Database) -> dict[str, int]:
    """Return how many warnings' steps each silence muted, for a while or for good."""
    count = func.count(NoticeRow.step_id.distinct())
    query = select(NoticeRow.silence_id, count).where(_MUTED, NoticeRow.silence_id.is_not(None))
    with database.reading() as connection:
        rows = connection.execute(query.group_by(NoticeRow.silence_id)).all()
    return {silence: steps for silence, steps in rows if silence is not None}


def muted_by_reason(database: Database) -> dict[str, dict[str, int]]:
    """Return how many notices are deferred and how many are muted for good, by the reason."""
    query = select(NoticeRow.why, NoticeRow.verdict, func.count()).where(_MUTED)
    counts: dict[str, dict[str, int]] = {}
    with database.reading() as connection:
        for why, verdict, number in connection.execute(query.group_by(NoticeRow.why, NoticeRow.verdict)):
            if why is not None:
                none = {NoticeVerdict.DEFERRED.value: 0, NoticeVerdict.MUTED.value: 0}
                counts.setdefault(why, none)[verdict] = number
    return counts
