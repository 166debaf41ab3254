"""The tables of the desk: who is signed in, saved views, actions on their way, and who did what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consumers.database.base import Base, Seq


class SessionRow(Base):
    """Somebody who is signed in at the desk."""

    __tablename__ = "desk_sessions"
    __table_args__ = (Index("desk_sessions_by_person", "person"), Index("desk_sessions_by_end", "ends_at"))

    id_hash: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the secret in the cookie: who reads the database cannot take a session over."""
    person: Mapped[str]
    content: Mapped[dict[str, Any]]
    """What was known at the sign-in about somebody whom another system vouches for."""
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class ViewRow(Base):
    """A saved view of the queue, of one person or shared with a team or with all."""

    __tablename__ = "desk_views"
    __table_args__ = (UniqueConstraint("shared_with", "name"), {"sqlite_autoincrement": True})

    seq: Mapped[Seq]
    name: Mapped[str]
    shared_with: Mapped[str]
    """`person:NAME`, `team:NAME` or `all`."""
    query: Mapped[str]
    """The filters as they stand in the address."""
    author: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class DeskActionRow(Base):
    """An action from the desk: `held` until `send_at`, then `sending`, `sent` and `taken`; or `undone`.

    It is `taken` once the store shows that it has arrived; until then it is on its way.
    """

    __tablename__ = "desk_actions"
    __table_args__ = (
        Index("desk_actions_by_state", "state", "send_at"),
        Index("desk_actions_by_customer", "customer_id"),
        Index("desk_actions_by_warning", "warning_id"),
        Index("desk_actions_by_group", "group_id"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[Seq]
    event_id: Mapped[str] = mapped_column(unique=True)
    group_id: Mapped[str]
    """Of all actions of one click: they are undone together."""
    customer_id: Mapped[str]
    warning_id: Mapped[str | None]
    kind: Mapped[str]
    actor: Mapped[str]
    content: Mapped[dict[str, Any]]
    """The event as it goes to the topic."""
    state: Mapped[str]
    created_at: Mapped[datetime]
    send_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    """The process that sends it, or that tried last: what was tried may have arrived."""
    claimed_until: Mapped[datetime | None]
    error: Mapped[str | None]
    """Why the last attempt failed."""


class PresenceRow(Base):
    """Somebody who has the page of a customer open, as their process of the desk wrote it last."""

    __tablename__ = "desk_presence"
    __table_args__ = (Index("desk_presence_by_customer", "customer_id"),)

    process: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str]
    customer_id: Mapped[str]
    seen_at: Mapped[datetime]


class DeskAuditRow(Base):
    """What somebody did at the desk: signed in, acted, changed a view or a silence, exported."""

    __tablename__ = "desk_audit"
    __table_args__ = (
        Index("desk_audit_by_time", "at"),
        Index("desk_audit_by_person", "person", "at"),
        Index("desk_audit_by_customer", "customer_id"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[Seq]
    at: Mapped[datetime]
    person: Mapped[str | None]
    """`None` where nobody was signed in."""
    what: Mapped[str]
    customer_id: Mapped[str | None]
    detail: Mapped[dict[str, Any]]
