"""Steps of warnings, the warnings, and what could not be stored."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from consumers.database.migrations.column_types import DOCUMENT, INSTANT, NUMBER

revision: Final = "0001"
down_revision: Final[str | None] = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "lapwing_schema",
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("applied_at", INSTANT, nullable=False),
    )
    op.create_table(
        "warning_steps",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("time", INSTANT, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("warning_id", sa.Text, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("source_topic", sa.Text, nullable=False),
        sa.Column("source_partition", sa.Integer, nullable=False),
        sa.Column("source_offset", sa.BigInteger, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("warning_steps_by_warning", "warning_steps", ["warning_id", "step"])
    op.create_index("warning_steps_by_customer", "warning_steps", ["customer_id"])
    op.create_table(
        "warnings",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT),
        sa.Column("last_step", sa.Integer, nullable=False),
        sa.Column("last_type", sa.Text, nullable=False),
        sa.Column("causes", DOCUMENT, nullable=False),
        sa.Column("reasons", DOCUMENT, nullable=False),
        sa.Column("churn_probability", sa.Float),
        sa.Column("horizon_days", sa.Integer),
        sa.Column("model_version", sa.Text),
        sa.Column("value_at_risk", sa.Float),
        sa.Column("decision", sa.Text),
        sa.Column("play", sa.Text),
        sa.Column("holdout", sa.Boolean),
        sa.Column("rule_set", sa.Text),
    )
    op.create_index("warnings_by_state", "warnings", ["state", "tier"])
    op.create_index("warnings_by_customer", "warnings", ["customer_id"])
    op.create_table(
        "unreadable",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("source_topic", sa.Text, nullable=False),
        sa.Column("source_partition", sa.Integer, nullable=False),
        sa.Column("source_offset", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("key", sa.LargeBinary),
        sa.Column("value", sa.LargeBinary),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.UniqueConstraint("source_topic", "source_partition", "source_offset", "digest"),
        sqlite_autoincrement=True,
    )
