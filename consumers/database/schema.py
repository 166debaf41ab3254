"""The tables; a change here needs a migration in `migrations.py` that brings older databases to its shape."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; SQLite, which has no time zones, stores it in UTC without an offset."""

    impl = DateTime(timezone=True)
    cache_ok = True

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


METADATA: Final = MetaData()
_Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by themselves only in an INTEGER
_Json = JSON().with_variant(JSONB, "postgresql")

schema_version: Final = Table(
    "lapwing_schema",
    METADATA,
    Column("version", Integer, primary_key=True),
    Column("applied_at", UtcDateTime, nullable=False),
)

warning_steps: Final = Table(
    "warning_steps",
    METADATA,
    # Writers take turns (`Database.writing`): who has seen `seq` n will never find a new row below it.
    Column("seq", _Number, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("time", UtcDateTime, nullable=False),
    Column("type", Text, nullable=False),
    Column("warning_id", Text, nullable=False),
    Column("step", Integer, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("data", _Json, nullable=False),
    Column("digest", Text, nullable=False),
    Column("source_topic", Text, nullable=False),
    Column("source_partition", Integer, nullable=False),
    Column("source_offset", BigInteger, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Index("warning_steps_by_warning", "warning_id", "step"),
    Index("warning_steps_by_customer", "customer_id"),
    sqlite_autoincrement=True,
)
"""Every step of every warning, one row for each CloudEvent id."""

warnings: Final = Table(
    "warnings",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("last_step", Integer, nullable=False),
    Column("last_type", Text, nullable=False),
    Column("causes", _Json, nullable=False),
    Column("reasons", _Json, nullable=False),
    Column("churn_probability", Float),
    Column("horizon_days", Integer),
    Column("model_version", Text),
    Column("value_at_risk", Float),
    Column("decision", Text),
    Column("play", Text),
    Column("holdout", Boolean),
    Column("rule_set", Text),
    Column("attention", Text),
    Column("attended_by", Text),
    Column("attended_until", UtcDateTime),
    Column("deadline", UtcDateTime),
    Column("net", Float),
    Index("warnings_by_state", "state", "tier"),
    Index("warnings_by_customer", "customer_id"),
)
"""Each warning as its highest step left it.

`decision` is its verdict, `net` what its play should gain beyond its cost, null where that is not known.
`attention` is the state of its acknowledgement: `attended_by` is who acted last, `attended_until` when that
ends, `deadline` by when somebody must act.
"""

segment_warning_steps: Final = Table(
    "segment_warning_steps",
    METADATA,
    Column("seq", _Number, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("time", UtcDateTime, nullable=False),
    Column("type", Text, nullable=False),
    Column("warning_id", Text, nullable=False),
    Column("step", Integer, nullable=False),
    Column("dimension", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("data", _Json, nullable=False),
    Column("digest", Text, nullable=False),
    Column("source_topic", Text, nullable=False),
    Column("source_partition", Integer, nullable=False),
    Column("source_offset", BigInteger, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Index("segment_warning_steps_by_warning", "warning_id", "step"),
    sqlite_autoincrement=True,
)
"""Every step of every segment's warning, one row for each CloudEvent id."""

segment_warnings: Final = Table(
    "segment_warnings",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("dimension", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("last_step", Integer, nullable=False),
    Column("last_type", Text, nullable=False),
    Column("causes", _Json, nullable=False),
    Column("rule_set", Text, nullable=False),
    Index("segment_warnings_by_state", "state", "tier"),
    Index("segment_warnings_by_segment", "dimension", "value"),
)
"""Each segment's warning as its highest step left it."""

unreadable: Final = Table(
    "unreadable",
    METADATA,
    Column("seq", _Number, primary_key=True, autoincrement=True),
    Column("source_topic", Text, nullable=False),
    Column("source_partition", Integer, nullable=False),
    Column("source_offset", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("received_at", UtcDateTime, nullable=False),
    UniqueConstraint("source_topic", "source_partition", "source_offset", "digest"),
    sqlite_autoincrement=True,
)
"""Records of a topic that the sink reads and that could not be stored, with their bytes."""

channels: Final = Table(
    "channels",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("filled_to", BigInteger, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
)
"""The team's channels, and up to which `notices.seq` each one's deliveries stand in the outbox."""

silences: Final = Table(
    "silences",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime),
    Column("expired_at", UtcDateTime),
    Column("content", _Json, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
)
"""Each silence as in its newest record on the silences topic, expired ones too."""

notices: Final = Table(
    "notices",
    METADATA,
    Column("seq", _Number, primary_key=True, autoincrement=True),
    Column("step_id", Text, ForeignKey("warning_steps.id"), nullable=False),
    Column("warning_id", Text, nullable=False),
    Column("step", Integer, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("tier", Text, nullable=False),
    Column("rules", _Json, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("why", Text),
    Column("silence_id", Text),
    Column("look_again_at", UtcDateTime),
    Column("by_wall_clock", Boolean, nullable=False),
    Column("note", Text),
    Column("judged_at", UtcDateTime, nullable=False),
    Index("notices_by_customer", "customer_id", "at"),
    Index("notices_by_verdict", "verdict", "look_again_at"),
    Index("notices_by_step", "step_id"),
    sqlite_autoincrement=True,
)
"""What became of each step that may send a notice: `told` (sent), `held` (deferred) or `muted`, and why.

A notice that was deferred and then sent has two rows: the first has the reason of the delay.
"""

judging: Final = Table(
    "judging",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("judged_to", BigInteger, nullable=False),
    Column("event_time", UtcDateTime),
)
"""Up to which `warning_steps.seq` and event time the notices are judged, in one row called `notices`."""

outbox: Final = Table(
    "outbox",
    METADATA,
    Column("seq", _Number, primary_key=True, autoincrement=True),
    Column("step_id", Text, ForeignKey("warning_steps.id"), nullable=False),
    Column("channel", Text, ForeignKey("channels.name"), nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("claimed_by", Text),
    Column("claimed_until", UtcDateTime),
    Column("sent_at", UtcDateTime),
    Column("last_error", Text),
    UniqueConstraint("step_id", "channel"),
    Index("outbox_by_due", "channel", "state", "due_at"),
    sqlite_autoincrement=True,
)
"""What is to be sent, one row for each step and channel: `pending`, `sent`, `given_up` or `muted`."""
