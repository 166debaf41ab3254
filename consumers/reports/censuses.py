"""What a store's censuses say of all customers together, and what became of those who were active."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, func, select, text

from consumers.database.outcomes import CensusRow
from consumers.reports.forecast import Expectation, Fact, ForecastFacts, MaturedCensus
from consumers.reports.knowledge import SUMMARY, TAKEN, Knowledge
from consumers.reports.period import Period, local_day

MATURED: Final = "churn.census.matured"
FAMILY: Final = "channel"
"""The family that totals are read from: each counts every customer once, this one in the fewest cells."""

_D: Final = CensusRow.data
Key = tuple[int, datetime]
"""A partition and the instant of its census."""


@dataclass(frozen=True, slots=True)
class _Census:
    """The instants at which the partitions took the census of one month."""

    keys: tuple[Key, ...]
    is_complete: bool
    """Whether every partition that took one before took this one too, and none had a quiet source."""


def read_forecast(connection: Connection, period: Period, knowledge: Knowledge) -> ForecastFacts:
    """Return what a forecast at the newest complete census up to a period's end is made from."""
    until = period.end_at
    censuses = _censuses(connection, knowledge)
    complete = {month: census for month, census in censuses.items() if census.is_complete}
    before = [month for month, census in complete.items() if _at(census) <= until]
    taken = {
        _key(row): row
        for row in connection.execute(knowledge.known(_EXPECTED, CensusRow.stored_at)).mappings()
    }
    matured = {
        (row["partition"], datetime.fromisoformat(row["census_at"])): row
        for row in connection.execute(knowledge.known(_BECAME, CensusRow.stored_at)).mappings()
    }
    found = []
    for census in complete.values():
        if all(key in matured for key in census.keys):
            rows = [matured[key] for key in census.keys]
            found.append(_matured(_at(census), rows))
    newest = complete[max(before)] if before else None
    return ForecastFacts(
        now=None if newest is None else _at(newest),
        expectation=None if newest is None else _expectation([taken[k] for k in newest.keys if k in taken]),
        matured=tuple(found),
        left_out=len(censuses) - len(complete),
    )


def _exact(field: Any) -> Any:
    """Return a field as an exact decimal, whose sum does not depend on an order."""
    return field.as_numeric(38, 9, asdecimal=False)


_SUMMARIES: Final = (
    select(CensusRow.partition, CensusRow.time, _D["quiet"].as_boolean().label("quiet"))
    .where(CensusRow.type == SUMMARY)
    .order_by(CensusRow.time, CensusRow.partition)
)
_EXPECTED: Final = (
    select(
        CensusRow.partition,
        CensusRow.time,
        func.sum(_D["active"].as_integer()).label("active"),
        func.sum(_D["scored"].as_integer()).label("scored"),
        func.sum(_exact(_D["expected"])).label("expected"),
    )
    .where(CensusRow.type == TAKEN, CensusRow.by == FAMILY)
    .group_by(CensusRow.partition, CensusRow.time)
)
_BECAME: Final = (
    select(
        CensusRow.partition,
        _D["census_at"].as_string().label("census_at"),
        func.max(CensusRow.time).label("time"),
        *(func.sum(_D[name].as_integer()).label(name) for name in ("active", "churned", "scored")),
        func.sum(_exact(_D["expected"])).label("expected"),
        *(
            func.sum(_D["untreated", name].as_integer()).label(f"untreated_{name}")
            for name in ("active", "churned", "scored")
        ),
        func.sum(_exact(_D["untreated", "expected"])).label("untreated_expected"),
    )
    .where(CensusRow.type == MATURED, CensusRow.by == FAMILY)
    .group_by(CensusRow.partition, text("census_at"))  # by its name: PostgreSQL sees two parameters as two
)


def _key(row: RowMapping) -> Key:
    return row["partition"], row["time"]


def _censuses(connection: Connection, knowledge: Knowledge) -> dict[date, _Census]:
    """Return each month's census, by the local day that begins the month, in the order of time."""
    by_month: dict[date, list[RowMapping]] = defaultdict(list)
    for row in connection.execute(knowledge.known(_SUMMARIES, CensusRow.stored_at)).mappings():
        by_month[local_day(row["time"], knowledge.zone).replace(day=1)].append(row)
    seen: set[int] = set()
    found = {}
    for month in sorted(by_month):
        rows = by_month[month]
        seen |= {row["partition"] for row in rows}
        found[month] = _Census(
            tuple(_key(row) for row in rows), len(rows) == len(seen) and not any(row["quiet"] for row in rows)
        )
    return found


def _at(census: _Census) -> datetime:
    return max(at for _, at in census.keys)


def _expectation(rows: Iterable[RowMapping], prefix: str = "") -> Expectation:
    rows = list(rows)
    active, scored, expected = (
        sum(row[prefix + name] for row in rows) for name in ("active", "scored", "expected")
    )
    return Expectation(active, scored, round(float(expected), 6))


def _matured(at: datetime, rows: list[RowMapping]) -> MaturedCensus:
    facts = (
        Fact(_expectation(rows, prefix), sum(row[f"{prefix}churned"] for row in rows))
        for prefix in ("", "untreated_")
    )
    return MaturedCensus(at, max(row["time"] for row in rows), *facts)
