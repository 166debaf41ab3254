"""From stored steps to notices: each is judged once, in the order of storage, and held ones again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, insert, or_, select, update

from consumers.database.database import Database
from consumers.database.schema import judging, notices, silences, warning_steps, warnings
from consumers.muting.judge import Known, judge
from consumers.muting.notice import Judgement, Limits, Notice, Past, Verdict, Why, read_notice
from streams.contract.silences import Silence

CHUNK: Final = 1_000
CURSOR: Final = "notices"
LIVE: Final = timedelta(minutes=10)
"""While steps come at least so often, event time is that of the newest; then it is the wall clock."""
OPEN: Final = "open"


@dataclass(slots=True)
class Judged:
    """How many notices became what."""

    told: int = 0
    muted: int = 0
    """Held ones and those muted for good."""


class Notices:
    """The notices of one database.

    Whoever judges does so in one writing transaction with the place up to which is judged, so that however
    many notifiers run and whatever stops them, each step is judged once.
    """

    def __init__(self, database: Database, limits: Limits | None = None) -> None:
        self._database = database
        self._limits = limits or Limits()

    def judge(self, now: datetime) -> Judged:
        """Judge the steps that were stored since the last time, and the held notices that are due."""
        judged = Judged()
        while self._has_work(now):
            with self._database.writing() as connection:
                turn = _Turn(connection, self._limits, now)
                more = turn.take_steps()
                turn.look_again()
                turn.write()
            judged.told += turn.judged.told
            judged.muted += turn.judged.muted
            if not more:
                break
        return judged

    def _has_work(self, now: datetime) -> bool:
        # Without the write lock: most times there is nothing to judge.
        with self._database.reading() as connection:
            if connection.execute(STEPS.limit(1)).first() is not None:
                return True
            return connection.execute(_due(now, _event_time(connection, now)).limit(1)).first() is not None


class _Turn:
    """One transaction's judging."""

    def __init__(self, connection: Connection, limits: Limits, now: datetime) -> None:
        self.judged = Judged()
        self._connection = connection
        self._limits = limits
        self._now = now
        found = connection.scalars(select(silences.c.content).where(silences.c.expired_at.is_(None)))
        self._silences = [Silence.model_validate(content) for content in found]
        self._past: dict[str, list[Past]] = {}
        self._new: list[dict[str, object]] = []
        self._touched: set[str] = set()
        """Warnings that took a step."""

    def take_steps(self) -> bool:
        """Judge a chunk of new steps; return whether there may be more."""
        rows = self._connection.execute(STEPS.limit(CHUNK)).all()
        if not rows:
            return False
        taken = [_notice(row) for row in rows]
        self._load_past({notice.customer_id for notice in taken}, min(row.time for row in rows))
        for notice in taken:
            self._touched.add(notice.warning_id)
            judgement = judge(notice, self._known(notice, notice.time))
            if judgement is not None:
                self._note(notice, notice.time, judgement)
        place = update(judging).where(judging.c.name == CURSOR)
        self._connection.execute(place.values(judged_to=rows[-1].seq))
        return len(rows) == CHUNK

    def look_again(self) -> None:
        """Judge the warnings again of which a notice is held that is due, or that took a step."""
        self.write()
        at = _event_time(self._connection, self._now)
        held: dict[str, list[Row[Any]]] = defaultdict(list)
        due = _due(self._now, at, self._touched)
        for row in self._connection.execute(due.limit(CHUNK)):
            held[row.warning_id].append(row)
        if not held:
            return
        newest = self._newest_steps(held)
        self._load_past({row.customer_id for rows in held.values() for row in rows}, at)
        for warning_id, rows in held.items():
            self._look_again_at(rows, newest.get(warning_id), at)

    def _look_again_at(self, held: Sequence[Row[Any]], newest: Notice | None, at: datetime) -> None:
        if newest is None or self._was_told(newest, since=max(row.step for row in held)):
            self._settle(held)
            return
        # What a step brings is judged at the step's own time, else event time would go back.
        instant = max(at, newest.time)
        judgement = judge(newest, self._known(newest, instant), owed=True)
        last = max(held, key=lambda row: row.seq)
        if judgement is None or judgement.verdict is not Verdict.HELD:
            self._settle(held)
            if judgement is not None:
                note = judgement.note or _held_note(last, self._silences)
                self._note(newest, instant, judgement, note)
            return
        same = (judgement.why, judgement.silence_id) == (last.why, last.silence_id)
        self._settle([row for row in held if not same or row.seq != last.seq])
        if same:
            again = update(notices).where(notices.c.seq == last.seq)
            self._connection.execute(again.values(look_again_at=judgement.look_again_at))
        else:
            self._note(newest, instant, judgement)

    def _known(self, notice: Notice, at: datetime) -> Known:
        past = self._past.get(notice.customer_id, ())
        return Known(at, self._now, self._silences, past, self._limits)

    def _was_told(self, newest: Notice, since: int) -> bool:
        query = select(notices.c.seq).where(
            notices.c.warning_id == newest.warning_id,
            notices.c.verdict == Verdict.TOLD.value,
            notices.c.step >= since,
        )
        return self._connection.execute(query.limit(1)).first() is not None

    def _newest_steps(self, warning_ids: Iterable[str]) -> dict[str, Notice]:
        """Return the newest step of each of these warnings that is open."""
        query = (
            select(warning_steps)
            .join(warnings, warnings.c.id == warning_steps.c.warning_id)
            .where(
                warnings.c.id.in_(list(warning_ids)),
                warnings.c.state == OPEN,
                warning_steps.c.step == warnings.c.last_step,
            )
        )
        return {row.warning_id: _notice(row) for row in self._connection.execute(query)}

    def _load_past(self, customers: set[str], earliest: datetime) -> None:
        """Load what was judged before of customers of whom it is not loaded yet."""
        wanted = sorted(customers - self._past.keys())
        if not wanted:
            return
        query = (
            select(notices)
            .where(notices.c.customer_id.in_(wanted), notices.c.at > earliest - self._limits.reach)
            .order_by(notices.c.seq)
        )
        for name in wanted:
            self._past[name] = []
        for row in self._connection.execute(query):
            self._past[row.customer_id].append(_past(dict(row._mapping)))

    def _note(self, notice: Notice, at: datetime, judgement: Judgement, note: str | None = None) -> None:
        row = {
            "step_id": notice.step_id,
            "warning_id": notice.warning_id,
            "step": notice.number,
            "customer_id": notice.customer_id,
            "kind": notice.kind,
            "at": at,
            "tier": notice.tier,
            "rules": sorted(notice.rules),
            "verdict": judgement.verdict.value,
            "why": judgement.why.value if judgement.why else None,
            "silence_id": judgement.silence_id,
            "look_again_at": judgement.look_again_at,
            "by_wall_clock": judgement.by_wall_clock,
            "note": note or judgement.note,
            "judged_at": self._now,
        }
        self._new.append(row)
        self._past.setdefault(notice.customer_id, []).append(_past(row))
        if judgement.verdict is Verdict.TOLD:
            self.judged.told += 1
        else:
            self.judged.muted += 1

    def _settle(self, held: Sequence[Row[Any]]) -> None:
        """Let held notices be muted for good."""
        if held:
            rows = update(notices).where(notices.c.seq.in_([row.seq for row in held]))
            self._connection.execute(rows.values(verdict=Verdict.MUTED.value, look_again_at=None))

    def write(self) -> None:
        """Store the notices judged so far."""
        if self._new:
            self._connection.execute(insert(notices), self._new)
            self._new = []


