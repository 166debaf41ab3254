"""From stored steps to notices: each is judged once, in the order of storage, and deferred ones again."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection, Row, Select, insert, or_, select, update

from consumers.database.database import Database
from consumers.database.notices import JudgingRow, NoticeRow, SilenceRow
from consumers.database.warnings import WarningStepRow
from consumers.muting.judge import NoticeContext, judge
from consumers.muting.notes import DeferredNote, Note, encode_notes
from consumers.muting.notice import (
    Judgement,
    Limits,
    MuteReason,
    Notice,
    NoticeCause,
    NoticeVerdict,
    PastNotice,
    read_notice,
)
from streams.contract.instants import EPOCH
from streams.contract.mistakes import first_mistake
from streams.contract.silences import Silence
from streams.contract.warnings import LATEST

log = logging.getLogger(__name__)

CHUNK: Final = 1_000
CURSOR: Final = "notices"
LIVE: Final = timedelta(minutes=10)
"""While steps come at least so often, only they move event time; then the wall clock stands for it."""
OPEN: Final = "open"
ATTENDED: Final = ("acknowledged", "snoozed")
"""Steps by which people show that they know of a warning: no notice is needed."""


@dataclass(slots=True)
class NoticeCounts:
    """How many notices became what."""

    sent: int = 0
    muted: int = 0
    """Those deferred and those muted for good."""


class Notices:
    """The notices of one database.

    A judgement and the place up to which steps are judged are written in one transaction. So each step is
    judged once, however many notifiers run and whatever stops them.
    """

    def __init__(self, database: Database, limits: Limits | None = None) -> None:
        self._database = database
        self._limits = limits or Limits()

    def judge(self, now: datetime) -> NoticeCounts:
        """Judge the steps that were stored since the last time, and the deferred notices that are due."""
        judged = NoticeCounts()
        while self._has_work(now):
            with self._database.writing() as connection:
                turn = _Turn(connection, self._limits, now)
                more = turn.run()
            judged.sent += turn.judged.sent
            judged.muted += turn.judged.muted
            if not more:
                break
        return judged

    def _has_work(self, now: datetime) -> bool:
        # Without the write lock: most times there is nothing to judge.
        with self._database.reading() as connection:
            if connection.execute(STEPS.limit(1)).first() is not None:
                return True
            clocks: list[ColumnElement[bool]] = [NoticeRow.by_wall_clock.is_(True)]
            if is_idle(connection, now):
                clocks.append(NoticeRow.by_wall_clock.is_(False))
            deferred = NoticeRow.verdict == NoticeVerdict.DEFERRED.value
            due = select(NoticeRow.seq).where(deferred, or_(*clocks), NoticeRow.look_again_at <= now)
            return connection.execute(due.limit(1)).first() is not None


@dataclass(slots=True)
class _Deferred:
    """The deferred notice of a warning, as its row; `seq` is there once it is stored."""

    row: dict[str, Any]
    seq: int | None = None

    @property
    def due(self) -> tuple[datetime, str]:
        """Return the order in which deferred notices are judged again: by time, then step."""
        return self.row["look_again_at"], self.row["step_id"]


class _Turn:
    """One transaction: steps in the order of storage, and deferred notices as event time passes them.

    The result does not depend on how the steps are cut into turns, except where the wall clock counts.
    """

    def __init__(self, connection: Connection, limits: Limits, now: datetime) -> None:
        self.judged = NoticeCounts()
        self._connection = connection
        self._limits = limits
        self._now = now
        self._silences = stored_silences(connection, select(SilenceRow.content))
        self._past: dict[str, list[PastNotice]] = {}
        self._new: list[dict[str, Any]] = []
        self._deferred: dict[str, _Deferred] = {}
        for row in connection.execute(
            select(NoticeRow.__table__).where(NoticeRow.verdict == NoticeVerdict.DEFERRED.value)
        ):
            self._deferred[row.warning_id] = _Deferred(dict(row._mapping), row.seq)
        self._place, self._event_time = connection.execute(
            select(JudgingRow.judged_to, JudgingRow.event_time).where(JudgingRow.name == CURSOR)
        ).one()

    def run(self) -> bool:
        """Judge a chunk of steps and what is due after it; return whether there may be more."""
        rows = self._connection.execute(STEPS.limit(CHUNK)).all()
        usable = [row for row in rows if EPOCH <= row.time < LATEST]
        if usable:
            earliest = min(row.time for row in usable)
            # Deferred notices are judged from where event time stands.
            earliest = min(earliest, self._event_time or earliest)
            self._load_past({row.customer_id for row in usable}, earliest)
        for row in rows:
            if EPOCH <= row.time < LATEST:
                self._reach(row.time)
                self._take(notice_of(row.id, row), row.state)
            else:
                self._pass_over(row)
            self._place = row.seq
        more = len(rows) == CHUNK
        if not more and is_idle(self._connection, self._now):
            self._advance(self._now)
        for deferred in [
            deferred
            for deferred in self._deferred.values()
            if _is_due(deferred, self._now, by_wall_clock=True)
        ]:
            self._look_again(deferred, max(self._event_time or self._now, deferred.row["at"]))
        self._write()
        return more

    def _reach(self, at: datetime) -> None:
        """Let a step carry event time on, but never beyond the wall clock: no step lies in the future."""
        at = min(at, self._now)
        if self._event_time is None or at > self._event_time:
            self._event_time = at
            self._advance(at)

    def _pass_over(self, row: Row[Any]) -> None:
        """Mute a step whose time is out of bounds: an older sink stored what this one refuses."""
        log.error("step %s is passed over: its time is out of bounds", row.id)
        notice = notice_of(row.id, row)
        self._record(notice, self._now, Judgement(NoticeVerdict.MUTED, MuteReason.INVALID))

    def _take(self, notice: Notice, state: str) -> None:
        """Judge a step, and the deferred notice of its warning, if any."""
        deferred = self._deferred.get(notice.warning_id)
        if deferred is not None:
            notice = replace(notice, owed=deferred.row["kind"])
        judgement = judge(notice, self._context(notice, notice.time))
        if judgement is not None:
            if deferred is not None and judgement.reason is not MuteReason.INHIBITED:
                self._settle(deferred)
            self._record(notice, notice.time, judgement)
        if deferred is None or deferred is not self._deferred.get(notice.warning_id):
            return
        if state != OPEN or notice.kind in ATTENDED:
            self._settle(deferred)
        else:
            self._judge_again(deferred, notice, notice.time)

    def _advance(self, at: datetime) -> None:
        """Judge again what is due until event time `at`, in its order."""
        while due := [
            deferred for deferred in self._deferred.values() if _is_due(deferred, at, by_wall_clock=False)
        ]:
            deferred = min(due, key=lambda deferred: deferred.due)
            self._look_again(deferred, deferred.row["look_again_at"])

    def _look_again(self, deferred: _Deferred, at: datetime) -> None:
        """Judge a deferred notice again at an instant, by the warning's newest step judged so far."""
        newest = self._connection.execute(
            select(WarningStepRow.__table__)
            .where(
                WarningStepRow.warning_id == deferred.row["warning_id"],
                WarningStepRow.seq <= self._place,
                WarningStepRow.time >= EPOCH,
                WarningStepRow.time < LATEST,
            )
            .order_by(WarningStepRow.step.desc())
            .limit(1)
        ).one()
        notice = notice_of(newest.id, newest)
        self._load_past({notice.customer_id}, at)
        if newest.state != OPEN or notice.kind in ATTENDED:
            self._settle(deferred)
        else:
            self._judge_again(deferred, notice, at)

    def _judge_again(self, deferred: _Deferred, notice: Notice, at: datetime) -> None:
        notice = replace(notice, owed=deferred.row["kind"])
        judgement = judge(notice, self._context(notice, at), deferred=True)
        assert judgement is not None
        if judgement.look_again_at is not None and judgement.look_again_at <= at:
            # A silence that is over by event time and in force by the clock: the clock counts.
            judgement = replace(judgement, by_wall_clock=True)
        row = deferred.row
        if judgement.verdict is NoticeVerdict.DEFERRED and (judgement.reason, judgement.silence_id) == (
            row["why"],
            row["silence_id"],
        ):
            change = {"look_again_at": judgement.look_again_at, "by_wall_clock": judgement.by_wall_clock}
            self._change(deferred, change)
            return
        self._settle(deferred)
        note: Note | None = None
        if judgement.verdict is NoticeVerdict.SENT:
            note = judgement.note or _deferred_note(row, self._silences)
        self._record(notice, at, judgement, note)

    def _context(self, notice: Notice, at: datetime) -> NoticeContext:
        return NoticeContext(
            at, self._now, self._silences, self._past.get(notice.customer_id, ()), self._limits
        )

    def _load_past(self, customers: set[str], earliest: datetime) -> None:
        """Load the earlier notices of customers for whom they are not loaded yet."""
        wanted = sorted(customers - self._past.keys())
        if not wanted:
            return
        query = (
            select(NoticeRow.__table__)
            .where(NoticeRow.customer_id.in_(wanted), NoticeRow.at > earliest - self._limits.reach)
            .order_by(NoticeRow.seq)
        )
        self._past |= {name: [] for name in wanted}
        for row in self._connection.execute(query):
            self._past[row.customer_id].append(_past(dict(row._mapping)))

    def _record(self, notice: Notice, at: datetime, judgement: Judgement, note: Note | None = None) -> None:
        row = notice_row(notice, at, judgement, self._now, note)
        self._new.append(row)
        self._past.setdefault(notice.customer_id, []).append(_past(row))
        if judgement.verdict is NoticeVerdict.DEFERRED:
            self._deferred[notice.warning_id] = _Deferred(row)
        if judgement.verdict is NoticeVerdict.SENT:
            self.judged.sent += 1
        else:
            self.judged.muted += 1

    def _settle(self, deferred: _Deferred) -> None:
        """Mute a deferred notice for good."""
        del self._deferred[deferred.row["warning_id"]]
        self._change(deferred, {"verdict": NoticeVerdict.MUTED.value, "look_again_at": None})

    def _change(self, deferred: _Deferred, change: Mapping[str, Any]) -> None:
        deferred.row.update(change)
        if deferred.seq is not None:
            self._connection.execute(update(NoticeRow).where(NoticeRow.seq == deferred.seq).values(change))

    def _write(self) -> None:
        if self._new:
            self._connection.execute(insert(NoticeRow), self._new)
        place = update(JudgingRow).where(JudgingRow.name == CURSOR)
        self._connection.execute(place.values(judged_to=self._place, event_time=self._event_time))


