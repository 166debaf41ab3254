"""The tables beside the data: records put aside, customers erased, the version before Alembic."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consumers.database.base import Base, FromRecord, Seq


class UnreadableRow(FromRecord, Base):
    """A record of a topic that the sink reads and that could not be stored, with its bytes."""

    __tablename__ = "unreadable"
    __table_args__ = (
        UniqueConstraint("source_topic", "source_partition", "source_offset", "digest"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[Seq]
    reason: Mapped[str]
    detail: Mapped[str]
    key: Mapped[bytes | None]
    value: Mapped[bytes | None]
    received_at: Mapped[datetime]


class ErasureRow(Base):
    """A customer who was erased, by a keyed hash of the id; nothing else of them is kept."""

    __tablename__ = "erasures"

    hash: Mapped[str] = mapped_column(primary_key=True)
    erased_at: Mapped[datetime]
    stored_at: Mapped[datetime]


class SchemaVersionRow(Base):
    """The version of a database of before Alembic; the last one is there so that an older Lapwing refuses."""

    __tablename__ = "lapwing_schema"

    version: Mapped[int] = mapped_column(primary_key=True)
    applied_at: Mapped[datetime]