_place = select(judging.c.judged_to).where(judging.c.name == CURSOR).scalar_subquery()
STEPS: Final = select(warning_steps).where(warning_steps.c.seq > _place).order_by(warning_steps.c.seq)
"""The steps that are not judged, in the order of storage."""


def _due(now: datetime, at: datetime, touched: Iterable[str] = ()) -> Any:
    """Return the query for held notices whose time has come, or whose warning took a step."""
    held = notices.c.verdict == Verdict.HELD.value
    due = or_(
        and_(notices.c.by_wall_clock, notices.c.look_again_at <= now),
        and_(~notices.c.by_wall_clock, notices.c.look_again_at <= at),
        notices.c.warning_id.in_(list(touched)),
    )
    return select(notices).where(held, due).order_by(notices.c.seq)


def _event_time(connection: Connection, now: datetime) -> datetime:
    """Return how far event time has come: to the newest step while they come, else to the wall clock."""
    newest = select(warning_steps.c.time, warning_steps.c.received_at)
    rows = connection.execute(newest.order_by(warning_steps.c.seq.desc()).limit(CHUNK)).all()
    if not rows or now - rows[0].received_at >= LIVE:
        return now
    newest_time: datetime = max(row.time for row in rows)
    return newest_time


def _notice(row: Row[Any]) -> Notice:
    """Return what muting needs of a stored step.

    One that says less than the contract asks for is told: the notifier then gives it up aloud.
    """
    try:
        return read_notice(row.id, row.type, row.time, row.data)
    except (KeyError, TypeError, AttributeError):
        bare = {"warning_id": row.warning_id, "step": row.step, "customer_id": row.customer_id}
        return read_notice(row.id, row.type, row.time, {**bare, "tier": row.tier, "causes": ()})


def _past(row: Mapping[str, Any]) -> Past:
    return Past(
        step_id=row["step_id"],
        warning_id=row["warning_id"],
        kind=row["kind"],
        at=row["at"],
        tier=row["tier"],
        rules=frozenset(row["rules"]),
        verdict=Verdict(row["verdict"]),
        why=Why(row["why"]) if row["why"] else None,
    )


def _held_note(held: Row[Any], known: Sequence[Silence]) -> str:
    """Return what a late message says of its being late."""
    silence = next((silence for silence in known if silence.id == held.silence_id), None)
    why = {
        Why.SILENCE: "silenced",
        Why.QUIET_HOURS: "quiet hours",
        Why.FATIGUE: "too many notices of this customer",
        Why.FLAPPING: "flapping",
    }[Why(held.why)]
    reason = f" ({silence.reason})" if silence else ""
    return f"Held back since {held.at:%Y-%m-%d %H:%M} UTC: {why}{reason}"