def _is_due(deferred: _Deferred, at: datetime, *, by_wall_clock: bool) -> bool:
    return bool(deferred.row["by_wall_clock"] == by_wall_clock and deferred.row["look_again_at"] <= at)


_place = select(JudgingRow.judged_to).where(JudgingRow.name == CURSOR).scalar_subquery()
STEPS: Final = (
    select(WarningStepRow.__table__).where(WarningStepRow.seq > _place).order_by(WarningStepRow.seq)
)
"""The steps that are not judged, in the order of storage."""


def is_idle(connection: Connection, now: datetime) -> bool:
    """Return whether no step has come for a while, so that the wall clock stands for event time."""
    newest = select(WarningStepRow.received_at).order_by(WarningStepRow.seq.desc()).limit(1)
    received: datetime | None = connection.scalar(newest)
    return received is None or now - received >= LIVE


def stored_silences(connection: Connection, query: Select[Any]) -> list[Silence]:
    """Return the silences whose contents the query finds; one that cannot be read mutes nothing."""
    found = []
    for content in connection.scalars(query):
        try:
            found.append(Silence.model_validate(content))
        except ValidationError as error:
            log.error("a stored silence is passed over: %s", first_mistake(error))
    return found


def notice_of(step_id: str, row: Row[Any]) -> Notice:
    """Return what muting needs of a stored step.

    A step without what the contract asks for is sent: the notifier then gives it up and logs it.
    """
    try:
        return read_notice(step_id, row.type, row.time, row.data)
    except (KeyError, TypeError, AttributeError, ValueError):
        bare = {"warning_id": row.warning_id, "step": row.step, "customer_id": row.customer_id}
        return read_notice(step_id, row.type, row.time, {**bare, "tier": row.tier, "causes": ()})


