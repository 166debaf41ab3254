"""The tables of warnings: each step of each one, and each as its highest step left it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from consumers.database.base import Base, FromRecord, Seq
from consumers.database.prefix import for_prefixes


class _Step(FromRecord):
    """What a step is, whoever is warned of."""

    seq: Mapped[Seq]
    id: Mapped[str] = mapped_column(unique=True)
    """Of its CloudEvent."""
    time: Mapped[datetime]
    type: Mapped[str]
    warning_id: Mapped[str]
    step: Mapped[int]
    state: Mapped[str]
    tier: Mapped[str]
    data: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]


class _Warning:
    """What a warning is, whoever is warned of."""

    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    tier: Mapped[str]
    opened_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    last_step: Mapped[int]
    last_type: Mapped[str]
    causes: Mapped[list[Any]]


class WarningStepRow(_Step, Base):
    """A step of a customer's warning."""

    __tablename__ = "warning_steps"
    __table_args__ = (
        # A report asks of each warning how it was at an instant: this answers without looking at the steps.
        Index("warning_steps_by_warning", "warning_id", "step", postgresql_include=["time", "state", "tier"]),
        Index("warning_steps_by_customer", "customer_id"),
        Index("warning_steps_by_time", "time"),
        {"sqlite_autoincrement": True},
    )

    customer_id: Mapped[str]


class WarningRow(_Warning, Base):
    """A customer's warning as its highest step left it."""

    __tablename__ = "warnings"
    __table_args__ = (
        Index("warnings_by_state", "state", "tier"),
        Index("warnings_by_customer", "customer_id"),
        Index("warnings_by_opening", "opened_at"),
        Index("warnings_by_update", "updated_at"),
        for_prefixes("warnings_by_beginning", "id"),
    )

    customer_id: Mapped[str]
    reasons: Mapped[list[Any]]
    churn_probability: Mapped[float | None]
    horizon_days: Mapped[int | None]
    model_version: Mapped[str | None]
    value_at_risk: Mapped[float | None]
    decision: Mapped[str | None]
    """Its verdict."""
    play: Mapped[str | None]
    holdout: Mapped[bool | None]
    rule_set: Mapped[str | None]
    attention: Mapped[str | None]
    """The state of its acknowledgement."""
    attended_by: Mapped[str | None]
    """Who acted last."""
    attended_until: Mapped[datetime | None]
    deadline: Mapped[datetime | None]
    """By when somebody must act."""
    net: Mapped[float | None]
    """What its play should gain beyond its cost; null where that is not known."""


class SegmentWarningStepRow(_Step, Base):
    """A step of a segment's warning."""

    __tablename__ = "segment_warning_steps"
    __table_args__ = (
        Index("segment_warning_steps_by_warning", "warning_id", "step"),
        {"sqlite_autoincrement": True},
    )

    dimension: Mapped[str]
    value: Mapped[str]


class SegmentWarningRow(_Warning, Base):
    """A segment's warning as its highest step left it."""

    __tablename__ = "segment_warnings"
    __table_args__ = (
        Index("segment_warnings_by_state", "state", "tier"),
        Index("segment_warnings_by_segment", "dimension", "value"),
    )

    dimension: Mapped[str]
    value: Mapped[str]
    rule_set: Mapped[str]
