"""When customers were lost: by tenure, by weekday, by month, and how long they had been silent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select
from sqlalchemy.orm import aliased

from consumers.database.outcomes import OutcomeRow
from consumers.reports.columns import instants, read_columns
from consumers.reports.knowledge import Knowledge
from consumers.reports.members import ACQUIRED, RETURNED, in_period, is_known
from consumers.reports.period import Period, local_days
from consumers.reports.rate import hidden_cells
from consumers.scorecard.facts import CLOSED, LAPSED
from streams.contract.instants import MICROSECOND

Instants: TypeAlias = NDArray[np.int64]
Days: TypeAlias = NDArray[np.float64]

TENURE_DAYS: Final = (30, 60, 90, 180, 365, 730)
"""Bounds of the bands of tenure at the loss; the last band has no end."""
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LATE_DAYS: Final = 2
"""A lapse comes at the first sweep after the silence is long enough; so much later it waited for a source."""


@dataclass(frozen=True, slots=True)
class LapseFacts:
    """The losses of a period, as arrays of (lapses,) and (closures,); times in microseconds."""

    lapsed_at: Instants
    silent_since: Instants
    """Of each lapse the last activity."""
    lapsed_tenure: Days
    """Days from the first event to the lapse."""
    closed_at: Instants
    """Of customers who had not left before."""
    closed_tenure: Days
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
    lapsed_at, lapsed_tenure, since = read_columns(connection, knowledge.known(lapses, OutcomeRow.stored_at))
    closed_at, closed_tenure, kinds = read_columns(
        connection, knowledge.known(closures, OutcomeRow.stored_at)
    )
    is_first = np.array([kind != LAPSED for kind in kinds], dtype=np.bool_)
    return LapseFacts(
        np.array(lapsed_at, dtype=np.int64),
        np.array(instants(since), dtype=np.int64),
        np.array(lapsed_tenure, dtype=np.float64),
        np.array(closed_at, dtype=np.int64)[is_first],
        np.array(closed_tenure, dtype=np.float64)[is_first],
        int((~is_first).sum()),
        is_known(connection, period, knowledge),
    )


def lapse_figures(facts: LapseFacts, period: Period, active_within: timedelta) -> Lapses:
    """Return when the customers of a period were lost."""
    tenures = np.concatenate([facts.lapsed_tenure, facts.closed_tenure])
    bands = np.bincount(np.searchsorted(TENURE_DAYS, tenures, side="right"), minlength=len(TENURE_DAYS) + 1)
    edges = [0, *TENURE_DAYS]
    names = [f"{low}-{high - 1}" for low, high in zip(edges, TENURE_DAYS, strict=False)]
    # 1970-01-01 was a Thursday.
    weekdays = np.bincount((local_days(facts.silent_since, period.zone) + 3) % 7, minlength=len(WEEKDAYS))
    # What the sweep at a midnight judged belongs to the day that has just ended.
    lost = local_days(np.concatenate([facts.lapsed_at - 1, facts.closed_at]), period.zone)
    months = Counter(lost.astype("datetime64[D]").astype("datetime64[M]").astype(str).tolist())
    shown = [month.key for month in period.touched_months()]
    due = facts.silent_since + (active_within + timedelta(days=LATE_DAYS)) // MICROSECOND
    return Lapses(
        period,
        len(facts.lapsed_at),
        len(facts.closed_at),
        facts.closed_after_lapse,
        _bars("tenure", [*names, f"{TENURE_DAYS[-1]}+"], bands.tolist()),
        _bars("weekday", WEEKDAYS, weekdays.tolist()),
        _bars("month", shown, [months[key] for key in shown]),
        facts.known,
        int((due < facts.lapsed_at).sum()),
    )


def _bars(by: str, names: Sequence[str], counts: Sequence[int]) -> Bars:
    hidden = hidden_cells(counts)
    shown = tuple(None if place in hidden else count for place, count in enumerate(counts))
    return Bars(by, tuple(names), shown, sum(counts))