def segment_notice(row: Row[Any]) -> Notice:
    """Return what silences look at of a segment's step: tier, rule, reason and the dimension."""
    data, dimension = row.data, row.dimension
    return Notice(
        step_id=row.id,
        warning_id=row.warning_id,
        number=row.step,
        kind=row.type.rpartition(".")[2],
        time=row.time,
        customer_id="",
        customer_class=row.value if dimension == "customer_class" else None,
        segment=row.value if dimension == "segment" else None,
        region=row.value if dimension == "region" else None,
        account_owner=None,
        tier=row.tier,
        causes=tuple(
            NoticeCause(each["rule"], each["reason"], each["tier"], each["opened_at"], None)
            for each in data["causes"]
        ),
    )


def notice_row(
    notice: Notice, at: datetime, judgement: Judgement, now: datetime, note: Note | None = None
) -> dict[str, object]:
    """Return the row that records what becomes of a notice."""
    return {
        "step_id": notice.step_id,
        "warning_id": notice.warning_id,
        "step": notice.number,
        "customer_id": notice.customer_id,
        # A deferred notice owes the most urgent of what it stands for, whatever steps come after.
        "kind": notice.weightiest if judgement.verdict is NoticeVerdict.DEFERRED else notice.kind,
        "at": at,
        "tier": notice.tier,
        "rules": sorted(notice.rules),
        "verdict": judgement.verdict.value,
        "why": judgement.reason.value if judgement.reason else None,
        "silence_id": judgement.silence_id,
        "look_again_at": judgement.look_again_at,
        "by_wall_clock": judgement.by_wall_clock,
        "note": encode_notes([each for each in (note or judgement.note,) if each is not None]),
        "judged_at": now,
    }


def _past(row: Mapping[str, Any]) -> PastNotice:
    return PastNotice(
        step_id=row["step_id"],
        warning_id=row["warning_id"],
        kind=row["kind"],
        at=row["at"],
        tier=row["tier"],
        rules=frozenset(row["rules"]),
        verdict=NoticeVerdict(row["verdict"]),
        reason=MuteReason(row["why"]) if row["why"] else None,
    )


def _deferred_note(deferred: Mapping[str, Any], silences: Sequence[Silence]) -> DeferredNote:
    """Return why a late message is late."""
    silence = next((silence for silence in silences if silence.id == deferred["silence_id"]), None)
    return DeferredNote(deferred["at"], deferred["why"], silence.reason if silence else None)
