"""A report: the figures of all its parts, made in one look at the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlalchemy import Connection, text

from consumers.collector import collector_paused
from consumers.database.database import Database, snapshot_of
from consumers.reports.alarms import alarms, read_alarms
from consumers.reports.base import base_figures, read_base
from consumers.reports.cohorts import cohort_figures, read_cohorts
from consumers.reports.complaints import Limits, complaints, read_complaints
from consumers.reports.corrections import SETTLED, Corrections, differences, erased_since
from consumers.reports.forecast import forecast, read_forecast
from consumers.reports.funnels import funnels, read_funnels
from consumers.reports.groups import group_figures, read_groups
from consumers.reports.identities import Identity
from consumers.reports.knowledge import Knowledge, known_to
from consumers.reports.lapses import lapse_figures, read_lapses
from consumers.reports.losses import LossReader
from consumers.reports.movement import movement, read_movement
from consumers.reports.period import Period
from consumers.reports.plays import plays, read_plays
from consumers.reports.profile import profile, read_profile
from consumers.reports.reasons import read_reasons, reasons
from consumers.reports.retention import read_retention, retention_figures
from consumers.reports.side_by_side import PartQueue, side_by_side
from consumers.reports.trend import read_trend, trend_figures
from consumers.reports.value import read_value, value_figures
from streams.contract.instants import format_instant, to_us

DAY: Final = timedelta(days=1)


class Part(Protocol):
    """The figures of one part."""

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a report takes from the rule files and settings, beside what it knows."""

    group_of: Mapping[str, str]
    """The group of each reason, by its code."""
    reason_titles: Mapping[str, str]
    """What reasons and their groups are called, by code."""
    play_titles: Mapping[str, str]
    min_holdout: int
    """How many of the held out must have churned before an effect is claimed."""
    complaint_limits: Limits


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a period, as they were known at an instant."""

    period: Period
    knowledge: Knowledge
    known_to: datetime | None
    """The event time of the newest outcome or census, up to which things are known."""
    parts: Mapping[str, Part]
    corrections: Corrections | None = None
    """What has changed since the period had just ended; `None` where nobody asked."""

    @property
    def is_over(self) -> bool:
        """Whether the store knows the whole period."""
        return self.known_to is not None and self.known_to >= self.period.end_at

    @property
    def failed(self) -> tuple[str, ...]:
        """The identities that do not hold: a report with one is shown, and is not to be trusted."""
        return tuple(line for part in self.parts.values() for line in failed(part))

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain JSON values."""
        return {
            "period": {
                "key": self.period.key,
                "begin": format_instant(self.period.begin_us),
                "end": format_instant(self.period.end_us),
                "time_zone": self.period.zone,
            },
            "as_of": _instant(self.knowledge.as_of),
            "known_to": _instant(self.known_to),
            "horizon_days": self.knowledge.horizon / DAY,
            "active_within_days": self.knowledge.active_within / DAY,
            "currency": self.knowledge.currency,
            "failed_checks": list(self.failed),
            "parts": {name: part.as_dict() for name, part in self.parts.items()},
            "corrections": None if self.corrections is None else self.corrections.as_dict(),
        }


def failed(part: Part) -> Sequence[str]:
    """Return the identities of a part that do not hold."""
    identities: Sequence[Identity] = getattr(part, "identities", ())
    unequal = [f"{each.what}: {each.left:,.6g} ≠ {each.right:,.6g}" for each in identities if not each.holds]
    return [*getattr(part, "failed", ()), *unequal]


def _instant(at: datetime | None) -> str | None:
    return None if at is None else format_instant(to_us(at))


Make = Callable[[Connection, Period, Knowledge, Terms, LossReader], Part]

