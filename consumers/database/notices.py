"""The tables of notices: what is silenced, what became of each notice, and what is to be sent."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from consumers.database.base import Base, Large, Seq
from consumers.database.warnings import SegmentWarningStepRow, WarningStepRow


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
    """How far the notifier has come.

    `notices`: up to which `warning_steps.seq` and event time notices are judged. `routes` and `segments`: up
    to which `notices.seq` and `segment_warning_steps.seq` messages are made.
    """

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
    disabled_at: Mapped[datetime | None]
    """When its receiver said that it wants no more; nothing is sent to it until somebody enables it."""


class MessageRow(Base):
    """What a route sends to a receiver: about one step, or about several in a digest or gathered.

    Its `state` is `waiting` until it is due, then `entered` in the outbox or `dropped`.
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index("messages_by_due", "state", "due_at"),
        Index("messages_by_receiver", "receiver", "entered_at"),
        Index("messages_by_customer", "customer_id"),
        Index("messages_by_step", "step_id"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[Seq]
    key: Mapped[str] = mapped_column(unique=True)
    """What it is about and for whom: there is one of each, whatever stops a notifier."""
    kind: Mapped[str]
    """`notice`, `segment`, `digest`, `gathered` or `report`."""
    receiver: Mapped[str]
    route: Mapped[str]
    language: Mapped[str]
    template: Mapped[str | None]
    time_zone: Mapped[str]
    step_id: Mapped[str | None] = mapped_column(ForeignKey(WarningStepRow.id))
    segment_step_id: Mapped[str | None] = mapped_column(ForeignKey(SegmentWarningStepRow.id))
    customer_id: Mapped[str | None]
    note: Mapped[str | None]
    day: Mapped[date | None]
    part: Mapped[int]
    parts: Mapped[int]
    total: Mapped[int]
    """Of a digest: warnings in all of its parts."""
    state: Mapped[str]
    why: Mapped[str | None]
    """Why it waits or was dropped."""
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    entered_at: Mapped[datetime | None]


class MessageStepRow(Base):
    """A step in a digest, or one that a rate limit gathered.

    A warning is in one digest of a receiver a day.
    """

    __tablename__ = "message_steps"
    __table_args__ = (
        UniqueConstraint("receiver", "day", "warning_id"),
        Index("message_steps_by_message", "message_seq"),
        Index("message_steps_by_customer", "customer_id"),
        Index("message_steps_by_step", "step_id"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[Seq]
    message_seq: Mapped[Large] = mapped_column(ForeignKey(MessageRow.seq))
    receiver: Mapped[str]
    day: Mapped[date | None]
    """Of a digest; `None` in what was gathered, which may have several steps of a warning."""
    warning_id: Mapped[str]
    customer_id: Mapped[str | None]
    step_id: Mapped[str | None] = mapped_column(ForeignKey(WarningStepRow.id))
    segment_step_id: Mapped[str | None] = mapped_column(ForeignKey(SegmentWarningStepRow.id))


class OutboxRow(Base):
    """What is to be sent to a channel: `pending`, `sent`, `given_up` or `muted`.

    Without routes there is a row for each step and channel, else for each message and channel; a step goes to
    a channel once all the same.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("step_id", "channel"),
        UniqueConstraint("message_seq", "channel"),
        Index("outbox_by_due", "channel", "state", "due_at"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[Seq]
    step_id: Mapped[str | None] = mapped_column(ForeignKey(WarningStepRow.id))
    message_seq: Mapped[Large | None] = mapped_column(ForeignKey(MessageRow.seq))
    channel: Mapped[str] = mapped_column(ForeignKey(ChannelRow.name))
    state: Mapped[str]
    attempts: Mapped[int]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    unsure: Mapped[bool] = mapped_column(server_default=false())
    """Whether an attempt may have arrived although nobody knows."""
