"""What became of customers and what was done about them: the topics beside the warnings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from alembic import op

from consumers.database.migrations.column_types import DOCUMENT, INSTANT, NUMBER

revision: Final = "0007"
down_revision: Final = "0006"


def upgrade() -> None:
    """Create the tables; an older Lapwing refuses the database from now on."""
    op.create_table(
        "outcomes",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("time", INSTANT, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("warning_id", sa.Text),
        sa.Column("rule", sa.Text),
        sa.Column("tier", sa.Text),
        sa.Column("opened_at", INSTANT),
        sa.Column("churned", sa.Boolean),
        sa.Column("holdout", sa.Boolean, nullable=False),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("source_topic", sa.Text, nullable=False),
        sa.Column("source_partition", sa.Integer, nullable=False),
        sa.Column("source_offset", sa.BigInteger, nullable=False),
        sa.Column("stored_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("outcomes_by_type", "outcomes", ["type", "time"])
    op.create_index("outcomes_by_customer", "outcomes", ["customer_id", "type", "time"])
    op.create_index("outcomes_by_warning", "outcomes", ["warning_id"])
    op.create_table(
        "census",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("time", INSTANT, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("by", sa.Text),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("source_topic", sa.Text, nullable=False),
        sa.Column("source_partition", sa.Integer, nullable=False),
        sa.Column("source_offset", sa.BigInteger, nullable=False),
        sa.Column("stored_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("census_by_type", "census", ["type", "time"])
    op.create_table(
        "customer_days",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("time", INSTANT, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("warning_id", sa.Text, nullable=False),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("churn_probability", sa.Float),
        sa.Column("value", sa.Float),
        sa.Column("net", sa.Float),
        sa.Column("verdict", sa.Text),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("source_topic", sa.Text, nullable=False),
        sa.Column("source_partition", sa.Integer, nullable=False),
        sa.Column("source_offset", sa.BigInteger, nullable=False),
        sa.Column("stored_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("customer_days_by_customer", "customer_days", ["customer_id", "time"])
    op.create_index("customer_days_by_warning", "customer_days", ["warning_id", "time"])
    op.create_table(
        "actions",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("time", INSTANT, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("warning_id", sa.Text),
        sa.Column("play", sa.Text),
        sa.Column("result", sa.Text),
        sa.Column("actor", sa.Text),
        sa.Column("reasons", DOCUMENT, nullable=False),
        sa.Column("cost", DOCUMENT, nullable=False),
        sa.Column("corrects", sa.Text),
        sa.Column("until", INSTANT),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("source_topic", sa.Text, nullable=False),
        sa.Column("source_partition", sa.Integer, nullable=False),
        sa.Column("source_offset", sa.BigInteger, nullable=False),
        sa.Column("stored_at", INSTANT, nullable=False),
        sa.UniqueConstraint("event_id", "customer_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("actions_by_warning", "actions", ["warning_id"])
    op.create_index("actions_by_customer", "actions", ["customer_id", "time"])
    op.create_index("actions_by_time", "actions", ["time"])
    op.create_table(
        "complaint_events",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("time", INSTANT, nullable=False),
        sa.Column("complaint_id", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("category", sa.Text),
        sa.Column("satisfaction", sa.Integer),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("source_topic", sa.Text, nullable=False),
        sa.Column("source_partition", sa.Integer, nullable=False),
        sa.Column("source_offset", sa.BigInteger, nullable=False),
        sa.Column("stored_at", INSTANT, nullable=False),
        sa.UniqueConstraint("event_id", "customer_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "complaint_events_by_complaint", "complaint_events", ["customer_id", "complaint_id", "time"]
    )
    op.create_index("complaint_events_by_time", "complaint_events", ["time"])
    op.create_table(
        "samples",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("churned", sa.Boolean, nullable=False),
        sa.Column("p", sa.Float),
        sa.Column("weight", sa.Float, nullable=False),
        sa.Column("rank", sa.BigInteger, nullable=False),
        sa.Column("inputs", DOCUMENT, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("source_topic", sa.Text, nullable=False),
        sa.Column("source_partition", sa.Integer, nullable=False),
        sa.Column("source_offset", sa.BigInteger, nullable=False),
        sa.Column("stored_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("samples_by_rank", "samples", ["rank"])
    op.create_index("samples_by_instant", "samples", ["at"])
    op.create_table(
        "rules_adopted",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("adopted_at", INSTANT, nullable=False),
        sa.Column("at", INSTANT),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("judges", sa.Text, nullable=False),
        sa.Column("rule_set_before", sa.Text),
        sa.Column("rule_set", sa.Text, nullable=False),
        sa.Column("author", sa.Text),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("source_topic", sa.Text, nullable=False),
        sa.Column("source_partition", sa.Integer, nullable=False),
        sa.Column("source_offset", sa.BigInteger, nullable=False),
        sa.Column("stored_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("rules_adopted_by_time", "rules_adopted", ["adopted_at"])
    op.create_table(
        "erasures",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("erased_at", INSTANT, nullable=False),
        sa.Column("stored_at", INSTANT, nullable=False),
    )
    versions = sa.table("lapwing_schema", sa.column("version"), sa.column("applied_at", INSTANT))
    op.execute(versions.insert().values(version=7, applied_at=datetime.now(UTC)))
