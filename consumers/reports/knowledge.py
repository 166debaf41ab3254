"""What a report may know: what was stored by then, and the settings by which it was judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, select, true
from sqlalchemy.orm import InstrumentedAttribute

from consumers.database.outcomes import CensusRow
from consumers.scorecard.store import newest_outcome

TAKEN: Final = "churn.census.taken"
SUMMARY: Final = "churn.census.summary"
Rows = TypeVar("Rows", bound="Select[*tuple[Any, ...]]")


@dataclass(frozen=True, slots=True)
class Knowledge:
    """An instant of the sink's clock and the settings that figures depend on."""

    zone: str
    horizon: timedelta
    active_within: timedelta
    as_of: datetime | None = None
    """Only what was stored by then counts; `None`: all that is stored."""
    currency: str | None = None

    def by_then(self, stored_at: InstrumentedAttribute[datetime]) -> ColumnElement[bool]:
        """Return the condition on `stored_at` or `received_at` of what counts."""
        return true() if self.as_of is None else stored_at <= self.as_of

    def known(self, query: Rows, stored_at: InstrumentedAttribute[datetime]) -> Rows:
        """Return the query, of rows that were stored by then."""
        return query if self.as_of is None else query.where(stored_at <= self.as_of)


def known_to(connection: Connection, knowledge: Knowledge) -> datetime | None:
    """Return the event time of the newest outcome or census, up to which things are known; by indexes."""
    query = select(CensusRow.time).where(CensusRow.type == SUMMARY).order_by(CensusRow.time.desc()).limit(1)
    found = (
        newest_outcome(connection, knowledge.as_of),
        connection.scalar(knowledge.known(query, CensusRow.stored_at)),
    )
    return max((at for at in found if at is not None), default=None)
