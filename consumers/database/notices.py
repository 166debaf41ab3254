"""The tables of notices: what is silenced, what became of each notice, and what is to be sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consumers.database.base import Base, Large, Seq
from consumers.database.warnings import WarningStepRow


class SilenceRow(Base):
    """A silence as in its newest record on the silences topic, an expired one too."""

    __tablename__ = "silences"

    id: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int]
    author: Mapped[str]
    reason: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    expired_at: Mapped[datetime | None]
    content: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]


class NoticeRow(Base):
    """What became of a step that may send a notice: `told` (sent), `held` (deferred) or `muted`, and why.

    A notice that was deferred and then sent has two rows: the first has the reason of the delay.
    """

    __tablename__ = "notices"
    __table_args__ = (
        Index("notices_by_customer", "customer_id", "at"),
        Index("notices_by_verdict", "verdict", "look_again_at"),
        Index("notices_by_step", "step_id"),
        Index("notices_by_warning", "warning_id", "seq"),
        Index("notices_by_reason", "verdict", "why"),
        Index("notices_by_silence", "silence_id", "verdict", "step_id"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[Seq]
    step_id: Mapped[str] = mapped_column(ForeignKey(WarningStepRow.id))
    warning_id: Mapped[str]
    step: Mapped[int]
    customer_id: Mapped[str]
    kind: Mapped[str]
    at: Mapped[datetime]
    tier: Mapped[str]
    rules: Mapped[list[Any]]
    verdict: Mapped[str]
    why: Mapped[str | None]
    silence_id: Mapped[str | None]
    look_again_at: Mapped[datetime | None]
    by_wall_clock: Mapped[bool]
    note: Mapped[str | None]
    judged_at: Mapped[datetime]


class JudgingRow(Base):
    """Up to which `warning_steps.seq` and event time the notices are judged, in one row called `notices`."""

    __tablename__ = "judging"

    name: Mapped[str] = mapped_column(primary_key=True)
    judged_to: Mapped[Large]
    event_time: Mapped[datetime | None]


class ChannelRow(Base):
    """A channel of the team, and up to which `notices.seq` its deliveries stand in the outbox."""

    __tablename__ = "channels"

    name: Mapped[str] = mapped_column(primary_key=True)
    filled_to: Mapped[Large]
    added_at: Mapped[datetime]


class OutboxRow(Base):
    """What is to be sent, one row for each step and channel: `pending`, `sent`, `given_up` or `muted`."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("step_id", "channel"),
        Index("outbox_by_due", "channel", "state", "due_at"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[Seq]
    step_id: Mapped[str] = mapped_column(ForeignKey(WarningStepRow.id))
    channel: Mapped[str] = mapped_column(ForeignKey(ChannelRow.name))
    state: Mapped[str]
    attempts: Mapped[int]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