MAKERS: Final[dict[str, Make]] = {
    "retention": lambda c, period, known, terms, losses: retention_figures(read_retention(c, period, known)),
    "trend": lambda c, period, known, terms, losses: trend_figures(read_trend(c, period, known), period),
    "base": lambda c, period, known, terms, losses: base_figures(read_base(c, period, known), period),
    "groups": lambda c, period, known, terms, losses: group_figures(read_groups(c, period, known), period),
    "cohorts": lambda c, period, known, terms, losses: cohort_figures(read_cohorts(c, period, known), period),
    "lapses": lambda c, period, known, terms, losses: lapse_figures(
        read_lapses(c, period, known), period, known.active_within
    ),
    "funnels": lambda c, period, known, terms, losses: funnels(read_funnels(c, period, known, losses)),
    "reasons": lambda c, period, known, terms, losses: reasons(
        read_reasons(c, period, known, losses), period, terms.group_of
    ),
    "profile": lambda c, period, known, terms, losses: profile(read_profile(c, period, known), period),
    "complaints": lambda c, period, known, terms, losses: complaints(
        read_complaints(c, period, known), period, terms.complaint_limits
    ),
    "alarms": lambda c, period, known, terms, losses: alarms(read_alarms(c, period, known, losses), period),
    "plays": lambda c, period, known, terms, losses: plays(
        read_plays(c, period, known), period, terms.min_holdout
    ),
    "value": lambda c, period, known, terms, losses: value_figures(
        read_value(c, period, known, losses), period
    ),
    "movement": lambda c, period, known, terms, losses: movement(read_movement(c, period, known)),
    "forecast": lambda c, period, known, terms, losses: forecast(
        read_forecast(c, period, known), known.horizon
    ),
}
"""How each part is made, by its name, in the order in which it is read."""

LONGEST: Final = ("alarms", "reasons", "retention", "value", "funnels", "plays")
"""Parts that read most: they are begun first, so that none of them is left alone at the end."""


AT_ONCE: Final = 4
"""Parts of a report that PostgreSQL reads at the same time, each by a connection of its own."""


def _by_length(name: str) -> int:
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


def make_report(
    database: Database,
    period: Period,
    knowledge: Knowledge,
    terms: Terms,
    *,
    wanted: Sequence[str] = tuple(MAKERS),
    on_part: Callable[[str, int, int], None] = lambda name, number, count: None,
    at_once: int = AT_ONCE,
) -> Report:
    """Return the report of a period; `on_part` hears of each part as it begins, with its number of how many.

    All connections see one state of the database, so that the parts agree while the sink goes on writing.
    """
    names = [name for name in MAKERS if name in wanted]
    queue = PartQueue(sorted(names, key=_by_length), on_part)
    made: dict[str, Part] = {}
    losses = LossReader(knowledge)

    def work(connection: Connection) -> None:
        _expect_much(connection)
        for name in queue:
            made[name] = MAKERS[name](connection, period, knowledge, terms, losses)

    with collector_paused(), database.reading() as connection:
        to = known_to(connection, knowledge)
        snapshot = snapshot_of(connection) if at_once > 1 else None
        if snapshot is None or not names:
            work(connection)
        else:
            side_by_side(database, snapshot, queue, work, min(at_once, len(names)))
    return Report(period, knowledge, to, {name: made[name] for name in names})


_FOR_MUCH: Final = ("jit = off", "random_page_cost = 1.1", "work_mem = '128MB'")
"""PostgreSQL compiles such queries for longer than they run, and reads tables as a whole, not by index."""


def _expect_much(connection: Connection) -> None:
    """Let PostgreSQL plan this transaction for queries that look at millions of rows by index."""
    if connection.dialect.name == "postgresql":
        for setting in _FOR_MUCH:
            connection.execute(text(f"SET LOCAL {setting}"))


def corrected(
    database: Database,
    report: Report,
    terms: Terms,
    since: datetime,
    on_part: Callable[[str, int, int], None] = lambda name, number, count: None,
) -> Report:
    """Return a report with what has changed in it since an instant of the database's clock."""
    known = replace(report.knowledge, as_of=since)
    with database.reading() as connection:
        erased = erased_since(connection, since, report.knowledge)
        to = known_to(connection, known)
    if to is None or to < report.period.end_at:
        return replace(report, corrections=Corrections(since, False, (), erased))
    wanted = [name for name in SETTLED if name in report.parts]
    before = make_report(database, report.period, known, terms, wanted=wanted, on_part=on_part)
    then, now = ({name: each.parts[name].as_dict() for name in wanted} for each in (before, report))
    changes = differences(then, now)
    return replace(report, corrections=Corrections(since, True, changes, erased))
