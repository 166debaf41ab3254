"""The tables of what became of customers: outcomes, the census, the days of those who are warned of."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from consumers.database.base import Base, StoredRecord
from consumers.database.prefix import ONLY_ON

LIFE_TYPES: Final = (
    "churn.customer.acquired",
    "churn.customer.closed",
    "churn.customer.lapsed",
    "churn.customer.returned",
)
"""The types of outcomes that say whether a customer is active: a report counts those of all customers."""


class OutcomeRow(StoredRecord, Base):
    """An outcome of a customer, a cause or a warning."""

    __tablename__ = "outcomes"
    __table_args__ = (
        Index("outcomes_by_type", "type", "time"),
        Index("outcomes_by_customer", "customer_id", "type", "time"),
        Index("outcomes_by_warning", "warning_id"),
        Index(
            "outcomes_by_opening",
            "type",
            "opened_at",
            postgresql_where=text("opened_at IS NOT NULL"),
            sqlite_where=text("opened_at IS NOT NULL"),
        ),
        Index(
            "outcomes_of_lives",
            "customer_id",
            "type",
            "time",
            postgresql_where=text(f"type IN {LIFE_TYPES}"),
            info={ONLY_ON: "postgresql"},
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[str] = mapped_column(unique=True)
    """Of its CloudEvent."""
    time: Mapped[datetime]
    type: Mapped[str]
    """Of its CloudEvent, in full."""
    customer_id: Mapped[str]
    warning_id: Mapped[str | None]
    """Of a matured cause or warning its own; else that of `warned`."""
    rule: Mapped[str | None]
    tier: Mapped[str | None]
    opened_at: Mapped[datetime | None]
    churned: Mapped[bool | None]
    holdout: Mapped[bool]


class CensusRow(StoredRecord, Base):
    """A cell or the summary of a census."""

    __tablename__ = "census"
    __table_args__ = (Index("census_by_type", "type", "time"), {"sqlite_autoincrement": True})

    id: Mapped[str] = mapped_column(unique=True)
    time: Mapped[datetime]
    type: Mapped[str]
    partition: Mapped[int]
    by: Mapped[str | None]


class CustomerDaysRow(StoredRecord, Base):
    """The days of a customer who is warned of: 90 of them at the opening, then each."""

    __tablename__ = "customer_days"
    __table_args__ = (
        Index("customer_days_by_customer", "customer_id", "time"),
        Index("customer_days_by_warning", "warning_id", "time"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[str] = mapped_column(unique=True)
    time: Mapped[datetime]
    customer_id: Mapped[str]
    warning_id: Mapped[str]
    first_day: Mapped[date]
    last_day: Mapped[date]
    churn_probability: Mapped[float | None]
    value: Mapped[float | None]
    net: Mapped[float | None]
    verdict: Mapped[str | None]
