"""When customers were lost: by tenure, by weekday, by month, and how long they had been silent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, select
from sqlalchemy.orm import aliased

from consumers.database.outcomes import OutcomeRow
from consumers.reports.knowledge import Knowledge
from consumers.reports.members import ACQUIRED, RETURNED, in_period, is_known
from consumers.reports.period import Period, local_day
from consumers.reports.rate import hidden_cells
from consumers.scorecard.facts import CLOSED, LAPSED
from streams.contract.instants import MICROSECOND, read_instant

TENURE_DAYS: Final = (30, 60, 90, 180, 365, 730)
"""Bounds of the bands of tenure at the loss; the last band has no end."""
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LATE_DAYS: Final = 2
"""A lapse comes at the first sweep after the silence is long enough; so much later it waited for a source."""


@dataclass(frozen=True, slots=True)
class LossTime:
    """A lapse, or a closure of a customer who had not left before."""

    at: datetime
    is_lapse: bool
    tenure_days: float
    silent_since: datetime | None
    """Of a lapse the last activity."""


@dataclass(frozen=True, slots=True)
class LapseFacts:
    """The losses of a period."""

    losses: tuple[LossTime, ...]
    closed_after_lapse: int
    """Closures of customers who had lapsed before: they are no second loss."""
    known: bool = True
    """Whether the outcomes say anything of the period."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Counts by name; a count of `None` is hidden, as it is so small."""

    by: str
    names: tuple[str, ...]
    counts: tuple[int | None, ...]
    total: int

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as plain JSON values."""
        bars = [{"name": name, "n": n} for name, n in zip(self.names, self.counts, strict=True)]
        return {"by": self.by, "total": self.total, "bars": bars}


@dataclass(frozen=True, slots=True)
class Lapses:
    """When the customers lost in a period were lost."""

    period: Period
    lapsed: int
    closed: int
    closed_after_lapse: int
    tenure: Bars
    """By days from the first event to the loss."""
    weekday: Bars
    """By the local weekday of the last activity, of lapses: the day of a lapse itself follows from it."""
    month: Bars
    """By the local month in which they were lost."""
    known: bool
    """Whether anything is known of the period: else its counts are no 0."""
    waited: int
    """Lapses that came later than they were due, as a source was quiet: a pile of several days."""

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        if not self.known:
            return {"period": self.period.key, "known": False}
        return {
            "period": self.period.key,
            "known": True,
            "lost": self.lapsed + self.closed,
            **{name: getattr(self, name) for name in ("lapsed", "closed", "closed_after_lapse", "waited")},
            **{bars.by: bars.as_dict() for bars in (self.tenure, self.weekday, self.month)},
        }


def read_lapses(connection: Connection, period: Period, knowledge: Knowledge) -> LapseFacts:
    """Read the losses of a period; a closure after a lapse is counted apart."""
    data, other = OutcomeRow.data, aliased(OutcomeRow)
    # The newest outcome before a closure says whether the customer had left already.
    before = (
        knowledge.known(select(other.type), other.stored_at)
        .where(
            other.customer_id == OutcomeRow.customer_id,
            other.type.in_((ACQUIRED, LAPSED, CLOSED, RETURNED)),
            other.seq < OutcomeRow.seq,
        )
        .order_by(other.seq.desc())
        .limit(1)
        .correlate(OutcomeRow)
        .scalar_subquery()
    )
    columns = (OutcomeRow.time, data["tenure_days"].as_float())
    lapses = select(*columns, data["silent_since"].as_string()).where(
        OutcomeRow.type == LAPSED, in_period(period)
    )
    closures = select(*columns, before).where(OutcomeRow.type == CLOSED, in_period(period))
    found = [
        LossTime(at, True, tenure, read_instant(since))
        for at, tenure, since in connection.execute(knowledge.known(lapses, OutcomeRow.stored_at))
    ]
    again = 0
    for at, tenure, kind in connection.execute(knowledge.known(closures, OutcomeRow.stored_at)):
        if kind == LAPSED:
            again += 1
        else:
            found.append(LossTime(at, False, tenure, None))
    return LapseFacts(tuple(found), again, is_known(connection, period, knowledge))


def lapse_figures(facts: LapseFacts, period: Period, active_within: timedelta) -> Lapses:
    """Return when the customers of a period were lost."""
    zone, losses = period.zone, facts.losses
    lapses = [each for each in losses if each.is_lapse]
    bands = Counter(sum(each.tenure_days >= bound for bound in TENURE_DAYS) for each in losses)
    edges = [0, *TENURE_DAYS]
    names = [f"{low}-{high - 1}" for low, high in zip(edges, TENURE_DAYS, strict=False)]
    days = Counter(
        local_day(each.silent_since, zone).weekday() for each in lapses if each.silent_since is not None
    )
    # What the sweep at a midnight judged belongs to the day that has just ended.
    months = Counter(
        local_day(each.at - MICROSECOND if each.is_lapse else each.at, zone).isoformat()[:7]
        for each in losses
    )
    shown = [month.key for month in period.touched_months()]
    late = timedelta(days=LATE_DAYS)
    return Lapses(
        period,
        len(lapses),
        len(losses) - len(lapses),
        facts.closed_after_lapse,
        _bars("tenure", [*names, f"{TENURE_DAYS[-1]}+"], [bands[n] for n in range(len(TENURE_DAYS) + 1)]),
        _bars("weekday", WEEKDAYS, [days[n] for n in range(len(WEEKDAYS))]),
        _bars("month", shown, [months[key] for key in shown]),
        facts.known,
        sum(each.silent_since + active_within + late < each.at for each in lapses if each.silent_since),
    )


def _bars(by: str, names: Sequence[str], counts: Sequence[int]) -> Bars:
    hidden = hidden_cells(counts)
    shown = tuple(None if place in hidden else count for place, count in enumerate(counts))
    return Bars(by, tuple(names), shown, sum(counts))
