"""From stored steps to notices: each is judged once, in the order of storage, and held ones again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, insert, or_, select, update

from consumers.database.database import Database
from consumers.database.schema import judging, notices, silences, warning_steps
from consumers.muting.judge import NoticeContext, judge
from consumers.muting.notice import Judgement, Limits, Notice, NoticeVerdict, Past, Why, read_notice
from streams.contract.silences import Silence

CHUNK: Final = 1_000
CURSOR: Final = "notices"
LIVE: Final = timedelta(minutes=10)
"""While steps come at least so often, only they move event time; then the wall clock stands for it."""
OPEN: Final = "open"
TAKEN_UP: Final = ("acknowledged", "snoozed")
"""Steps by which people show that they know of a warning: it need not be told to them."""


@dataclass(slots=True)
class NoticeCounts:
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

    def judge(self, now: datetime) -> NoticeCounts:
        """Judge the steps that were stored since the last time, and the held notices that are due."""
        judged = NoticeCounts()
        while self._has_work(now):
            with self._database.writing() as connection:
                turn = _Turn(connection, self._limits, now)
                more = turn.run()
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
            clocks: list[ColumnElement[bool]] = [notices.c.by_wall_clock]
            if is_idle(connection, now):
                clocks.append(~notices.c.by_wall_clock)
            held = notices.c.verdict == NoticeVerdict.HELD.value
            due = select(notices.c.seq).where(held, or_(*clocks), notices.c.look_again_at <= now)
            return connection.execute(due.limit(1)).first() is not None


@dataclass(slots=True)
class _Held:
    """The notice of a warning that is held, as its row; `seq` is there once it is stored."""

    row: dict[str, Any]
    seq: int | None = None

    @property
    def due(self) -> tuple[datetime, str]:
        """Return what held notices are looked at by: their time, then their step."""
        return self.row["look_again_at"], self.row["step_id"]


class _Turn:
    """One transaction's judging: steps in the order of storage, and held notices as event time passes them.

    What comes out does not depend on how the steps are cut into turns, unless people's clocks have a say.
    """

    def __init__(self, connection: Connection, limits: Limits, now: datetime) -> None:
        self.judged = NoticeCounts()
        self._connection = connection
        self._limits = limits
        self._now = now
        found = connection.scalars(select(silences.c.content))
        self._silences = [Silence.model_validate(content) for content in found]
        self._past: dict[str, list[Past]] = {}
        self._new: list[dict[str, Any]] = []
        self._held: dict[str, _Held] = {}
        for row in connection.execute(select(notices).where(notices.c.verdict == NoticeVerdict.HELD.value)):
            self._held[row.warning_id] = _Held(dict(row._mapping), row.seq)
        self._place, self._event_time = connection.execute(
            select(judging.c.judged_to, judging.c.event_time).where(judging.c.name == CURSOR)
        ).one()

    def run(self) -> bool:
        """Judge a chunk of steps and what is due after it; return whether there may be more."""
        rows = self._connection.execute(STEPS.limit(CHUNK)).all()
        if rows:
            earliest = min(row.time for row in rows)
            # Held notices are looked at from where event time stands.
            earliest = min(earliest, self._event_time or earliest)
            self._load_past({row.customer_id for row in rows}, earliest)
        for row in rows:
            if self._event_time is None or row.time > self._event_time:
                self._event_time = row.time
                self._pass(row.time)
            self._take(notice_of(row.id, row), row.state)
            self._place = row.seq
        more = len(rows) == CHUNK
        if not more and is_idle(self._connection, self._now):
            self._pass(self._now)
        for held in [held for held in self._held.values() if _is_due(held, self._now, by_wall_clock=True)]:
            self._look_again(held, max(self._event_time or self._now, held.row["at"]))
        self._write()
        return more

    def _take(self, notice: Notice, state: str) -> None:
        """Judge a step, and the notice of its warning that is held, if any."""
        judgement = judge(notice, self._known(notice, notice.time))
        held = self._held.get(notice.warning_id)
        if judgement is not None:
            if held is not None and judgement.why is not Why.INHIBITED:
                self._settle(held)
            self._note(notice, notice.time, judgement)
        if held is None or held is not self._held.get(notice.warning_id):
            return
        if state != OPEN or notice.kind in TAKEN_UP:
            self._settle(held)
        else:
            self._judge_again(held, notice, notice.time)

    def _pass(self, at: datetime) -> None:
        """Let event time reach `at`: look again at what is due until then, in the order in which it is."""
        while due := [held for held in self._held.values() if _is_due(held, at, by_wall_clock=False)]:
            held = min(due, key=lambda held: held.due)
            self._look_again(held, held.row["look_again_at"])

    def _look_again(self, held: _Held, at: datetime) -> None:
        """Judge a held notice again at an instant, as the warning stands by the steps judged so far."""
        newest = self._connection.execute(
            select(warning_steps)
            .where(warning_steps.c.warning_id == held.row["warning_id"], warning_steps.c.seq <= self._place)
            .order_by(warning_steps.c.step.desc())
            .limit(1)
        ).one()
        notice = notice_of(newest.id, newest)
        self._load_past({notice.customer_id}, at)
        if newest.state != OPEN or notice.kind in TAKEN_UP:
            self._settle(held)
        else:
            self._judge_again(held, notice, at)

    def _judge_again(self, held: _Held, notice: Notice, at: datetime) -> None:
        judgement = judge(notice, self._known(notice, at), owed=True)
        assert judgement is not None
        if judgement.look_again_at is not None and judgement.look_again_at <= at:
            # A silence over by event time and in force by the clock: the clock has the say.
            judgement = replace(judgement, by_wall_clock=True)
        row = held.row
        if judgement.verdict is NoticeVerdict.HELD and (judgement.why, judgement.silence_id) == (
            row["why"],
            row["silence_id"],
        ):
            change = {"look_again_at": judgement.look_again_at, "by_wall_clock": judgement.by_wall_clock}
            self._change(held, change)
            return
        self._settle(held)
        note = None
        if judgement.verdict is NoticeVerdict.TOLD:
            note = judgement.note or _held_note(row, self._silences)
        self._note(notice, at, judgement, note)

    def _known(self, notice: Notice, at: datetime) -> NoticeContext:
        return NoticeContext(
            at, self._now, self._silences, self._past.get(notice.customer_id, ()), self._limits
        )

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
        self._past |= {name: [] for name in wanted}
        for row in self._connection.execute(query):
            self._past[row.customer_id].append(_past(dict(row._mapping)))

    def _note(self, notice: Notice, at: datetime, judgement: Judgement, note: str | None = None) -> None:
        row = notice_row(notice, at, judgement, self._now, note)
        self._new.append(row)
        self._past.setdefault(notice.customer_id, []).append(_past(row))
        if judgement.verdict is NoticeVerdict.HELD:
            self._held[notice.warning_id] = _Held(row)
        if judgement.verdict is NoticeVerdict.TOLD:
            self.judged.told += 1
        else:
            self.judged.muted += 1

    def _settle(self, held: _Held) -> None:
        """Let a held notice be muted for good."""
        del self._held[held.row["warning_id"]]
        self._change(held, {"verdict": NoticeVerdict.MUTED.value, "look_again_at": None})

    def _change(self, held: _Held, change: Mapping[str, Any]) -> None:
        held.row.update(change)
        if held.seq is not None:
            self._connection.execute(update(notices).where(notices.c.seq == held.seq).values(change))

    def _write(self) -> None:
        if self._new:
            self._connection.execute(insert(notices), self._new)
        place = update(judging).where(judging.c.name == CURSOR)
        self._connection.execute(place.values(judged_to=self._place, event_time=self._event_time))


def _is_due(held: _Held, at: datetime, *, by_wall_clock: bool) -> bool:
    return bool(held.row["by_wall_clock"] == by_wall_clock and held.row["look_again_at"] <= at)


_place = select(judging.c.judged_to).where(judging.c.name == CURSOR).scalar_subquery()
STEPS: Final = select(warning_steps).where(warning_steps.c.seq > _place).order_by(warning_steps.c.seq)
"""The steps that are not judged, in the order of storage."""


def is_idle(connection: Connection, now: datetime) -> bool:
    """Return whether no step has come for a while, so that the wall clock stands for event time."""
    newest = select(warning_steps.c.received_at).order_by(warning_steps.c.seq.desc()).limit(1)
    received: datetime | None = connection.scalar(newest)
    return received is None or now - received >= LIVE


def notice_of(step_id: str, row: Row[Any]) -> Notice:
    """Return what muting needs of a stored step.

    One that says less than the contract asks for is told: the notifier then gives it up aloud.
    """
    try:
        return read_notice(step_id, row.type, row.time, row.data)
    except (KeyError, TypeError, AttributeError):
        bare = {"warning_id": row.warning_id, "step": row.step, "customer_id": row.customer_id}
        return read_notice(step_id, row.type, row.time, {**bare, "tier": row.tier, "causes": ()})


def notice_row(
    notice: Notice, at: datetime, judgement: Judgement, now: datetime, note: str | None = None
) -> dict[str, object]:
    """Return the row of what was decided of a notice."""
    return {
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
        "judged_at": now,
    }


def _past(row: Mapping[str, Any]) -> Past:
    return Past(
        step_id=row["step_id"],
        warning_id=row["warning_id"],
        kind=row["kind"],
        at=row["at"],
        tier=row["tier"],
        rules=frozenset(row["rules"]),
        verdict=NoticeVerdict(row["verdict"]),
        why=Why(row["why"]) if row["why"] else None,
    )


def _held_note(held: Mapping[str, Any], known: Sequence[Silence]) -> str:
    """Return what a late message says of its being late."""
    silence = next((silence for silence in known if silence.id == held["silence_id"]), None)
    why = {
        Why.SILENCE: "silenced",
        Why.QUIET_HOURS: "quiet hours",
        Why.FATIGUE: "too many notices of this customer",
        Why.FLAPPING: "flapping",
    }[Why(held["why"])]
    reason = f" ({silence.reason})" if silence else ""
    return f"Held back since {held['at']:%Y-%m-%d %H:%M} UTC: {why}{reason}"
