"""What is open now and what opened of late, by rule and by group of customers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, select

from consumers.database.database import Database
from consumers.database.notices import NoticeRow
from consumers.database.warnings import SegmentWarningRow, SegmentWarningStepRow, WarningStepRow
from consumers.muting.notice import MuteReason, NoticeVerdict
from consumers.stored_warnings import OPEN, newest_open_steps
from streams.contract.instants import instant_us, to_us

WEEK: Final = timedelta(days=7)
MONTH: Final = timedelta(days=30)
DIMENSIONS: Final = ("customer_class", "segment", "region")
_AT_ONCE: Final = 1_000
_MUTED: Final = (NoticeVerdict.DEFERRED.value, NoticeVerdict.MUTED.value)


@dataclass(slots=True)
class Tally:
    """A count, and how many of it are held-out customers': operators alone see these."""

    all: int = 0
    held_out: int = 0

    def add(self, held_out: bool) -> None:
        """Count one."""
        self.all += 1
        self.held_out += held_out

    def seen(self, with_holdout: bool) -> int:
        """Return the count for somebody who sees held-out customers, or does not."""
        return self.all if with_holdout else self.all - self.held_out


@dataclass(slots=True)
class GroupCounts:
    """Open warnings of the customers of a group."""

    warnings: Tally = field(default_factory=Tally)
    high: Tally = field(default_factory=Tally)
    at_risk: float = 0.0
    """The sum of `value_at_risk` where it is known, without those held out."""
    at_risk_held_out: float = 0.0

    def value_at_risk(self, with_holdout: bool) -> float:
        """Return the sum for somebody who sees held-out customers, or does not."""
        return self.at_risk + (self.at_risk_held_out if with_holdout else 0.0)


Tallies = Mapping[str, Tally]


@dataclass(frozen=True, slots=True)
class LiveCounts:
    """Counts by rule, and by dimension and group."""

    open: Tallies
    """Causes that are open."""
    opened_week: Tallies
    """Causes that opened in the last 7 days, open or not."""
    opened_month: Tallies
    muted_month: Tallies
    """Steps of the last 30 days of which a notice was muted or deferred."""
    groups: Mapping[str, Mapping[str | None, GroupCounts]]
    """By dimension, then by group; `None` where it is not known."""


class LiveCounter:
    """Counts again and again, of the steps only what is new."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seq: int | None = None
        self._opened: dict[str, dict[int, tuple[int, bool]]] = defaultdict(dict)
        """By rule, a hash of each cause that opened of late: when, and whether it is held out."""

    def count(self, now: datetime) -> LiveCounts:
        """Return the counts at an instant of the business."""
        is_open: dict[str, Tally] = defaultdict(Tally)
        groups: dict[str, dict[str | None, GroupCounts]] = {
            name: defaultdict(GroupCounts) for name in DIMENSIONS
        }
        month = now - MONTH
        with self._database.reading() as connection:
            for data in newest_open_steps(connection):
                _count_open(data, is_open, groups)
            of_segments = select(SegmentWarningRow.causes).where(SegmentWarningRow.state == OPEN)
            for causes in connection.scalars(of_segments):
                for cause in causes:
                    is_open[cause["rule"]].add(held_out=False)
            self._take_steps(connection, month)
            opened = _of_segments(connection, month)
            muted = _muted(connection, month)
        for rule, causes_of_rule in self._opened.items():
            opened[rule] += causes_of_rule.values()
        return LiveCounts(
            open=dict(is_open),
            opened_week=_since(opened, to_us(now - WEEK), to_us(now)),
            opened_month=_since(opened, to_us(month), to_us(now)),
            muted_month=muted,
            groups={name: dict(found) for name, found in groups.items()},
        )

    def _take_steps(self, connection: Connection, since: datetime) -> None:
        """Take in the causes of new steps, and forget those that opened before."""
        query = select(WarningStepRow.seq, WarningStepRow.customer_id, WarningStepRow.data)
        query = query.where(WarningStepRow.time >= since)
        if self._seq is not None:
            query = query.where(WarningStepRow.seq > self._seq)
        newest, begin = self._seq or 0, to_us(since)
        for seq, customer, data in connection.execution_options(yield_per=_AT_ONCE).execute(query):
            newest = max(newest, seq)
            for cause in data["causes"]:
                opened_at = instant_us(cause["opened_at"])
                if opened_at >= begin:
                    held_out = bool(data.get("holdout"))
                    self._opened[cause["rule"]][hash((customer, opened_at))] = (opened_at, held_out)
        self._seq = newest
        for causes in self._opened.values():
            for key in [key for key, (opened_at, _) in causes.items() if opened_at < begin]:
                del causes[key]


def _count_open(
    data: Mapping[str, Any],
    is_open: Mapping[str, Tally],
    groups: Mapping[str, Mapping[str | None, GroupCounts]],
) -> None:
    held_out = bool(data.get("holdout"))
    for cause in data["causes"]:
        is_open[cause["rule"]].add(held_out)
    for dimension in DIMENSIONS:
        group = groups[dimension][data.get(dimension)]
        group.warnings.add(held_out)
        if data["tier"] == "high":
            group.high.add(held_out)
        at_risk = data.get("value_at_risk") or 0.0
        if held_out:
            group.at_risk_held_out += at_risk
        else:
            group.at_risk += at_risk


def _of_segments(connection: Connection, since: datetime) -> dict[str, list[tuple[int, bool]]]:
    """Return by rule when the causes of segments' warnings opened."""
    query = select(SegmentWarningStepRow.dimension, SegmentWarningStepRow.value, SegmentWarningStepRow.data)
    found = {
        (cause["rule"], dimension, value, instant_us(cause["opened_at"]))
        for dimension, value, data in connection.execute(query.where(SegmentWarningStepRow.time >= since))
        for cause in data["causes"]
    }
    opened: dict[str, list[tuple[int, bool]]] = defaultdict(list)
    for rule, _dimension, _value, opened_at in found:
        opened[rule].append((opened_at, False))
    return opened


def _muted(connection: Connection, since: datetime) -> dict[str, Tally]:
    """Return by rule how many steps had a notice muted or deferred."""
    query = select(NoticeRow.step_id, NoticeRow.rules, NoticeRow.why)
    query = query.where(NoticeRow.verdict.in_(_MUTED), NoticeRow.at >= since)
    steps: dict[tuple[str, str], bool] = {}
    for step, rules, why in connection.execution_options(yield_per=_AT_ONCE).execute(query):
        for rule in rules:
            key = (rule, step)
            steps[key] = steps.get(key, False) or why == MuteReason.HOLDOUT.value
    counts: Counter[tuple[str, bool]] = Counter((rule, held_out) for (rule, _), held_out in steps.items())
    found: dict[str, Tally] = defaultdict(Tally)
    for (rule, held_out), number in counts.items():
        found[rule].all += number
        found[rule].held_out += number * held_out
    return dict(found)


def _since(opened: Mapping[str, Iterable[tuple[int, bool]]], begin: int, end: int) -> dict[str, Tally]:
    found: dict[str, Tally] = {}
    for rule, causes in opened.items():
        tally = Tally()
        for opened_at, held_out in causes:
            if begin <= opened_at <= end:
                tally.add(held_out)
        if tally.all:
            found[rule] = tally
    return found
