"""The tables of what was learned from and judged by: labelled samples, adopted rules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from consumers.database.base import Base, FromRecord, Large, Seq, StoredRecord


class SampleRow(FromRecord, Base):
    """A customer at a decision instant and what became of them; it names nobody."""

    __tablename__ = "samples"
    __table_args__ = (
        Index("samples_by_rank", "rank"),
        Index("samples_by_instant", "at"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[Seq]
    id: Mapped[str] = mapped_column(unique=True)
    """Its record and its place in it."""
    at: Mapped[datetime]
    partition: Mapped[int]
    churned: Mapped[bool]
    p: Mapped[float | None]
    """`churn_probability` of then."""
    weight: Mapped[float]
    rank: Mapped[Large]
    """A hash below 2**63 that decides who stays: the table is bounded, whatever the order of records."""
    inputs: Mapped[dict[str, Any]]
    """By name; null where missing."""
    stored_at: Mapped[datetime]


class AdoptionRow(StoredRecord, Base):
    """A partition's change from one rule set to another."""

    __tablename__ = "rules_adopted"
    __table_args__ = (Index("rules_adopted_by_time", "adopted_at"), {"sqlite_autoincrement": True})

    id: Mapped[str] = mapped_column(unique=True)
    adopted_at: Mapped[datetime]
    at: Mapped[datetime | None]
    partition: Mapped[int]
    judges: Mapped[str]
    rule_set_before: Mapped[str | None]
    rule_set: Mapped[str]
    author: Mapped[str | None]
