"""The tables of events that the team and its customers cause: actions and complaints."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from consumers.database.base import Base, StoredRecord


class ActionRow(StoredRecord, Base):
    """What the team did about a warning, or to win a customer back."""

    __tablename__ = "actions"
    __table_args__ = (
        UniqueConstraint("event_id", "customer_id"),
        Index("actions_by_warning", "warning_id"),
        Index("actions_by_customer", "customer_id", "time"),
        Index("actions_by_time", "time"),
        Index("actions_by_kind", "kind", "time"),
        Index(
            "actions_of_corrections",
            "customer_id",
            "corrects",
            postgresql_where=text("corrects IS NOT NULL"),
            sqlite_where=text("corrects IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    event_id: Mapped[str]
    customer_id: Mapped[str]
    time: Mapped[datetime]
    """`occurred_at`."""
    kind: Mapped[str]
    warning_id: Mapped[str | None]
    play: Mapped[str | None]
    result: Mapped[str | None]
    actor: Mapped[str | None]
    reasons: Mapped[list[Any]]
    cost: Mapped[dict[str, Any]]
    corrects: Mapped[str | None]
    """The `event_id` of the action that it takes back."""
    until: Mapped[datetime | None]
    assignee: Mapped[str | None]
    """To whom an `assign` gives the warning."""


class ComplaintRow(StoredRecord, Base):
    """An event of a complaint; its life is all events of its id."""

    __tablename__ = "complaint_events"
    __table_args__ = (
        UniqueConstraint("event_id", "customer_id"),
        Index("complaint_events_by_complaint", "customer_id", "complaint_id", "time"),
        Index("complaint_events_by_time", "time"),
        {"sqlite_autoincrement": True},
    )

    event_id: Mapped[str]
    customer_id: Mapped[str]
    time: Mapped[datetime]
    """`occurred_at`."""
    complaint_id: Mapped[str]
    status: Mapped[str]
    category: Mapped[str | None]
    satisfaction: Mapped[int | None]
