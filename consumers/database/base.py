"""What all tables have in common: their registry, their column types, and where a stored record came from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Dialect,
    Float,
    Integer,
    LargeBinary,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; SQLite, which has no time zones, stores it in UTC without an offset."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """Return what makes of an instant what the driver takes."""
        # What the rest of this class would come to, without its five calls for each of many instants.
        return _sqlite_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn the instant to UTC."""
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Return the instant as an aware datetime in UTC."""
        if value is None:
            return None
        read: datetime = value
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _sqlite_text(instant: datetime | None) -> str | None:
    """Return an instant as SQLAlchemy writes it into SQLite: in UTC, without an offset.

    >>> _sqlite_text(datetime(2024, 3, 1, 12, tzinfo=UTC))
    '2024-03-01 12:00:00.000000'
    """
    if instant is None:
        return None
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return instant.replace(tzinfo=None).isoformat(" ", "microseconds")


_JSON: Final = JSON().with_variant(JSONB, "postgresql")

# SQLite numbers rows by themselves only in an INTEGER.
Seq = Annotated[
    int, mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
]
"""The number of a row, in the order of storage.

Writers take turns (`Database.writing`): who has seen number n will never find a new row below it.
"""
Large = Annotated[int, mapped_column(BigInteger)]


class Base(DeclarativeBase):
    """A row of a table; a change of a table needs a revision in `migrations/versions/`."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        bool: Boolean,
        bytes: LargeBinary,
        date: Date,
        datetime: UtcDateTime,
        dict[str, Any]: _JSON,
        float: Float,
        int: Integer,
        list[Any]: _JSON,
        str: Text,
    }


class FromRecord:
    """A row that a record of a topic made."""

    digest: Mapped[str]
    """A hash of the content, by which a repeat is known from a conflict."""
    source_topic: Mapped[str]
    source_partition: Mapped[int]
    source_offset: Mapped[Large]


class StoredRecord(FromRecord):
    """A record of a topic, stored once and never changed."""

    seq: Mapped[Seq]
    stored_at: Mapped[datetime]
    """By the clock of the sink: a report of a past date made again leaves out what came later."""
    data: Mapped[dict[str, Any]]
    """`data` of the CloudEvent, or the whole event where it is none."""
